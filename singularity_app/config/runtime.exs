import Config

# The only place that reads DATABASE_URL.
url =
  case {System.get_env("DATABASE_URL", ""), config_env()} do
    {"", :prod} ->
      raise """
      environment variable DATABASE_URL is missing or empty
      Set it, for example to postgres://user:password@host:5432/singularity?ssl=true
      """

    {"", env} ->
      "postgres://postgres:postgres@127.0.0.1:5432/singularity_#{env}"

    {url, _env} ->
      url
  end

uri = URI.parse(url)

# Ecto's own error for a malformed URL prints it, password and all.
if is_nil(uri.host) or not String.match?(uri.path || "", ~r"^/[^/]+$") do
  raise "DATABASE_URL must look like postgres://user:password@host:5432/database"
end

query = URI.decode_query(uri.query || "")

# Ecto ignores libpq's `sslmode`: the connection would silently be plaintext where TLS was asked for.
if query["sslmode"] in ["require", "verify-ca", "verify-full"] and query["ssl"] != "true" do
  raise """
  DATABASE_URL asks for sslmode=#{query["sslmode"]}, which Ecto does not understand
  Write ssl=true instead: it encrypts and verifies the server's certificate and name.
  """
end

config :singularity, Singularity.Repo,
  url: url,
  # `cargo xtask db-setup` sets it, to tell the sessions of a migration that was killed from those of the application.
  parameters: [application_name: System.get_env("DATABASE_APPLICATION_NAME", "singularity")],
  # At least 2: a migration holds its lock on one connection and runs on another.
  pool_size: String.to_integer(System.get_env("POOL_SIZE", "10"))
