//! Bringing the codes about, a transaction or a series of them at a time.

use std::time::{Duration, Instant};

use database::change::change;
use database::statement::set_lock_timeout;
use database::transaction::{self, End};
use database::{Worker, quote};
use sqlx::{AssertSqlSafe, PgConnection};
use terminal::activity::{Activity, Count, Unit};
use terminal::step::Status;

use super::form::{Form, OfVchord};
use super::state::Gap;
use crate::subject::Terms;

/// Rows that are copied in one transaction: a kill loses no more, and whoever folds waits no longer.
const BATCH: i64 = 2000;

/// Rows that are folded in one transaction; each takes milliseconds in the index.
const FOLD: i32 = 500;

/// What became of a gap.
pub(super) struct Done {
    pub(super) status: Status,
    pub(super) detail: String,
    pub(super) took: Duration,
}

/// Closes one; says so, where it is worth a line.
pub(super) async fn close(gap: &Gap, terms: &Terms<'_>, worker: &mut Worker) -> Result<Option<Done>, sqlx::Error> {
    let started = Instant::now();
    let (status, detail) = match gap {
        Gap::Drop => {
            clear(worker, "copied_repo_name = NULL, copied_path = NULL, built = NULL").await?;
            (Status::Set, "none: searches across repositories go to the leaves".to_owned())
        }
        Gap::Copy { form, from_start, about } => {
            if *from_start {
                clear(worker, "copied_repo_name = '', copied_path = '', built = NULL").await?;
            }
            let work = terms.engine.watcher.began("codes of embeddings");
            work.phase("copying", Some(Count::about(Unit::Rows, 0, *about)));
            let copied = copy(worker, work.as_ref()).await?;
            work.phase("building the index", None);
            index(worker, *form, terms).await?;
            (Status::Created, format!("{copied} vectors copied; searches across repositories use them, as {form}"))
        }
        Gap::Index(form) => {
            let work = terms.engine.watcher.began("codes of embeddings");
            work.phase("building the index", None);
            index(worker, *form, terms).await?;
            (Status::Created, format!("searches across repositories use them, as {form}"))
        }
        Gap::Unindex(index) => {
            let index = quote::identifier(index);
            locked(worker, &format!("DROP INDEX IF EXISTS db_service.{index}")).await?;
            return Ok(None);
        }
        Gap::Fold => {
            let work = terms.engine.watcher.began("codes of embeddings");
            work.phase("folding", None);
            (Status::Set, format!("{} fresh ones taken into the index", fold(worker).await?))
        }
        Gap::Rights { grant, revoke } => {
            rights(worker, grant, revoke).await?;
            (Status::Set, "readable for whoever may read the vectors".to_owned())
        }
    };
    Ok(Some(Done { status, detail, took: started.elapsed() }))
}

/// Empties them, with all that is waiting, and says so in their state.
async fn clear(worker: &mut Worker, state: &str) -> Result<(), sqlx::Error> {
    let drops =
        Form::indexes().map(|index| format!("DROP INDEX IF EXISTS db_service.{index}; ")).collect::<Vec<_>>().concat();
    // What is waiting stays where it is kept up: it may be newer than what is copied.
    let sql = format!(
        "{drops}TRUNCATE db_service.embedding_codes;
         DELETE FROM db_service.fresh_codes
         WHERE EXISTS (SELECT FROM db_service.kept_trigger k WHERE k.keeps = 'codes' AND NOT k.in_place);
         UPDATE db_service.codes SET {state}"
    );
    locked(worker, &sql).await
}

/// Copies what is not copied yet, by the key; how many rows.
async fn copy(worker: &mut Worker, work: &dyn Activity) -> Result<u64, sqlx::Error> {
    let mut copied = 0;
    loop {
        let batch = transaction::run(worker, transaction::CHANGE, async |connection| {
            alone(connection).await?;
            Ok(End::Commit(sqlx::query_file_scalar!("queries/copy_codes.sql", BATCH).fetch_one(connection).await?))
        })
        .await?;
        let rows = u64::try_from(batch).unwrap_or_default();
        copied += rows;
        work.advanced(rows);
        if batch < BATCH {
            break;
        }
    }
    sqlx::raw_sql("ANALYZE db_service.embedding_codes").execute(&mut **worker).await?;
    Ok(copied)
}

/// Nobody folds meanwhile: a row that is folded away would be copied back from a snapshot that is older.
async fn alone(connection: &mut PgConnection) -> Result<(), sqlx::Error> {
    sqlx::raw_sql(
        "SELECT pg_catalog.pg_advisory_xact_lock(pg_catalog.hashtextextended('db_service.embedding_codes', 0))",
    )
    .execute(connection)
    .await
    .map(drop)
}

/// Builds the index of a form, and has searches use it in the same moment. Searches go on meanwhile; whoever folds waits.
async fn index(worker: &mut Worker, form: Form, terms: &Terms<'_>) -> Result<(), sqlx::Error> {
    let Some(name) = form.index() else { return Ok(()) };
    let (megabytes, threads) = (terms.engine.budget.megabytes, terms.engine.budget.jobs);
    let helpers = threads.saturating_sub(1);
    let there = sqlx::query_file!("queries/codes_to_index.sql").fetch_one(&mut **worker).await?;
    let of_vchord = OfVchord { schema: there.vchord.as_deref().unwrap_or("public"), threads };
    let sql = format!(
        "SET LOCAL maintenance_work_mem = '{megabytes}MB'; SET LOCAL max_parallel_maintenance_workers = {helpers};
         DROP INDEX IF EXISTS db_service.{name};
         CREATE INDEX {name} ON db_service.embedding_codes USING {definition};
         INSERT INTO db_service.embedding_model
         SELECT model FROM db_service.embedding_codes EXCEPT SELECT model FROM db_service.embedding_model;
         UPDATE db_service.codes SET built = '{form}'",
        definition = form.definition(u64::try_from(there.rows).unwrap_or_default(), &of_vchord),
    );
    transaction::run(worker, transaction::CHANGE, async |connection| {
        alone(connection).await?;
        sqlx::raw_sql(AssertSqlSafe(sql)).execute(connection).await?;
        Ok(End::Commit(()))
    })
    .await
}

/// Folds until nothing is left; how many rows.
pub(crate) async fn fold(connection: &mut PgConnection) -> Result<i64, sqlx::Error> {
    let mut all = 0;
    loop {
        let folded = sqlx::query_scalar!(r#"SELECT db_service.fold_codes($1) AS "folded!""#, FOLD)
            .fetch_one(&mut *connection)
            .await?;
        if folded == 0 {
            return Ok(all);
        }
        all += folded;
    }
}

/// The names are quoted.
async fn rights(worker: &mut Worker, grant: &[String], revoke: &[String]) -> Result<(), sqlx::Error> {
    const TABLES: &str = "db_service.embedding_codes, db_service.fresh_codes";
    let grant = grant
        .iter()
        .map(|role| format!("GRANT USAGE ON SCHEMA db_service TO {role}; GRANT SELECT ON {TABLES} TO {role}; "));
    let revoke = revoke.iter().map(|role| format!("REVOKE SELECT ON {TABLES} FROM {role}; "));
    locked(worker, &grant.chain(revoke).collect::<Vec<_>>().concat()).await
}

/// Does what takes a lock that keeps searches away.
async fn locked(worker: &mut Worker, sql: &str) -> Result<(), sqlx::Error> {
    change(worker, async |connection, timeout| {
        set_lock_timeout(connection, timeout).await?;
        sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(connection).await.map(drop)
    })
    .await
}
