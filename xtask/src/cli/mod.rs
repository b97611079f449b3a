//! The command line.

mod bench;
mod server;

use std::path::PathBuf;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, Parser, Subcommand, ValueEnum};
use database::environment::Environment;
use relayout::Budget;
use terminal::completions::Shell;

pub(crate) use bench::{
    Bench, CacheOptions, DedupOptions, IngestOptions, RelayoutOptions, SearchOptions, SourceOptions, StatsOptions,
};
pub(crate) use server::{ServerKind, ServerOptions};

/// Development tools of Singularity's database
///
/// Results go to stdout, progress to stderr.
///
/// Exit codes: 0 done or nothing to do, 1 failed, 2 usage, 3 pending work (`--dry-run`, `db-status`), 4 a rule is broken,
/// 130 interrupted.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", version)]
pub(crate) struct Cli {
    /// Project folder; default: the nearest folder upwards that holds `singularity_app` and `migrations`
    #[arg(long, global = true, value_name = "FOLDER")]
    pub(crate) project: Option<PathBuf>,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Set up the databases: server and extensions, then Ecto's schema, then the performance layer
    DbSetup(SetupOptions),
    /// Show every database, layer by layer: what there is, what is pending, and jobs on their way; reads only
    DbStatus(StatusOptions),
    /// The development server
    #[command(subcommand)]
    DbServer(ServerCommand),
    /// Write `structure.sql`, the dump of what Ecto's migrations make
    DbStructure(StructureOptions),
    /// Remove what was fetched, the embedded PostgreSQL; a server that runs from it keeps it
    CleanCache(CleanOptions),
    /// Run all tests, on every kind of server that can be had here
    Test(TestOptions),
    /// Run the checks of continuous integration that are no tests: structure, formatting, lints, documentation, queries
    Ci,
    /// Measure, side by side with what one would do without this tool
    #[command(subcommand)]
    Bench(Bench),
    /// Print what a shell has to read to complete `cargo xtask`: `source <(cargo xtask completions bash)`
    Completions {
        /// The shell
        shell: Shell,
    },
}

#[derive(Clone, Debug, Args)]
pub(crate) struct SetupOptions {
    /// Show what would be done and change nothing; exit code 3 if there is something
    #[arg(long)]
    pub(crate) dry_run: bool,
    #[command(flatten)]
    pub(crate) output: Output,
    /// Layers to set up, always in this order
    #[arg(long, value_enum, value_delimiter = ',', default_values_t = Layer::ALL)]
    pub(crate) layers: Vec<Layer>,
    /// Load a small corpus as well, so that there is something to search: this project's own sources, into `singularity_dev`
    ///
    /// With the URL of a database: into that one, unless it is marked as `prod`.
    #[arg(long)]
    pub(crate) seed: bool,
    #[command(flatten)]
    pub(crate) server: ServerOptions,
    /// Extensions to insist on, by their SQL names (`vector,vectors,timescaledb`)
    ///
    /// `vector` is always required; the others are installed where the server offers them.
    #[arg(long, value_delimiter = ',', value_name = "EXTENSIONS")]
    pub(crate) require: Vec<String>,
    /// How Ecto's schema comes about
    #[arg(long, value_enum, default_value_t = EctoMode::Auto)]
    pub(crate) ecto: EctoMode,
    /// Shell command that runs Ecto's migrations in place of mix; gets `DATABASE_URL`
    ///
    /// For a release: `bin/singularity eval "Singularity.Release.migrate()"`.
    #[arg(long, value_name = "COMMAND", conflicts_with = "ecto")]
    pub(crate) ecto_command: Option<String>,
    /// What the database is for; written into it
    ///
    /// Default: dev and test for the development databases, prod for any other that has no mark yet.
    #[arg(long, value_parser = environment())]
    pub(crate) environment: Option<Environment>,
    /// Convert tables of any size into their layout; without it, those of more than 1 GiB are left out
    #[arg(long)]
    pub(crate) yes: bool,
    /// Memory for all index builds together; an HNSW graph that does not fit its share is built many times slower
    #[arg(long, value_name = "MEGABYTES", default_value_t = Budget::MODEST.megabytes)]
    pub(crate) index_memory: u32,
    /// How long to wait for another set-up of the same database
    #[arg(long, value_name = "SECONDS", default_value_t = 600)]
    pub(crate) lock_timeout: u64,
}

