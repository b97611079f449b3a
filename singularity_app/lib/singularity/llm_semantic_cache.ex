defmodule Singularity.LlmSemanticCache do
  @moduledoc """
  An answer of a language model, found again by the hash of its prompt, or by a prompt close in meaning.

  An answer is valid only within its `namespace`.
  """
  use Ecto.Schema
  import Ecto.Changeset

  schema "llm_semantic_cache" do
    field :namespace, :string
    field :model, :string
    field :prompt, :string
    field :prompt_hash, :binary
    field :prompt_embedding, Singularity.Vector, load_in_query: false
    field :response, :string
    field :prompt_tokens, :integer, default: 0
    field :response_tokens, :integer, default: 0
    field :cost_usd, :decimal, default: Decimal.new(0)
    field :hit_count, :integer, default: 0
    field :last_hit_at, :utc_datetime_usec
    field :expires_at, :utc_datetime_usec
    field :metadata, :map, default: %{}

    timestamps(type: :utc_datetime_usec)
  end

  @required [:namespace, :model, :prompt, :prompt_hash, :prompt_embedding, :response]
  @optional [:prompt_tokens, :response_tokens, :cost_usd, :expires_at, :metadata]

  def changeset(entry, attrs) do
    entry
    |> cast(attrs, @required ++ @optional)
    |> validate_required(required(entry))
    |> validate_number(:cost_usd, greater_than_or_equal_to: 0)
    |> unique_constraint([:namespace, :prompt_hash])
    |> check_constraint(:prompt_hash,
      name: :llm_semantic_cache_prompt_hash_check,
      message: "must be 32 bytes"
    )
  end

  # A row that is read has no vector, unless that is selected by name.
  defp required(%__MODULE__{__meta__: %{state: :loaded}}), do: @required -- [:prompt_embedding]
  defp required(_new), do: @required
end
