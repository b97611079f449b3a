defmodule Singularity.Repo.Migrations.AddRagCache do
  @moduledoc """
  Runs FIRST, before every other migration.

  Ecto's version is the leading number of the file name: this one is 20251005, smaller than any with 14
  digits. Databases have recorded it, so the name stays; the migration therefore touches no other table
  and creates the extension that all vector columns need.

  Rolling back leaves the extension, which may have been there before and may have other users.
  """
  use Ecto.Migration

  def change do
    execute "CREATE EXTENSION IF NOT EXISTS vector WITH SCHEMA public", ""

    # Each hit updates counters: see the note on fillfactor in create_framework_patterns.
    create table(:llm_semantic_cache,
             options: "WITH (fillfactor = 80)",
             comment: "Answers of language models, found by prompt hash or by a prompt close in meaning"
           ) do
      add :namespace, :text,
        null: false,
        comment: "Whatever an answer depends on: prompt template, settings, repositories and their versions"

      add :model, :text, null: false
      add :prompt, :text, null: false
      add :prompt_hash, :binary, null: false, comment: "SHA-256 of the normalised prompt"
      add :prompt_embedding, :"public.vector(768)", null: false
      add :response, :text, null: false
      add :prompt_tokens, :integer, null: false, default: 0
      add :response_tokens, :integer, null: false, default: 0
      add :cost_usd, :decimal, precision: 12, scale: 6, null: false, default: 0, comment: "Saved by each hit"
      add :hit_count, :bigint, null: false, default: 0
      add :last_hit_at, :timestamptz
      add :expires_at, :timestamptz, comment: "Null: never"
      add :metadata, :map, null: false, default: %{}

      timestamps(type: :timestamptz, default: fragment("now()"))
    end

    create unique_index(:llm_semantic_cache, [:namespace, :prompt_hash])
    create index(:llm_semantic_cache, [:model])
    create index(:llm_semantic_cache, [:expires_at])
    create index(:llm_semantic_cache, [:metadata], using: :gin)

    create index(:llm_semantic_cache, ["prompt_embedding public.vector_cosine_ops"],
             name: :llm_semantic_cache_prompt_embedding_index,
             using: :hnsw,
             options: "m = 16, ef_construction = 64"
           )

    create constraint(:llm_semantic_cache, :llm_semantic_cache_prompt_hash_check,
             check: "octet_length(prompt_hash) = 32"
           )

    create constraint(:llm_semantic_cache, :llm_semantic_cache_cost_usd_check, check: "cost_usd >= 0")

    # The primary key holds the time, or the table could not become a hypertable.
    create table(:rag_performance_stats,
             primary_key: false,
             comment: "One row for each measured query; append-only"
           ) do
      add :id, :bigserial, primary_key: true
      add :inserted_at, :timestamptz, primary_key: true, default: fragment("now()")
      add :query_type, :text, null: false
      add :repo_name, :text, comment: "Null: across all repositories"
      add :execution_time_ms, :float, null: false
      add :rows_returned, :integer, null: false, default: 0
      add :cache_hit, :boolean, null: false, default: false
    end

    create index(:rag_performance_stats, [:inserted_at])
    create index(:rag_performance_stats, [:query_type, :inserted_at])
    create index(:rag_performance_stats, [:repo_name, :inserted_at])

    create constraint(:rag_performance_stats, :rag_performance_stats_execution_time_ms_check,
             check: "execution_time_ms >= 0"
           )
  end
end
