//! `bench`: this tool against the same work by hand, measured in one run on one server. The ratio is the result.

mod load;
mod noop;
mod offline;
mod outcome;
mod relayout;
mod watch;

use std::time::Duration;

use db_service::Exit;
use db_service::console::Console;

use crate::cli::Bench;
use crate::error::Error;
use crate::project::Project;

pub(crate) fn run(bench: &Bench, project: &Project, console: &Console) -> Result<Exit, Error> {
    match bench {
        Bench::Noop { runs, json } => noop::run(*runs, *json, project, console),
        Bench::Relayout(options) => relayout::run(options, project, console),
    }
}

fn median(times: &mut [Duration]) -> Duration {
    times.sort();
    times.get(times.len() / 2).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_the_one_in_the_middle() {
        let mut times = [5, 1, 9].map(Duration::from_millis);
        assert_eq!(median(&mut times), Duration::from_millis(5));
        assert_eq!(median(&mut []), Duration::ZERO);
    }
}
