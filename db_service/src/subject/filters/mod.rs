//! The filter of contents: what of `code_files` is known, in 10 bits a content, for whoever imports what may be known already.
//!
//! It is off until somebody wants it. Then triggers note what is written (`db_service.content_key_log`), it is built from the
//! table once, and what was noted is taken in when that is much.

mod state;

use std::time::Instant;

use database::Worker;
use futures_util::FutureExt as _;
use futures_util::future::LocalBoxFuture;
use ledger::migrate::LedgerState;
use ledger::migration::LAYER;
use relayout::audit::Sound;
use relayout::layout::Bytes;
use sqlx::PgConnection;
use terminal::Finding;
use terminal::step::{Status, Step};

use state::Gap;

pub use state::Filter;

use super::contract::{Inspected, Planned, Subject, Terms};
use crate::dedup;
use crate::error::Error;

/// The subject.
#[derive(Debug)]
pub struct FilterOfContents;

/// Where it is declared, and what it takes to know how it is.
const TABLES: [&str; 5] = [
    "db_service.content_filter",
    "db_service.content_filter_chunk",
    "db_service.content_key_log",
    "db_service.kept_trigger",
    "db_service.layout",
];

impl Subject for FilterOfContents {
    fn inspect<'a>(
        &'a self,
        connection: &'a mut PgConnection,
        ledger: &'a LedgerState,
        database: &'a str,
    ) -> LocalBoxFuture<'a, Result<Box<dyn Inspected>, Error>> {
        async move { Ok(Box::new(FilterPlan(read(connection, ledger, database).await?)) as Box<dyn Inspected>) }
            .boxed_local()
    }
}

/// What is wanted and what is there; none where the migration was not applied yet, or something is lost that the gate names.
///
/// # Errors
/// When the query fails.
pub async fn read(
    connection: &mut PgConnection,
    ledger: &LedgerState,
    database: &str,
) -> Result<Option<Filter>, Error> {
    if !TABLES.iter().all(|table| ledger.provides(table)) {
        return Ok(None);
    }
    let failed = database::Error::sql("read the state of the filter of contents", database);
    Ok(Some(Filter::read(connection).await.map_err(failed)?))
}

/// Has it kept from now on, or not any more; [`converge`](crate::layer::converge) brings it about.
///
/// # Errors
/// When the statement fails.
pub async fn want(worker: &mut Worker, wanted: bool, database: &str) -> Result<(), Error> {
    let failed = database::Error::sql("declare the filter of contents", database);
    sqlx::query!("SELECT db_service.keep_content_filter($1)", wanted).execute(&mut **worker).await.map_err(failed)?;
    Ok(())
}

/// Has it built anew.
///
/// # Errors
/// When the statement fails.
pub async fn forget(worker: &mut Worker, database: &str) -> Result<(), Error> {
    let failed = database::Error::sql("forget the filter of contents", database);
    sqlx::query!("SELECT db_service.forget_content_filter()").execute(&mut **worker).await.map_err(failed)?;
    Ok(())
}

/// Whether it has what the table has; nothing where there is none, or it is somebody else's. Reads only.
///
/// # Errors
/// When a query fails.
pub async fn audit(
    connection: &mut PgConnection,
    ledger: &LedgerState,
    database: &str,
) -> Result<Vec<Result<Sound, Finding>>, Error> {
    /// Contents that are compared, about.
    const COMPARED: u64 = 1_000_000;
    let filter = match read(connection, ledger, database).await? {
        Some(filter) if filter.is_kept && filter.is_built && filter.is_owner => filter,
        _ => return Ok(Vec::new()),
    };
    let of_256 = i32::try_from((256 * COMPARED / filter.keys.max(1)).clamp(1, 256)).unwrap_or(256);
    let finding = |message: String| {
        let finding = Finding::new("filter-differs", message).at("the filter of `code_files`");
        vec![Err(finding.help("`migrations filters --rebuild` builds it anew"))]
    };
    Ok(match dedup::compare(connection, of_256).await {
        Ok(compared) if compared.missing == 0 => {
            let detail = format!("{} contents are all found in it", compared.contents);
            vec![Ok(Sound { object: "filter", name: "code_files".to_owned(), detail })]
        }
        Ok(compared) => finding(format!("of {} contents it denies {}", compared.contents, compared.missing)),
        Err(dedup::Error::Damaged(damage)) => finding(damage.to_string()),
        Err(error) => return Err(error.into()),
    })
}

