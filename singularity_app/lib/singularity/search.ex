defmodule Singularity.Search do
  @moduledoc """
  Similar code: in one repository, in some, or across all of them.

  The search is done by functions of the performance layer (`db_service`), which decide by counted rows how each one is
  answered; `docs/search.md` says when which way is taken. Where the layer is not installed, they do not exist.

      Singularity.Search.across(vector, k: 3, language: "elixir")
      #=> [%Singularity.Search.Hit{repo_name: "phoenix", path: "lib/phoenix/router.ex", distance: 0.21, way: "halfvec"}, ...]

  A vector is a list of 768 numbers from the model that the stored ones come from. From `psql`, or without this module, it
  is a literal, which needs no library:

      SELECT * FROM db_service.search_across('[1, 0, 0, ...]'::public.vector, 3, language => 'elixir');

  ## Options

    * `:k` - how many rows, from 1 to 10,000; 10 by default
    * `:model` - only vectors of this model; to be named where the table holds those of several
    * `:path_prefix` - only paths that begin so, `"lib/"`
    * `:language` - only files in this language, as `code_files.language` has it
    * `:metadata` - only rows whose metadata contain this map
    * `:recall` - `:fast`, `:balanced` (99 of 100 of the true nearest, the default) or `:exact`

  Rows come nearest first, then by repository and path; as many as were asked for, if so many qualify. What no search can
  mean (a vector of another length or of zeros, vectors of several models) raises `Postgrex.Error`.
  """

  alias Singularity.Repo

  defmodule Hit do
    @moduledoc "One stored vector that is near to the one that was asked for."

    @enforce_keys [:repo_name, :path, :distance, :way]
    defstruct [:repo_name, :path, :distance, :way]

    @typedoc "`distance` is cosine distance, from 0 to 2; `way` says how it was found."
    @type t :: %__MODULE__{repo_name: String.t(), path: String.t(), distance: float(), way: String.t()}
  end

  @type vector :: [number()]
  @type option ::
          {:k, pos_integer()}
          | {:model, String.t()}
          | {:path_prefix, String.t()}
          | {:language, String.t()}
          | {:metadata, map()}
          | {:recall, :fast | :balanced | :exact}

  @options [k: 10, model: nil, path_prefix: nil, language: nil, metadata: nil, recall: :balanced]

  @doc "In one repository. One that nobody knows has no rows."
  @spec in_repository(String.t(), vector(), [option()]) :: [Hit.t()]
  def in_repository(repository, vector, options \\ []) do
    run("db_service.search_in_repository($1, $2, $3, $4, $5, $6, $7, $8)", [
      repository,
      vector | arguments(options)
    ])
  end

  @doc "In some repositories."
  @spec in_repositories([String.t()], vector(), [option()]) :: [Hit.t()]
  def in_repositories(repositories, vector, options \\ []) do
    run("db_service.search_in_repositories($1, $2, $3, $4, $5, $6, $7, $8)", [
      repositories,
      vector | arguments(options)
    ])
  end

  @doc "Across all repositories."
  @spec across(vector(), [option()]) :: [Hit.t()]
  def across(vector, options \\ []) do
    run("db_service.search_across($1, $2, $3, $4, $5, $6, $7)", [vector | arguments(options)])
  end

  defp arguments(options) do
    options = Keyword.validate!(options, @options)

    [:k, :model, :path_prefix, :language, :metadata, :recall]
    |> Enum.map(&Keyword.fetch!(options, &1))
    |> List.update_at(-1, &Atom.to_string/1)
  end

  defp run(call, arguments) do
    %{rows: rows} = Repo.query!("SELECT repo_name, path, distance, way FROM " <> call, arguments)

    for [repo_name, path, distance, way] <- rows do
      %Hit{repo_name: repo_name, path: path, distance: distance, way: way}
    end
  end
end
