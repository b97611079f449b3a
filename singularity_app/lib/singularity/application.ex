defmodule Singularity.Application do
  @moduledoc false
  use Application

  @impl true
  def start(_type, _args) do
    Supervisor.start_link([Singularity.Repo], strategy: :one_for_one, name: Singularity.Supervisor)
  end
end
