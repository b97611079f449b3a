defmodule Singularity.Repo.Migrations.CreateToolKnowledge do
  use Ecto.Migration

  def change do
    create table(:tool_knowledge, comment: "Tools of MCP servers, found by meaning") do
      add :server_name, :text, null: false
      add :tool_name, :text, null: false
      add :description, :text, null: false
      add :input_schema, :map, null: false, default: %{}, comment: "JSON Schema of the arguments"
      add :embedding, :"public.vector(768)", comment: "Of name and description; null until computed"
      add :metadata, :map, null: false, default: %{}

      timestamps(type: :timestamptz, default: fragment("now()"))
    end

    create unique_index(:tool_knowledge, [:server_name, :tool_name])
    create index(:tool_knowledge, [:tool_name])
    create index(:tool_knowledge, [:input_schema], using: :gin)
    create index(:tool_knowledge, [:metadata], using: :gin)

    create index(:tool_knowledge, ["embedding public.vector_cosine_ops"],
             name: :tool_knowledge_embedding_index,
             using: :hnsw,
             options: "m = 16, ef_construction = 64"
           )
  end
end
