defmodule Singularity.Repo.Migrations.CreateFrameworkPatterns do
  use Ecto.Migration

  # The counters change with every detection. Room in each page keeps those updates heap-only: otherwise
  # each one would insert the row's vector into the HNSW index again. So never index a counter here.
  def change do
    create table(:framework_patterns,
             options: "WITH (fillfactor = 80)",
             comment: "How frameworks are recognised and run, and how often that was right"
           ) do
      add :framework_name, :text, null: false
      add :framework_type, :text, null: false, comment: "backend, frontend, build_tool, database, ..."
      add :version_pattern, :text, null: false, default: "*", comment: "Versions it applies to; * for any"
      add :file_patterns, {:array, :text}, null: false, default: [], comment: "Globs of telltale files"
      add :directory_patterns, {:array, :text}, null: false, default: [], comment: "Globs of telltale folders"
      add :commands, :map, null: false, default: %{}, comment: ~s(By purpose: {"test": "mix test", ...})
      add :confidence_weight, :float, null: false, default: 1.0, comment: "Weight of a match, 0 to 1"
      add :detection_count, :bigint, null: false, default: 0
      add :success_count, :bigint, null: false, default: 0, comment: "Detections later found right"
      add :last_detected_at, :timestamptz
      add :embedding, :"public.vector(768)", comment: "Null until computed"
      add :metadata, :map, null: false, default: %{}

      timestamps(type: :timestamptz, default: fragment("now()"))
    end

    # Named by hand: the name that Ecto makes is longer than PostgreSQL's 63 bytes.
    create unique_index(:framework_patterns, [:framework_name, :framework_type, :version_pattern],
             name: :framework_patterns_name_type_version_index
           )

    create index(:framework_patterns, [:framework_type])
    create index(:framework_patterns, [:file_patterns], using: :gin)
    create index(:framework_patterns, [:directory_patterns], using: :gin)
    create index(:framework_patterns, [:commands], using: :gin)
    create index(:framework_patterns, [:metadata], using: :gin)

    create index(:framework_patterns, ["embedding public.vector_cosine_ops"],
             name: :framework_patterns_embedding_index,
             using: :hnsw,
             options: "m = 16, ef_construction = 64"
           )

    create constraint(:framework_patterns, :framework_patterns_confidence_weight_check,
             check: "confidence_weight BETWEEN 0 AND 1"
           )

    create constraint(:framework_patterns, :framework_patterns_success_count_check,
             check: "success_count BETWEEN 0 AND detection_count"
           )
  end
end
