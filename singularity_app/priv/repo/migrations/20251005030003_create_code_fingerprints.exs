defmodule Singularity.Repo.Migrations.CreateCodeFingerprints do
  use Ecto.Migration

  # Joined to code_files by (repo_name, file_path), without a foreign key: none may point there.
  def change do
    create table(:code_fingerprints, comment: "Hashes of files at three levels, to find duplicates") do
      add :repo_name, :text, null: false
      add :file_path, :text, null: false
      add :content_hash, :binary, null: false, comment: "SHA-256 of the bytes"
      add :structural_hash, :binary, comment: "Of the syntax tree without names; null: not parsed"
      add :semantic_hash, :binary, comment: "Of the normalised meaning; null: not parsed"
      add :fingerprint_version, :integer, null: false, default: 1, comment: "Compare within one version only"

      timestamps(type: :timestamptz, default: fragment("now()"))
    end

    create unique_index(:code_fingerprints, [:repo_name, :file_path])
    create index(:code_fingerprints, [:content_hash])
    create index(:code_fingerprints, [:structural_hash])
    create index(:code_fingerprints, [:semantic_hash])

    create constraint(:code_fingerprints, :code_fingerprints_content_hash_check,
             check: "octet_length(content_hash) = 32"
           )
  end
end
