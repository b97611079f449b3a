defmodule Singularity.Deduplication do
  @moduledoc """
  What need not be done again: files that have not changed, and contents that are known from another repository.

  Both are asked of functions of the performance layer (`db_service`) and are exact; `docs/deduplication.md` says what they
  cost. Where the layer is not installed, they do not exist.

  To index a repository once more, ask what has changed, and do only that:

      files = Map.new(paths, &{&1, Singularity.Deduplication.hash(File.read!(&1))})
      Singularity.Deduplication.changes("phoenix", files)
      #=> %Singularity.Deduplication.Changes{new: ["lib/a.ex"], changed: ["mix.exs"], gone: ["lib/b.ex"]}

  To import what may be a copy of something, ask which contents are stored in whatever repository; their vectors need not be
  computed:

      known = Singularity.Deduplication.known(Map.values(files))
      Enum.reject(files, fn {_path, hash} -> MapSet.member?(known, hash) end)

  What others commit between the question and a write is not known: write with `on_conflict`, as `Singularity.CodeFile` shows.
  """

  alias Singularity.Repo

  defmodule Changes do
    @moduledoc "What is to be done so that a repository holds what was given, by paths in the order of their names."

    defstruct new: [], changed: [], gone: []

    @type t :: %__MODULE__{new: [String.t()], changed: [String.t()], gone: [String.t()]}
  end

  @typedoc "SHA-256 of a content, 32 bytes, as `code_files.content_hash` has it."
  @type hash :: <<_::256>>

  @doc """
  The hash of a content.

      iex> Singularity.Deduplication.hash("abc") |> Base.encode16(case: :lower) |> binary_part(0, 16)
      "ba7816bf8f01cfea"
  """
  @spec hash(binary()) :: hash()
  def hash(content), do: :crypto.hash(:sha256, content)

  @doc "Which files of a repository are new, changed or gone; `files` has every path that there is now, with its hash."
  @spec changes(String.t(), %{String.t() => hash()}) :: Changes.t()
  def changes(repository, files) do
    {paths, hashes} = files |> Map.to_list() |> Enum.unzip()

    %{rows: rows} =
      Repo.query!("SELECT file_path, change FROM db_service.changed_files($1, $2, $3)", [
        repository,
        paths,
        hashes
      ])

    from_rows(rows)
  end

  @doc "Those of the hashes that are stored, in whatever repository. One question for many: give thousands at once."
  @spec known([hash()]) :: MapSet.t(hash())
  def known(hashes) do
    %{rows: rows} = Repo.query!("SELECT content_hash FROM db_service.known_content($1)", [hashes])
    MapSet.new(rows, fn [hash] -> hash end)
  end

  @doc """
  Rows of `db_service.changed_files` by what is to be done.

      iex> Singularity.Deduplication.from_rows([["a", "new"], ["b", "gone"], ["c", "new"]])
      %Singularity.Deduplication.Changes{new: ["a", "c"], changed: [], gone: ["b"]}
  """
  @spec from_rows([[String.t()]]) :: Changes.t()
  def from_rows(rows) do
    paths = Enum.group_by(rows, fn [_path, change] -> change end, fn [path, _change] -> path end)

    %Changes{
      new: Map.get(paths, "new", []),
      changed: Map.get(paths, "changed", []),
      gone: Map.get(paths, "gone", [])
    }
  end
end
