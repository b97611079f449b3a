defmodule Singularity.Answers do
  @moduledoc """
  Answers of language models, found again by the same prompt, or by one that means nearly the same.

  The functions are those of the performance layer (`db_service`), the rows those of `Singularity.LlmSemanticCache`;
  `docs/semantic-cache.md` says how they find what they find. Where the layer is not installed, they do not exist.

  What an answer depends on is its namespace: the model, the template of the prompt, and the versions of the repositories that
  are read for it. It is asked for **before** the answer is computed, so that an answer about code which changes meanwhile is
  never found:

      namespace = Singularity.Answers.namespace("some-model", "explain v3", ["phoenix"])

      case Singularity.Answers.find(namespace, prompt, vector) do
        %Singularity.Answers.Answer{response: response} ->
          response

        nil ->
          response = ask(prompt)
          Singularity.Answers.store(namespace, "some-model", prompt, vector, response, cost_usd: Decimal.new("0.0021"))
          response
      end

  Finding writes nothing. Collect the ids of answers that were used, and note them now and then, many at once:

      Singularity.Answers.note_hits(%{answer.id => 3})
  """

  alias Singularity.Repo

  defmodule Answer do
    @moduledoc """
    An answer that was stored. `asked` is the prompt that it was given to, `distance` how far that is from the one that was
    looked for, and `way` is `"exact"` or `"near"`.
    """

    defstruct [:id, :response, :asked, :distance, :way]

    @type t :: %__MODULE__{
            id: pos_integer(),
            response: String.t(),
            asked: String.t(),
            distance: float(),
            way: String.t()
          }
  end

  @typedoc "What an answer depends on; `nil` while versions of repositories are not kept: nothing is found or stored then."
  @type namespace :: String.t() | nil

  @doc "The namespace as of now. `repositories` are those that are read for the answer: a list, which may be empty, or `:all`."
  @spec namespace(String.t(), String.t(), [String.t()] | :all) :: namespace()
  def namespace(model, template, repositories \\ []) do
    repositories = if repositories == :all, do: nil, else: repositories

    %{rows: [[namespace]]} =
      Repo.query!("SELECT db_service.answer_namespace($1, $2, $3)", [model, template, repositories])

    namespace
  end

  @doc """
  The answer to the same prompt, else to the nearest one within a cosine distance (`:within`, 0.05). Without a vector (`nil`),
  only the same prompt is found.
  """
  @spec find(namespace(), String.t(), [number()] | nil, keyword()) :: Answer.t() | nil
  def find(namespace, prompt, vector, options \\ []) do
    [within: within] = Keyword.validate!(options, within: 0.05)

    %{rows: rows} =
      Repo.query!(
        "SELECT id, response, asked, distance, way FROM db_service.find_answer($1, $2, $3, $4)",
        [namespace, prompt, vector, within / 1]
      )

    from_rows(rows)
  end

  @doc """
  Stores an answer, and replaces another one to the same prompt. Options: `:prompt_tokens`, `:response_tokens`, `:cost_usd`,
  `:metadata`, and `:lifetime` in seconds, a week by default; `nil` keeps it for ever.
  """
  @spec store(namespace(), String.t(), String.t(), [number()], String.t(), keyword()) :: pos_integer() | nil
  def store(namespace, model, prompt, vector, response, options \\ []) do
    options =
      Keyword.validate!(options,
        prompt_tokens: 0,
        response_tokens: 0,
        cost_usd: 0,
        metadata: %{},
        lifetime: 7 * 24 * 60 * 60
      )

    %{rows: [[id]]} =
      Repo.query!(
        "SELECT db_service.store_answer($1, $2, $3, $4, $5, pg_catalog.make_interval(secs => $6), $7, $8, $9, $10)",
        [
          namespace,
          model,
          prompt,
          vector,
          response,
          options[:lifetime] && options[:lifetime] / 1,
          options[:prompt_tokens],
          options[:response_tokens],
          options[:cost_usd],
          options[:metadata]
        ]
      )

    id
  end

  @doc "Notes how often answers were used, by their ids. Returns how many of them are still stored."
  @spec note_hits(%{pos_integer() => pos_integer()}) :: non_neg_integer()
  def note_hits(hits) do
    {ids, counts} = hits |> Map.to_list() |> Enum.unzip()
    %{rows: [[noted]]} = Repo.query!("SELECT db_service.count_answer_hits($1, $2)", [ids, counts])
    noted
  end

  @doc """
  A row of `db_service.find_answer`, if there is one.

      iex> Singularity.Answers.from_rows([[7, "42", "How many?", 0.0, "exact"]])
      %Singularity.Answers.Answer{id: 7, response: "42", asked: "How many?", distance: 0.0, way: "exact"}

      iex> Singularity.Answers.from_rows([])
      nil
  """
  @spec from_rows([[term()]]) :: Answer.t() | nil
  def from_rows([]), do: nil

  def from_rows([[id, response, asked, distance, way]]) do
    %Answer{id: id, response: response, asked: asked, distance: distance, way: way}
  end
end
