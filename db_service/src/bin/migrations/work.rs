//! The options of commands that do some work: how long to wait, with how much.

use std::time::Duration;

use relayout::{Budget, Engine};

/// What commands take that move rows.
#[derive(Clone, Copy, Debug, Default, clap::Args)]
pub(crate) struct Work {
    /// Do not ask, and convert tables of any size; without it, those of more than 1 GiB are left out
    #[arg(long)]
    pub(crate) yes: bool,
    #[command(flatten)]
    pub(crate) waiting: Waiting,
    #[arg(long, value_name = "COUNT", help = with_default("Connections that copy rows and build indexes side by side", Budget::MODEST.jobs))]
    jobs: Option<usize>,
    #[arg(long, value_name = "MEGABYTES", help = with_default("Memory for all index builds together; an HNSW graph that does not fit its share is built many times slower", Budget::MODEST.megabytes))]
    index_memory: Option<u32>,
    /// What is free on the server's disk, which SQL does not show; a table that needs more is refused
    #[arg(long, value_name = "GB")]
    free_disk: Option<u64>,
    #[arg(long, value_name = "SECONDS", help = with_default("How long to wait for transactions that are older than the copied rows, and then for those that are older than the swap", Engine::PATIENCE.as_secs()))]
    patience: Option<u64>,
    #[command(flatten)]
    pub(crate) braking: Braking,
}

/// What commands take that change the database.
#[derive(Clone, Copy, Debug, Default, clap::Args)]
pub(crate) struct Waiting {
    #[arg(long, value_name = "SECONDS", help = with_default("How long to wait for another runner", LOCK_TIMEOUT.as_secs()))]
    lock_timeout: Option<u64>,
}

/// How writers may be slowed down.
#[derive(Clone, Copy, Debug, Default, clap::Args)]
pub(crate) struct Braking {
    #[arg(long, value_name = "MILLISECONDS", value_parser = clap::value_parser!(u64).range(..=1000), help = with_default("How long a writer may be made to sleep after each row, if rows change faster than they can be copied; 0 forbids it", BRAKE.as_millis()))]
    brake: Option<u64>,
}

const LOCK_TIMEOUT: Duration = Duration::from_mins(10);
const BRAKE: Duration = Duration::from_millis(50);

/// One option may stand in two places, so that it is not clap that knows the default.
fn with_default(text: &str, value: impl std::fmt::Display) -> String {
    format!("{text} [default: {value}]")
}

impl From<Waiting> for Work {
    fn from(waiting: Waiting) -> Self {
        Self { waiting, ..Self::default() }
    }
}

impl From<Braking> for Work {
    fn from(braking: Braking) -> Self {
        Self { braking, ..Self::default() }
    }
}

impl Work {
    /// These, and those of `other` that are not among them.
    pub(crate) fn or(self, other: Self) -> Self {
        Self {
            yes: self.yes || other.yes,
            waiting: Waiting { lock_timeout: self.waiting.lock_timeout.or(other.waiting.lock_timeout) },
            jobs: self.jobs.or(other.jobs),
            index_memory: self.index_memory.or(other.index_memory),
            free_disk: self.free_disk.or(other.free_disk),
            patience: self.patience.or(other.patience),
            braking: Braking { brake: self.braking.brake.or(other.braking.brake) },
        }
    }

    pub(crate) fn budget(&self) -> Budget {
        Budget {
            jobs: self.jobs.unwrap_or(Budget::MODEST.jobs),
            megabytes: self.index_memory.unwrap_or(Budget::MODEST.megabytes),
            brake: self.braking.brake.map_or(BRAKE, Duration::from_millis),
        }
    }

    pub(crate) fn lock_timeout(&self) -> Duration {
        self.waiting.lock_timeout.map_or(LOCK_TIMEOUT, Duration::from_secs)
    }

    pub(crate) fn patience(&self) -> Duration {
        self.patience.map_or(Engine::PATIENCE, Duration::from_secs)
    }

    pub(crate) fn free_disk_bytes(&self) -> Option<u64> {
        self.free_disk.map(|gigabytes| gigabytes.saturating_mul(1_000_000_000))
    }
}
