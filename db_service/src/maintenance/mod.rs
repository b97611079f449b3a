//! What is due now and then: for cron, a timer, or whoever has just restarted the server.
//!
//! Every task says by itself whether something is due, so that a run at any time does what is, and a second one nothing. Tasks
//! take no lock that readers or writers wait for; two runs at once do the same work in shares. One that fails holds up no other.

mod access;
mod answers;
mod codes;
mod contract;
mod prewarm;
mod pruned;
mod results;
mod statistics;
mod versions;

use std::time::Instant;

use ledger::migration::LAYER;
use sqlx::PgConnection;
use terminal::activity::Watcher;
use terminal::step::{Status, Step};

use crate::error::Error;
use contract::{State, Task};

pub use contract::Terms;

/// In the order in which they are done: what searches wait for first.
const ORDER: [&dyn Task; 6] = [
    &versions::Versions,
    &codes::FreshCodes,
    &prewarm::Prewarm,
    &results::Results,
    &answers::Answers,
    &statistics::Statistics,
];

/// Does all that is due.
///
/// # Errors
/// The first of those that tasks have failed with, after all were tried.
pub async fn maintain(
    connection: &mut PgConnection,
    terms: &Terms,
    database: &str,
    watcher: &dyn Watcher,
    mut report: impl FnMut(Step),
) -> Result<(), Error> {
    let mut outcome = Ok(());
    for task in ORDER {
        match run(task, connection, terms, database, watcher).await {
            Ok(step) => report(step),
            Err(error) if outcome.is_ok() => outcome = Err(error),
            Err(_) => {}
        }
    }
    outcome
}

async fn run(
    task: &dyn Task,
    connection: &mut PgConnection,
    terms: &Terms,
    database: &str,
    watcher: &dyn Watcher,
) -> Result<Step, Error> {
    let about = task.about();
    let failed = || database::Error::sql(about.doing, database);
    let started = Instant::now();
    let step = |status, detail: String| Step::new(database, LAYER, "maintenance", about.name, status).detail(detail);
    let state = match access::barred(connection, about).await.map_err(failed())? {
        Some(barred) => barred,
        None => task.inspect(connection, terms).await.map_err(failed())?,
    };
    Ok(match state {
        State::Fine(detail) => {
            if !terms.is_dry {
                task.remember(connection).await.map_err(failed())?;
            }
            step(Status::Unchanged, detail)
        }
        State::LeftOut { why, remedy } => step(Status::LeftOut, why).remedy(remedy),
        State::Due(detail) if terms.is_dry => step(Status::Pending, detail),
        State::Due(_) => match task.apply(connection, terms, watcher).await.map_err(failed())? {
            State::LeftOut { why, remedy } => step(Status::LeftOut, why).remedy(remedy),
            State::Fine(detail) | State::Due(detail) => step(Status::Set, detail).took(started.elapsed()),
        },
    })
}
