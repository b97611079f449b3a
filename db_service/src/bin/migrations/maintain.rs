//! `maintain`: its options.

use std::time::Duration;

use db_service::maintenance::Terms;

use crate::stats::time;

#[derive(Clone, Copy, Debug, clap::Args)]
pub(crate) struct Maintain {
    /// Delete rows of `rag_performance_stats` that are older
    #[arg(long, value_name = "TIME", default_value = "90d", value_parser = time)]
    keep_statistics: Duration,
    /// Empty the oldest of the three generations of cached results so often
    #[arg(long, value_name = "TIME", default_value = "1h", value_parser = time)]
    rotate_results: Duration,
    /// Show what is due, and do nothing; exit code 3 if there is something
    #[arg(long)]
    pub(crate) dry_run: bool,
}

impl Maintain {
    pub(crate) fn terms(self) -> Terms {
        Terms { statistics: self.keep_statistics, results: self.rotate_results, is_dry: self.dry_run }
    }
}
