//! `filters`: its options, and how it shows the filter of contents.

use std::fmt::Write as _;
use std::time::Duration;

use database::Worker;
use db_service::dedup::{self, Measured};
use db_service::subject::filters::{self, Filter};
use ledger::migrate::LedgerState;
use ledger::migration::LAYER;
use relayout::layout::Bytes;
use serde_json::json;
use sqlx::PgConnection;
use terminal::elapsed::Elapsed;
use terminal::step::{Status, Step};

use crate::problem::Problem;
use crate::search::Found;
use crate::work::Waiting;

#[derive(Clone, Copy, Debug, clap::Args)]
pub(crate) struct Filters {
    /// Have it built and kept from now on: two triggers more on `code_files` and its leaves
    #[arg(long, conflicts_with_all = ["off", "rebuild"])]
    on: bool,
    /// Have it dropped, with its triggers
    #[arg(long, conflicts_with = "rebuild")]
    off: bool,
    /// Have it built anew from the table, while that is in use
    #[arg(long)]
    rebuild: bool,
    #[command(flatten)]
    pub(crate) waiting: Waiting,
}

/// What is to be done about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wish {
    On,
    Off,
    Rebuild,
}

impl Filters {
    /// None: it is only looked at.
    pub(crate) fn wish(self) -> Option<Wish> {
        match self {
            Self { on: true, .. } => Some(Wish::On),
            Self { off: true, .. } => Some(Wish::Off),
            Self { rebuild: true, .. } => Some(Wish::Rebuild),
            _ => None,
        }
    }

    /// Shows what there is. Reads only.
    pub(crate) async fn show(
        connection: &mut PgConnection,
        ledger: &LedgerState,
        database: &str,
    ) -> Result<Found, Problem> {
        let filter = read(connection, ledger, database).await?;
        let (step, text) = match dedup::measure(connection).await {
            Ok(measured) => (step_of(database, &filter, &measured), text_of(&filter, &measured)),
            Err(dedup::Error::Off) => {
                (off(database, Status::LeftOut).remedy(SWITCHED_ON), format!("{OFF}; {SWITCHED_ON}"))
            }
            Err(error @ (dedup::Error::NotBuilt | dedup::Error::NotKept { .. })) => {
                (pending(database, &error), error.to_string())
            }
            Err(error) => return Err(db_service::Error::from(error).into()),
        };
        Ok(Found { steps: vec![step], text })
    }
}

impl Wish {
    /// Declares it; converging brings it about.
    pub(crate) async fn declare(
        self,
        worker: &mut Worker,
        ledger: &LedgerState,
        database: &str,
    ) -> Result<(), Problem> {
        let filter = read(worker, ledger, database).await?;
        match self {
            Self::On => filters::want(worker, true, database).await?,
            Self::Off if filter.is_wanted => filters::want(worker, false, database).await?,
            Self::Off => {}
            Self::Rebuild if filter.is_wanted => filters::forget(worker, database).await?,
            Self::Rebuild => return Err(db_service::Error::from(dedup::Error::Off).into()),
        }
        Ok(())
    }
}

/// How it is where nothing was done about it.
pub(crate) async fn as_it_is(
    connection: &mut PgConnection,
    ledger: &LedgerState,
    database: &str,
) -> Result<Step, Problem> {
    let filter = read(connection, ledger, database).await?;
    Ok(if !filter.is_wanted {
        off(database, Status::Unchanged)
    } else if filter.is_kept && filter.is_built {
        step(database, Status::Unchanged)
    } else {
        pending(database, &dedup::Error::NotBuilt)
    })
}

async fn read(connection: &mut PgConnection, ledger: &LedgerState, database: &str) -> Result<Filter, Problem> {
    let filter = filters::read(connection, ledger, database).await?;
    filter.ok_or_else(|| Problem::NoLayer { database: database.to_owned() })
}

const OFF: &str = "no filter of contents is kept, and nothing is paid for it";
const SWITCHED_ON: &str = "`migrations filters --on` has one built and kept";

fn off(database: &str, status: Status) -> Step {
    step(database, status).detail(OFF)
}

fn pending(database: &str, error: &dedup::Error) -> Step {
    let remedy = "`migrations` brings it about, once `code_files` is in leaves";
    step(database, Status::Pending).detail(error.to_string()).remedy(remedy)
}

fn step_of(database: &str, filter: &Filter, measured: &Measured) -> Step {
    let Measured { keys, capacity, bytes, fill, estimated, measured } = measured;
    let facts = json!({
        "contents": keys, "capacity": capacity, "bytes": bytes, "fill": fill,
        "false_positives": { "estimated": estimated, "measured": measured },
        "age_seconds": filter.age, "log": { "statements": filter.entries, "contents": filter.logged },
    });
    step(database, Status::Found).facts(facts)
}

fn text_of(filter: &Filter, measured: &Measured) -> String {
    let Measured { keys, capacity, bytes, fill, estimated, measured } = measured;
    let mut text = format!("{keys} contents, room for {capacity}, in {}", Bytes(*bytes));
    let age = Elapsed(Duration::from_secs(filter.age.unwrap_or_default()));
    // A String takes whatever is written to it.
    let _ = write!(
        text,
        ": {:.0} % of its bits are set\n\
         unknown contents that it takes for known: {:.3} % by its bits, {:.3} % of a million that were made up\n\
         built or folded {age} ago; since then {} contents were written by {} statements",
        100.0 * fill,
        100.0 * estimated,
        100.0 * measured,
        filter.logged,
        filter.entries,
    );
    text
}

fn step(database: &str, status: Status) -> Step {
    Step::new(database, LAYER, "filter", "code_files", status)
}
