//! The command line.

use std::time::Duration;

use clap::{Parser, Subcommand};
use relayout::{Budget, Engine};

use crate::create_index::CreateIndex;
use crate::layout::{Declare, Merge, Revert, Split};

/// Brings the performance layer of Singularity's database up to date
///
/// Without a command: checks that Ecto's migrations are all applied, applies the layer's own, then brings the tables into
/// the layouts that these declare, while the tables are in use. Runs again at no cost
/// and may be killed at any moment; the next run finishes the work.
///
/// Exit codes: 0 done or nothing to do, 1 failed, 2 usage, 3 pending work (`plan`), 4 a rule is broken, 130
/// interrupted.
///
/// Bash completes it after `source <(MIGRATIONS_COMPLETE=bash migrations)`, Zsh the same with its name, fish after
/// `MIGRATIONS_COMPLETE=fish migrations | source`.
#[derive(Debug, Parser)]
#[command(name = "migrations", version)]
pub(crate) struct Options {
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
    #[command(flatten)]
    pub(crate) common: Common,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Common {
    /// Database to work on, `postgres://user:password@host:5432/database`; default: what the variable `DATABASE_URL` holds
    #[arg(long, global = true, value_name = "URL")]
    pub(crate) database_url: Option<String>,
    /// Print the outcome as JSON on stdout
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// Do not ask, and convert tables of any size; without it, those of more than 1 GiB are left out
    #[arg(long, global = true)]
    pub(crate) yes: bool,
    /// How long to wait for another runner
    #[arg(long, global = true, value_name = "SECONDS", default_value_t = 600)]
    pub(crate) lock_timeout: u64,
    /// Connections that copy rows and build indexes side by side
    #[arg(long, global = true, value_name = "COUNT", default_value_t = Budget::MODEST.jobs)]
    pub(crate) jobs: usize,
    /// Memory for all index builds together; an HNSW graph that does not fit its share is built many times slower
    #[arg(long, global = true, value_name = "MEGABYTES", default_value_t = Budget::MODEST.megabytes)]
    pub(crate) index_memory: u32,
    /// What is free on the server's disk, which SQL does not show; a table that needs more is refused
    #[arg(long, global = true, value_name = "GB")]
    pub(crate) free_disk: Option<u64>,
    /// How long to wait for transactions that are older than the copied rows, and then for those that are older than the swap
    #[arg(long, global = true, value_name = "SECONDS", default_value_t = Engine::PATIENCE.as_secs())]
    pub(crate) patience: u64,
    /// How long a writer may be made to sleep after each row, if rows change faster than they can be copied; 0 forbids it
    #[arg(long, global = true, value_name = "MILLISECONDS", default_value_t = 50, value_parser = clap::value_parser!(u64).range(..=1000))]
    pub(crate) brake: u64,
}

impl Common {
    pub(crate) fn budget(&self) -> Budget {
        Budget { jobs: self.jobs, megabytes: self.index_memory, brake: Duration::from_millis(self.brake) }
    }

    pub(crate) fn lock_timeout(&self) -> Duration {
        Duration::from_secs(self.lock_timeout)
    }

    pub(crate) fn free_disk_bytes(&self) -> Option<u64> {
        self.free_disk.map(|gigabytes| gigabytes.saturating_mul(1_000_000_000))
    }
}

#[derive(Clone, Debug, Subcommand)]
pub(crate) enum Command {
    /// Show what a run would do; exit code 3 if there is something
    Plan,
    /// Show the ledgers, and the layout that is wanted and is there
    Status,
    /// Check that layouts, indexes and the leftovers of unfinished work are as they should be; exit code 4 if not
    Verify,
    /// Show the layout of every table, or bring one table into another, while it is in use
    ///
    /// Without `--table`: the layout that is wanted, and the one that there is; exit code 3 if they differ.
    Layout(Declare),
    /// Split leaves that hold too many rows, while they are in use
    ///
    /// Without `--leaf`: those that hold more than twice what `db_service.layout_policy` says.
    Split(Split),
    /// Make one leaf of several again, while they are in use
    Merge(Merge),
    /// Build an index beside the writers, also on a partitioned table, where `concurrently: true` is refused
    ///
    /// For the index of an Ecto migration that says `create_if_not_exists index(…)`: build it first, then deploy that.
    CreateIndex(CreateIndex),
    /// Make plain tables of partitioned ones again, while they are in use; no row is lost
    Revert(Revert),
}

impl Command {
    /// It works on what the layer has declared.
    pub(crate) fn needs_layer(&self) -> bool {
        matches!(self, Self::Verify | Self::Layout(_) | Self::Split(_) | Self::Merge(_) | Self::Revert(_))
    }

    /// It changes the database. To plan an index, an empty temporary table is made.
    pub(crate) fn writes(&self) -> bool {
        match self {
            Self::Plan | Self::Status | Self::Verify => false,
            Self::Layout(Declare { choice, table, .. }) => table.is_some() && !choice.dry_run,
            Self::Split(Split { choice, .. })
            | Self::Merge(Merge { choice, .. })
            | Self::Revert(Revert { choice, .. }) => !choice.dry_run,
            Self::CreateIndex(_) => true,
        }
    }

    pub(crate) fn name(command: Option<&Self>) -> &'static str {
        match command {
            None => "migrations",
            Some(Self::Plan) => "migrations plan",
            Some(Self::Status) => "migrations status",
            Some(Self::Verify) => "migrations verify",
            Some(Self::Layout(_)) => "migrations layout",
            Some(Self::Split(_)) => "migrations split",
            Some(Self::Merge(_)) => "migrations merge",
            Some(Self::CreateIndex(_)) => "migrations create-index",
            Some(Self::Revert(_)) => "migrations revert",
        }
    }
}