#[derive(Clone, Debug)]
struct FilterPlan(Option<Filter>);

impl FilterPlan {
    fn gap(&self) -> Option<Gap> {
        self.0.as_ref().and_then(Filter::gap)
    }
}

impl Planned for FilterPlan {
    fn is_empty(&self) -> bool {
        self.gap().is_none()
    }

    fn unchanged(&self, database: &str) -> Vec<Step> {
        let is_there = |filter: &&Filter| filter.gap().is_none() && filter.is_kept && filter.is_built;
        let unchanged = self.0.iter().filter(is_there).map(|filter| {
            step(database, Status::Unchanged).detail(format!("{} contents, {} since", filter.keys, filter.logged))
        });
        let closed = self.0.iter().filter_map(Filter::closed);
        let left_out =
            closed.map(|remedy| step(database, Status::LeftOut).detail("this role does not own it").remedy(remedy));
        unchanged.chain(left_out).collect()
    }

    fn pending(&self, database: &str) -> Vec<Step> {
        let gap = self.gap().map(|gap| gap.to_string());
        let awaited = self.0.iter().filter(|filter| filter.is_awaited());
        let awaited = awaited.map(|_| "to be built once the triggers are there".to_owned());
        gap.into_iter().chain(awaited).map(|detail| step(database, Status::Pending).detail(detail)).collect()
    }

    fn upkeep(&self) -> Option<Box<dyn Planned>> {
        let is_there = self.0.as_ref().is_some_and(|filter| filter.is_kept && filter.is_built);
        is_there.then(|| Box::new(self.clone()) as Box<dyn Planned>)
    }

    fn apply<'a>(
        &'a self,
        terms: &'a Terms<'a>,
        worker: &'a mut Worker,
        report: &'a mut dyn FnMut(Step),
    ) -> LocalBoxFuture<'a, Result<(), Error>> {
        async move {
            let database = terms.database();
            self.tell_unchanged(terms, report);
            if let Some(gap) = self.gap().filter(|_| terms.includes("code_files")) {
                let started = Instant::now();
                let (status, detail) = close(gap, terms, worker).await.map_err(|error| match error {
                    // What was being done is more than that contents were compared.
                    dedup::Error::Failed(source) => {
                        let (doing, database) = (gap.doing().to_owned(), database.to_owned());
                        Error::Database(database::Error::Sql { doing, database, source })
                    }
                    error => Error::Dedup(error),
                })?;
                report(step(database, status).detail(detail).took(started.elapsed()));
            }
            Ok(())
        }
        .boxed_local()
    }
}

/// Closes it; says what there is now.
async fn close(gap: Gap, terms: &Terms<'_>, worker: &mut Worker) -> Result<(Status, String), dedup::Error> {
    let work = terms.engine.watcher.began("filter of code_files");
    let build = async |worker: &mut Worker| {
        let stored = dedup::build(worker, work.as_ref()).await?;
        Ok((Status::Created, format!("{} contents in {}", stored.keys, Bytes(stored.bytes))))
    };
    match gap {
        Gap::Drop => {
            let drop = "SELECT db_service.forget_content_filter(); DELETE FROM db_service.content_key_log";
            sqlx::raw_sql(drop).execute(&mut **worker).await?;
            Ok((Status::Set, "none: every content is asked for".to_owned()))
        }
        Gap::Build(_) => build(worker).await,
        Gap::Fold => match dedup::fold(worker).await {
            Ok(stored) if stored.keys <= stored.capacity => {
                Ok((Status::Set, format!("{} contents, with what was written since", stored.keys)))
            }
            // What has no room, or cannot be gone on with, is made anew.
            Ok(_) | Err(dedup::Error::Damaged(_)) => build(worker).await,
            Err(error) => Err(error),
        },
    }
}

fn step(database: &str, status: Status) -> Step {
    Step::new(database, LAYER, "filter", "code_files", status)
}
