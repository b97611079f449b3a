defmodule Singularity.MixProject do
  use Mix.Project

  def project do
    [
      app: :singularity,
      version: "0.1.0",
      elixir: "~> 1.15",
      start_permanent: Mix.env() == :prod,
      aliases: aliases(),
      deps: deps(),
      releases: [singularity: [include_executables_for: [:unix]]]
    ]
  end

  def application do
    [
      mod: {Singularity.Application, []},
      extra_applications: [:logger, :crypto]
    ]
  end

  defp deps do
    [
      {:ecto_sql, "~> 3.14"},
      {:postgrex, "~> 0.22"},
      {:jason, "~> 1.4"}
    ]
  end

  # No ecto.setup or ecto.reset: `cargo xtask db-setup` runs Ecto as one of three layers.
  # The tests read files only, so they need no database.
  defp aliases do
    [test: "test --no-start"]
  end
end
