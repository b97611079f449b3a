defmodule Singularity.Release do
  @moduledoc """
  Migrations where there is no Mix, as in a release:

      bin/singularity eval "Singularity.Release.migrate()"
      bin/singularity eval "Singularity.Release.rollback(Singularity.Repo, 20251005030000)"
  """
  @app :singularity

  @doc "Runs every pending migration of every repository; raises on the first that fails."
  def migrate do
    load_app()

    for repo <- Application.fetch_env!(@app, :ecto_repos) do
      {:ok, _, _} = Ecto.Migrator.with_repo(repo, &Ecto.Migrator.run(&1, :up, all: true))
    end
  end

  @doc "Rolls `repo` back to before `version`, which is rolled back too."
  def rollback(repo, version) do
    load_app()
    {:ok, _, _} = Ecto.Migrator.with_repo(repo, &Ecto.Migrator.run(&1, :down, to: version))
  end

  defp load_app do
    # Loaded, not started: nothing but the repository may run while the schema is behind the code.
    :ok = Application.ensure_loaded(@app)
  end
end
