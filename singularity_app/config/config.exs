import Config

config :singularity, ecto_repos: [Singularity.Repo]

config :singularity, Singularity.Repo,
  types: Singularity.PostgrexTypes,
  # The default, a table lock, is held in an open transaction and deadlocks with concurrent index builds.
  migration_lock: :pg_advisory_lock,
  # Ecto waits 5 s between two attempts; a waiting deploy should not.
  migration_advisory_lock_retry_interval_ms: 250,
  # Ecto's own default, and :utc_datetime_usec too, is `timestamp without time zone` in PostgreSQL.
  migration_timestamps: [type: :timestamptz]

# Ecto logs each query with its parameters at :debug: prompts, contents of files, vectors.
if config_env() == :prod, do: config(:logger, level: :info)
