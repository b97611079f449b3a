defmodule Singularity.Vector do
  @moduledoc """
  A vector of 768 floats: Ecto's side of pgvector's type `public.vector`, as a list of floats.

      from e in Embedding, order_by: fragment("? <=> ?", e.embedding, type(^query, Singularity.Vector))

  That is all this application needs of the type, so it takes no dependency for it.
  """
  use Ecto.Type

  @dimensions 768

  # Qualified, because pgvecto.rs brings a second type named `vector` into the same database.
  @impl true
  def type, do: :"public.vector"

  @impl true
  def cast(list) when is_list(list) and length(list) == @dimensions do
    if Enum.all?(list, &is_number/1), do: {:ok, list}, else: :error
  end

  def cast(_other), do: :error

  @impl true
  def load(list) when is_list(list), do: {:ok, list}

  @impl true
  def dump(list) when is_list(list), do: {:ok, list}
  def dump(_other), do: :error
end

defmodule Singularity.Vector.Extension do
  @moduledoc false
  # pgvector's binary form: 16 bits dimensions, 16 bits unused, then one 32-bit float each.
  # Matched by its send function and not by name, which it shares with pgvecto.rs's type.
  @behaviour Postgrex.Extension

  @impl true
  def init(_opts), do: nil

  @impl true
  def matching(_state), do: [send: "vector_send"]

  @impl true
  def format(_state), do: :binary

  @impl true
  def encode(_state) do
    quote do
      list when is_list(list) ->
        dimensions = length(list)
        floats = for number <- list, into: <<>>, do: <<number::float-32>>
        [<<4 + 4 * dimensions::signed-32, dimensions::unsigned-16, 0::16>> | floats]
    end
  end

  @impl true
  def decode(_state) do
    quote do
      <<_size::signed-32, dimensions::unsigned-16, 0::16, floats::binary-size(dimensions)-unit(32)>> ->
        for <<number::float-32 <- floats>>, do: number
    end
  end
end

Postgrex.Types.define(
  Singularity.PostgrexTypes,
  [Singularity.Vector.Extension | Ecto.Adapters.Postgres.extensions()]
)
