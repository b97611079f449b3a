defmodule Singularity.CodeFile do
  @moduledoc """
  A source file of a repository.

  The database's primary key is `(repo_name, file_path)`, so that the table can be hash partitioned by
  `repo_name`; `id` is a handle for Ecto. Upsert by the natural key, and give `repo_name` in every query that
  knows it: without it, each partition is probed.

      Repo.insert(changeset,
        on_conflict: {:replace_all_except, [:id, :inserted_at]},
        conflict_target: [:repo_name, :file_path],
        returning: true
      )
  """
  use Ecto.Schema
  import Ecto.Changeset

  @primary_key {:id, :id, autogenerate: true}
  schema "code_files" do
    field :repo_name, :string
    field :file_path, :string
    field :language, :string
    field :content, :string
    field :content_hash, :binary
    field :size_bytes, :integer
    field :metadata, :map, default: %{}

    timestamps(type: :utc_datetime_usec)
  end

  @doc "Hash and size follow from the content; they cannot be set."
  def changeset(file, attrs) do
    file
    |> cast(attrs, [:repo_name, :file_path, :language, :metadata])
    |> validate_required([:repo_name, :file_path])
    # An empty file is a file: "" must not become nil. Last, since a changeset keeps its empty values.
    |> cast(attrs, [:content], empty_values: [])
    |> put_hash_and_size()
    |> unique_constraint([:repo_name, :file_path], name: :code_files_pkey)
  end

  defp put_hash_and_size(changeset) do
    case get_field(changeset, :content) do
      nil ->
        add_error(changeset, :content, "can't be nil", validation: :required)

      content ->
        change(changeset, content_hash: :crypto.hash(:sha256, content), size_bytes: byte_size(content))
    end
  end
end
