defmodule Singularity.FrameworkPattern do
  @moduledoc "How a framework is recognised in a repository, how it is run, and how often that was right."
  use Ecto.Schema
  import Ecto.Changeset

  schema "framework_patterns" do
    field :framework_name, :string
    field :framework_type, :string
    field :version_pattern, :string, default: "*"
    field :file_patterns, {:array, :string}, default: []
    field :directory_patterns, {:array, :string}, default: []
    field :commands, :map, default: %{}
    field :confidence_weight, :float, default: 1.0
    field :detection_count, :integer, default: 0
    field :success_count, :integer, default: 0
    field :last_detected_at, :utc_datetime_usec
    field :embedding, Singularity.Vector, load_in_query: false
    field :metadata, :map, default: %{}

    timestamps(type: :utc_datetime_usec)
  end

  @required [:framework_name, :framework_type]
  @optional [
    :version_pattern,
    :file_patterns,
    :directory_patterns,
    :commands,
    :confidence_weight,
    :embedding,
    :metadata
  ]

  @doc "The counters are not cast: they are changed by atomic increments only."
  def changeset(pattern, attrs) do
    pattern
    |> cast(attrs, @required ++ @optional)
    |> validate_required(@required)
    |> validate_number(:confidence_weight, greater_than_or_equal_to: 0, less_than_or_equal_to: 1)
    |> unique_constraint([:framework_name, :framework_type, :version_pattern],
      name: :framework_patterns_name_type_version_index
    )
  end
end
