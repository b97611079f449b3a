//! `calibrate`: its options, and how it shows what it measured.

use db_service::search::{self, Calibrated};
use ledger::migration::LAYER;
use serde_json::json;
use sqlx::PgConnection;
use terminal::activity::Watcher;
use terminal::step::{Status, Step};

use crate::problem::Problem;

#[derive(Clone, Copy, Debug, clap::Args)]
pub(crate) struct Calibrate {
    /// Search for so many vectors, made of stored ones; each is compared with every row once
    #[arg(long, value_name = "NUMBER", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    searches: u32,
}

impl Calibrate {
    pub(crate) async fn run(
        self,
        connection: &mut PgConnection,
        database: &str,
        watcher: &dyn Watcher,
    ) -> Result<Vec<Step>, Problem> {
        let calibrated = search::calibrate(connection, self.searches, watcher).await?;
        if calibrated.is_empty() {
            let none = Step::new(database, LAYER, "recall", "all", Status::LeftOut);
            return Ok(vec![none.detail("every search is exact: no index is large enough to be asked")]);
        }
        Ok(calibrated.iter().map(|it| step(database, it)).collect())
    }
}

fn step(database: &str, calibrated: &Calibrated) -> Step {
    let Calibrated { way, recall, before, ef_search, measured } = calibrated;
    let status = if calibrated.is_changed() { Status::Set } else { Status::Unchanged };
    let change = if calibrated.is_changed() { format!("{before} to {ef_search}") } else { ef_search.to_string() };
    let short = if calibrated.is_reached() { "" } else { ", the most that this index can" };
    let setting = if way == "vchordrq" { "probes" } else { "ef_search" };
    let detail = format!("`{}` {setting} {change}: finds {measured:.3} of the nearest{short}", recall.name());
    let facts = json!({ "recall": recall.name(), "before": before, "ef_search": ef_search, "measured": measured });
    Step::new(database, LAYER, "recall", way, status).detail(detail).facts(facts)
}

#[cfg(test)]
mod tests {
    use db_service::search::Recall;

    use super::*;

    #[test]
    fn a_step_says_what_changed_and_what_is_found_now() {
        let set = Calibrated {
            way: "halfvec".into(),
            recall: Recall::Balanced,
            before: 120,
            ef_search: 80,
            measured: 0.9925,
        };
        let said = |it: &Calibrated| step("d", it).detail.unwrap();
        assert_eq!(said(&set), "`balanced` ef_search 120 to 80: finds 0.993 of the nearest");
        let lists = Calibrated { way: "vchordrq".into(), ..set.clone() };
        assert!(said(&lists).starts_with("`balanced` probes 120 to 80"));
        let same = Calibrated { before: 1000, ef_search: 1000, measured: 0.9, ..set };
        assert_eq!(said(&same), "`balanced` ef_search 1000: finds 0.900 of the nearest, the most that this index can");
        assert_eq!(step("d", &same).status, Status::Unchanged);
    }
}
