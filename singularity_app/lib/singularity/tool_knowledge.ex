defmodule Singularity.ToolKnowledge do
  @moduledoc "A tool of an MCP server, and how to call it."
  use Ecto.Schema
  import Ecto.Changeset

  schema "tool_knowledge" do
    field :server_name, :string
    field :tool_name, :string
    field :description, :string
    field :input_schema, :map, default: %{}
    field :embedding, Singularity.Vector, load_in_query: false
    field :metadata, :map, default: %{}

    timestamps(type: :utc_datetime_usec)
  end

  @required [:server_name, :tool_name, :description]

  def changeset(tool, attrs) do
    tool
    |> cast(attrs, [:input_schema, :embedding, :metadata | @required])
    |> validate_required(@required)
    |> unique_constraint([:server_name, :tool_name])
  end
end