impl SetupOptions {
    /// All layers, by whatever does them here.
    pub(crate) fn everything(server: ServerOptions) -> Self {
        Self {
            dry_run: false,
            output: Output::default(),
            layers: Layer::ALL.to_vec(),
            seed: false,
            server,
            require: Vec::new(),
            ecto: EctoMode::Auto,
            ecto_command: None,
            environment: None,
            yes: false,
            index_memory: Budget::MODEST.megabytes,
            lock_timeout: 600,
        }
    }
}

#[derive(Clone, Debug, Args)]
pub(crate) struct StatusOptions {
    #[command(flatten)]
    pub(crate) output: Output,
    /// Look again and again, until Ctrl-C: what a job that moves rows has done, how fast, and how long it will take
    #[arg(long, conflicts_with = "json")]
    pub(crate) watch: bool,
    /// With `--watch`: how often
    #[arg(long, value_name = "SECONDS", default_value_t = 2, requires = "watch", value_parser = clap::value_parser!(u64).range(1..=3600))]
    pub(crate) interval: u64,
    #[command(flatten)]
    pub(crate) server: ServerOptions,
}

/// How the outcome is told.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct Output {
    /// Print the outcome as JSON on stdout
    #[arg(long)]
    pub(crate) json: bool,
    /// Give every object a line of its own, also those that were unchanged or loaded
    #[arg(long, short)]
    pub(crate) verbose: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub(crate) enum Layer {
    /// Databases and extensions
    Bootstrap,
    /// The schema
    Ecto,
    /// The performance layer
    Sqlx,
}

impl Layer {
    /// All of them, in their order.
    pub(crate) const ALL: [Self; 3] = [Self::Bootstrap, Self::Ecto, Self::Sqlx];

    /// As people type it, and as steps name it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Bootstrap => "bootstrap",
            Self::Ecto => "ecto",
            Self::Sqlx => "sqlx",
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum EctoMode {
    /// mix where it is installed; else, for an empty database, `structure.sql`
    Auto,
    /// `mix ecto.migrate`
    Migrate,
    /// `structure.sql` into an empty database
    Load,
}

/// One of the marks that a database can have.
fn environment() -> impl TypedValueParser<Value = Environment> {
    PossibleValuesParser::new(Environment::ALL.map(Environment::name)).try_map(|name| name.parse())
}

#[derive(Debug, Subcommand)]
pub(crate) enum ServerCommand {
    /// Start it, or say that it runs
    Start {
        /// Where the server comes from
        #[arg(long, value_enum, default_value_t = ServerKind::Auto)]
        server: ServerKind,
        /// Port on 127.0.0.1; default: one that belongs to this project folder
        #[arg(long)]
        port: Option<u16>,
    },
    /// Stop it; its data stays
    Stop,
    /// Whether it runs; exit code 3 if not
    Status {
        /// Print the outcome as JSON on stdout
        #[arg(long)]
        json: bool,
    },
    /// Print its URL, with the password, for psql, sqlx and Ecto
    Url {
        /// Database at the end of the URL
        #[arg(default_value = "singularity_dev")]
        database: String,
    },
    /// Open psql on it
    Psql {
        /// Database to open
        #[arg(default_value = "singularity_dev")]
        database: String,
        /// Arguments for psql
        #[arg(last = true)]
        arguments: Vec<String>,
    },
    /// Drop one of its databases with everything in it, so that `db-setup` makes it anew
    Reset(ResetOptions),
    /// Print the end of its log, also when it does not run
    Logs {
        /// Number of lines
        #[arg(long, default_value_t = 100)]
        lines: u32,
        /// Go on printing what comes
        #[arg(long, short)]
        follow: bool,
    },
}

#[derive(Debug, Args)]
pub(crate) struct ResetOptions {
    /// Database to drop; one that is marked as production, or not at all, is refused
    #[arg(default_value = "singularity_dev")]
    pub(crate) database: String,
    /// Show what would be done and change nothing; exit code 3 if there is something
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Agree beforehand: nothing is asked
    #[arg(long)]
    pub(crate) yes: bool,
}

#[derive(Debug, Args)]
pub(crate) struct CleanOptions {
    /// Show what would be done and change nothing; exit code 3 if there is something
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Print the outcome as JSON on stdout
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct StructureOptions {
    /// Compare with the committed file instead of writing it; exit code 4 if they differ
    #[arg(long)]
    pub(crate) check: bool,
    #[command(flatten)]
    pub(crate) server: ServerOptions,
}

#[derive(Debug, Args)]
pub(crate) struct TestOptions {
    /// Only tests whose name contains this text
    pub(crate) filter: Option<String>,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        Cli::command().debug_assert();
    }
}
