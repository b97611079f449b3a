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
    |> validate_required(@required)
    |> unique_constraint([:namespace, :prompt_hash])
  end
end
