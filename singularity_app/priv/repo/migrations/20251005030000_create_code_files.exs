defmodule Singularity.Repo.Migrations.CreateCodeFiles do
  use Ecto.Migration

  # This table is later hash partitioned by repo_name. So every unique index holds repo_name, `id` has a
  # plain index, and no foreign key may point here.
  def change do
    create table(:code_files, primary_key: false, comment: "Source files of all repositories") do
      add :repo_name, :text, primary_key: true
      add :file_path, :text, primary_key: true, comment: "Relative to the root of the repository"
      add :id, :bigserial, null: false, comment: "Handle for Ecto; the key is (repo_name, file_path)"
      add :language, :text, comment: "Null: not recognised"
      add :content, :text, null: false
      add :content_hash, :binary, null: false, comment: "SHA-256 of the content"
      add :size_bytes, :integer, null: false, comment: "Size of the content in UTF-8"
      add :metadata, :map, null: false, default: %{}

      timestamps(type: :timestamptz, default: fragment("now()"))
    end

    create index(:code_files, [:id])
    create index(:code_files, [:language])
    create index(:code_files, [:content_hash])
    create index(:code_files, [:metadata], using: :gin)

    create constraint(:code_files, :code_files_content_hash_check, check: "octet_length(content_hash) = 32")
    create constraint(:code_files, :code_files_size_bytes_check, check: "size_bytes >= 0")
  end
end
