defmodule Singularity.Repo do
  @moduledoc "The PostgreSQL database. Its whole logical schema comes from `priv/repo/migrations`."
  use Ecto.Repo, otp_app: :singularity, adapter: Ecto.Adapters.Postgres
end
