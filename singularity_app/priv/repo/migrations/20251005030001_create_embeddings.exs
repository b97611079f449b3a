defmodule Singularity.Repo.Migrations.CreateEmbeddings do
  use Ecto.Migration

  # This table is later hash partitioned by repo_name; see create_code_files for what follows from that.
  # No updated_at and no counters: every update of a row inserts its vector into the HNSW index again.
  def change do
    create table(:embeddings, primary_key: false, comment: "Vectors of files, and of parts of files") do
      add :repo_name, :text, primary_key: true

      add :path, :text,
        primary_key: true,
        comment: "code_files.file_path; for a part of the file followed by # and the part"

      add :id, :bigserial, null: false, comment: "Handle for Ecto; the key is (repo_name, path)"
      add :model, :text, null: false, comment: "What computed the vector; never compare across models"
      add :content_hash, :binary, null: false, comment: "SHA-256 of the embedded text; unchanged: skip it"
      add :embedding, :"public.vector(768)", null: false
      add :metadata, :map, null: false, default: %{}

      timestamps(type: :timestamptz, default: fragment("now()"), updated_at: false)
    end

    create index(:embeddings, [:id])
    create index(:embeddings, [:model])
    create index(:embeddings, [:content_hash])
    create index(:embeddings, [:metadata], using: :gin)

    create index(:embeddings, ["embedding public.vector_cosine_ops"],
             name: :embeddings_embedding_index,
             using: :hnsw,
             options: "m = 16, ef_construction = 64"
           )

    create constraint(:embeddings, :embeddings_content_hash_check, check: "octet_length(content_hash) = 32")
  end
end
