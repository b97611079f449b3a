defmodule Singularity.CodeFingerprint do
  @moduledoc "Hashes of a file at three levels; equal hashes of one `fingerprint_version` mean duplicates."
  use Ecto.Schema
  import Ecto.Changeset

  schema "code_fingerprints" do
    field :repo_name, :string
    field :file_path, :string
    field :content_hash, :binary
    field :structural_hash, :binary
    field :semantic_hash, :binary
    field :fingerprint_version, :integer, default: 1

    timestamps(type: :utc_datetime_usec)
  end

  @required [:repo_name, :file_path, :content_hash, :fingerprint_version]

  def changeset(fingerprint, attrs) do
    fingerprint
    |> cast(attrs, [:structural_hash, :semantic_hash | @required])
    |> validate_required(@required)
    |> unique_constraint([:repo_name, :file_path])
    |> check_constraint(:content_hash,
      name: :code_fingerprints_content_hash_check,
      message: "must be 32 bytes"
    )
  end
end
