//! Ranges of rows in the journal: from one key to another, and how far they are copied.

use database::{Relation, relation::NoRelation};
use sqlx::PgConnection;

use super::journal::Job;

/// Rows of one table from one key to another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Range {
    pub(crate) number: i32,
    pub(crate) source: Relation,
    /// Key of the last row before it, or of the last one copied.
    pub(crate) after: Option<Vec<String>>,
    /// Key of its last row.
    pub(crate) until: Option<Vec<String>>,
}

impl Range {
    /// Notes a batch that ended at this key; none is the range's end. In the transaction that has copied it.
    pub(crate) async fn note(
        &self,
        job: &Job,
        end: Option<&[String]>,
        rows: i64,
        transaction: &mut PgConnection,
    ) -> Result<(), sqlx::Error> {
        let noted = sqlx::query!(
            "UPDATE db_service.relayout_range r SET after = COALESCE($3, r.after), rows_copied = r.rows_copied + $4, is_done = $5
             FROM db_service.relayout_job j
             WHERE r.job_id = $1 AND r.number = $2 AND j.id = r.job_id AND j.phase = 'backfilling'",
            job.id,
            self.number,
            end,
            rows,
            end.is_none()
        )
        .execute(transaction)
        .await?;
        if noted.rows_affected() == 1 { Ok(()) } else { Err(sqlx::Error::RowNotFound) }
    }
}

/// Writes them into the journal, in the transaction that moves the job on.
pub(crate) async fn enter(job: &Job, ranges: &[Range], transaction: &mut PgConnection) -> Result<(), sqlx::Error> {
    for range in ranges {
        sqlx::query!(
            "INSERT INTO db_service.relayout_range (job_id, number, source, after, until) VALUES ($1, $2, $3, $4, $5)",
            job.id,
            range.number,
            range.source.to_string(),
            range.after.as_deref(),
            range.until.as_deref()
        )
        .execute(&mut *transaction)
        .await?;
    }
    Ok(())
}

/// The ranges of a job that are not copied yet.
pub(crate) async fn unfinished(job: &Job, connection: &mut PgConnection) -> Result<Vec<Range>, sqlx::Error> {
    let rows = sqlx::query!(
        r#"SELECT number, source, after AS "after?", until AS "until?"
           FROM db_service.relayout_range WHERE job_id = $1 AND NOT is_done ORDER BY number"#,
        job.id
    )
    .fetch_all(connection)
    .await?;
    let ranges = rows.into_iter().map(|row| {
        let source = row.source.parse().map_err(|error: NoRelation| sqlx::Error::Decode(error.into()))?;
        Ok(Range { number: row.number, source, after: row.after, until: row.until })
    });
    ranges.collect()
}

/// After one key, until another.
pub(crate) type Bounds = (Option<Vec<String>>, Option<Vec<String>>);

/// The bounds of a job's ranges as they were at its beginning; one that has none where it copies from several tables, since
/// their ranges overlap.
pub(crate) async fn bounds(job: &Job, connection: &mut PgConnection) -> Result<Vec<Bounds>, sqlx::Error> {
    if job.sources().len() > 1 {
        return Ok(vec![(None, None)]);
    }
    let ends = sqlx::query_scalar!(
        r#"SELECT until AS "until?" FROM db_service.relayout_range WHERE job_id = $1 ORDER BY number"#,
        job.id
    );
    let mut after = None;
    Ok(ends
        .fetch_all(connection)
        .await?
        .into_iter()
        .map(|until| (std::mem::replace(&mut after, until.clone()), until))
        .collect())
}

/// Rows that a job has copied so far.
pub(crate) async fn rows_copied(job: &Job, connection: &mut PgConnection) -> Result<i64, sqlx::Error> {
    let rows = sqlx::query_scalar!(
        r#"SELECT COALESCE(sum(rows_copied), 0)::bigint AS "rows!" FROM db_service.relayout_range WHERE job_id = $1"#,
        job.id
    );
    rows.fetch_one(connection).await
}
