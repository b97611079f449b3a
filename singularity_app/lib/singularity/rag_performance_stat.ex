defmodule Singularity.RagPerformanceStat do
  @moduledoc "One measured query; append-only. The primary key is `(id, inserted_at)`, as a hypertable needs."
  use Ecto.Schema
  import Ecto.Changeset

  @primary_key {:id, :id, autogenerate: true}
  schema "rag_performance_stats" do
    field :query_type, :string
    field :repo_name, :string
    field :execution_time_ms, :float
    field :rows_returned, :integer, default: 0
    field :cache_hit, :boolean, default: false

    timestamps(type: :utc_datetime_usec, updated_at: false)
  end

  def changeset(stat, attrs) do
    stat
    |> cast(attrs, [:query_type, :repo_name, :execution_time_ms, :rows_returned, :cache_hit])
    |> validate_required([:query_type, :execution_time_ms])
    |> validate_number(:execution_time_ms, greater_than_or_equal_to: 0)
  end
end
