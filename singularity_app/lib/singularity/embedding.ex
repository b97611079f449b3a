defmodule Singularity.Embedding do
  @moduledoc """
  The vector of a file, or of a part of one.

  Keyed like `Singularity.CodeFile`, and not tied to it by a foreign key, which would keep that table from
  being partitioned. The vector is 3 KB and is fetched only when selected by name.

  There is no `updated_at`: every update of a row inserts its vector into the HNSW index once more. Write
  only when `content_hash` or `model` changed.
  """
  use Ecto.Schema
  import Ecto.Changeset

  @primary_key {:id, :id, autogenerate: true}
  schema "embeddings" do
    field :repo_name, :string
    field :path, :string
    field :model, :string
    field :content_hash, :binary
    field :embedding, Singularity.Vector, load_in_query: false
    field :metadata, :map, default: %{}

    timestamps(type: :utc_datetime_usec, updated_at: false)
  end

  @required [:repo_name, :path, :model, :content_hash, :embedding]

  @doc "A stored row that was read without its vector, as queries do, keeps the vector."
  def changeset(embedding, attrs) do
    embedding
    |> cast(attrs, [:metadata | @required])
    |> validate_required(required(embedding))
    |> unique_constraint([:repo_name, :path], name: :embeddings_pkey)
    |> check_constraint(:content_hash, name: :embeddings_content_hash_check, message: "must be 32 bytes")
  end

  defp required(%__MODULE__{__meta__: %{state: :loaded}}), do: @required -- [:embedding]
  defp required(_new), do: @required
end
