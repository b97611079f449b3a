//! Codes: the vectors of `embeddings` once more, half as wide and in one table, for searches across repositories.
//!
//! They are filled once, by keyset with a journal; from then on triggers put what is written into `db_service.fresh_codes`,
//! where it is searched row by row, and a fold takes it into the index.

mod build;
mod check;
mod form;
mod state;

use database::Worker;
use futures_util::FutureExt as _;
use futures_util::future::LocalBoxFuture;
use ledger::migrate::LedgerState;
use ledger::migration::LAYER;
use relayout::audit::Sound;
use sqlx::PgConnection;
use terminal::Finding;
use terminal::step::{Status, Step};

use state::Gap;

pub(crate) use build::fold as fold_all;
pub use form::Form;
pub use state::Codes;

use super::contract::{Inspected, Planned, Subject, Terms};
use crate::error::Error;

/// The subject.
#[derive(Debug)]
pub struct CodesOfEmbeddings;

/// Where they are declared, and what it takes to know how they are.
const TABLES: [&str; 5] = [
    "db_service.codes",
    "db_service.embedding_codes",
    "db_service.fresh_codes",
    "db_service.kept_trigger",
    "db_service.layout",
];

impl Subject for CodesOfEmbeddings {
    fn inspect<'a>(
        &'a self,
        connection: &'a mut PgConnection,
        ledger: &'a LedgerState,
        database: &'a str,
    ) -> LocalBoxFuture<'a, Result<Box<dyn Inspected>, Error>> {
        async move { Ok(Box::new(CodesPlan(read(connection, ledger, database).await?)) as Box<dyn Inspected>) }
            .boxed_local()
    }
}

/// What is declared of them and what is there; none where the migration was not applied yet, or something is lost that the
/// gate names.
///
/// # Errors
/// When a query fails.
pub async fn read(connection: &mut PgConnection, ledger: &LedgerState, database: &str) -> Result<Option<Codes>, Error> {
    if !TABLES.iter().all(|table| ledger.provides(table)) {
        return Ok(None);
    }
    let failed = database::Error::sql("read the state of the codes", database);
    Ok(Codes::read(connection).await.map_err(failed)?)
}

/// Whether those that searches use are those of the vectors, and how much of the truth is found by them; nothing where there are
/// none, or they are somebody else's. Reads only.
///
/// # Errors
/// When a query fails.
pub async fn audit(
    connection: &mut PgConnection,
    ledger: &LedgerState,
    database: &str,
) -> Result<Vec<Result<Sound, Finding>>, Error> {
    match read(connection, ledger, database).await? {
        Some(codes) if codes.is_in_use() && codes.is_owner => Ok(check::check(connection, &codes).await?),
        _ => Ok(Vec::new()),
    }
}

/// Takes all that was written since the last fold into the index, where there is one and this role may; how many rows. For whoever
/// has loaded many.
///
/// # Errors
/// When a statement fails.
pub async fn fold(worker: &mut Worker, database: &str) -> Result<i64, Error> {
    let failed = || database::Error::sql("take fresh codes into the index", database);
    let may = sqlx::query_scalar!(
        r#"SELECT COALESCE(pg_catalog.has_function_privilege(
               pg_catalog.to_regprocedure('db_service.fold_codes(integer)'), 'EXECUTE'), false) AS "may!""#
    )
    .fetch_one(&mut **worker)
    .await
    .map_err(failed())?;
    if may { Ok(build::fold(worker).await.map_err(failed())?) } else { Ok(0) }
}

#[derive(Clone, Debug)]
struct CodesPlan(Option<Codes>);

impl CodesPlan {
    fn gaps(&self) -> Vec<Gap> {
        self.0.as_ref().map(Codes::gaps).unwrap_or_default()
    }
}

impl Planned for CodesPlan {
    fn is_empty(&self) -> bool {
        self.gaps().is_empty()
    }

    fn unchanged(&self, database: &str) -> Vec<Step> {
        let unchanged = self.0.iter().filter(|codes| codes.gaps().is_empty() && codes.is_in_use());
        let unchanged = unchanged.map(|codes| step(database, Status::Unchanged).detail(codes.wanted().to_string()));
        unchanged.chain(self.0.iter().flat_map(|codes| left_out(database, codes))).collect()
    }

    fn pending(&self, database: &str) -> Vec<Step> {
        let gaps = self.gaps().into_iter().map(|gap| gap.to_string());
        let awaited = self.0.iter().filter(|codes| codes.is_awaited());
        let awaited = awaited.map(|_| "to be copied once the triggers are there".to_owned());
        gaps.chain(awaited).map(|detail| step(database, Status::Pending).detail(detail)).collect()
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
            if !terms.includes("embeddings") {
                return Ok(());
            }
            for gap in self.gaps() {
                let failed = database::Error::sql(gap.doing(), database);
                if let Some(done) = build::close(&gap, terms, worker).await.map_err(failed)? {
                    report(step(database, done.status).detail(done.detail).took(done.took));
                }
            }
            Ok(())
        }
        .boxed_local()
    }
}

/// Why searches across repositories go to the leaves, or use another index than was declared, where that is nobody's wish.
fn left_out(database: &str, codes: &Codes) -> Vec<Step> {
    let left_out = || step(database, Status::LeftOut);
    let closed = codes.closed().map(|remedy| left_out().detail("this role does not own them").remedy(remedy));
    let unoffered = codes.lacks_vchord().then(|| {
        left_out()
            .detail("the form `vchordrq` needs the extension `vchord`, which this database lacks: indexed as halfvec")
            .remedy("`CREATE EXTENSION vchord`, where the server offers it, and run this again")
    });
    closed.into_iter().chain(unoffered).collect()
}

fn step(database: &str, status: Status) -> Step {
    Step::new(database, LAYER, "codes", "embeddings", status)
}
