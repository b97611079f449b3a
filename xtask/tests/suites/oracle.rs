//! Searches by the layer's functions, and by comparing everything.

use sqlx::{AssertSqlSafe, Row as _};

use crate::database::Database;
use crate::searchable::VECTOR;

/// The nearest by comparing all, without any index: the oracle.
const ORACLE: &str = "SELECT concat_ws(' ', repo_name, path, round(d::numeric, 6)) FROM (
     SELECT repo_name, path, embedding OPERATOR(public.<=>) $1::text::public.vector AS d FROM public.embeddings WHERE {where} OFFSET 0) e
     ORDER BY d, repo_name, path LIMIT {k}";

/// What a function finds for the vector of a number, and the ways it took.
pub(crate) fn found(database: &Database<'_>, call: &str, number: i64) -> (Vec<String>, String) {
    database.with(async |connection| {
        let vector = vector(connection, number).await;
        let rows = sqlx::query(AssertSqlSafe(format!(
            "SELECT concat_ws(' ', repo_name, path, round(distance::numeric, 6)), way FROM db_service.{call}"
        )))
        .bind(vector)
        .fetch_all(connection)
        .await
        .unwrap();
        let mut ways: Vec<String> = rows.iter().map(|row| row.get(1)).collect();
        ways.sort();
        ways.dedup();
        (rows.iter().map(|row| row.get(0)).collect(), ways.join(" "))
    })
}

/// What the oracle finds.
pub(crate) fn nearest(database: &Database<'_>, condition: &str, k: usize, number: i64) -> Vec<String> {
    let sql = ORACLE.replace("{where}", condition).replace("{k}", &k.to_string());
    database.with(async |connection| {
        let vector = vector(connection, number).await;
        sqlx::query_scalar(AssertSqlSafe(sql)).bind(vector).fetch_all(connection).await.unwrap()
    })
}

pub(crate) async fn vector(connection: &mut sqlx::PgConnection, number: i64) -> String {
    let sql = format!("SELECT {VECTOR}::text FROM (SELECT $1::bigint) n (g)");
    sqlx::query_scalar(AssertSqlSafe(sql)).bind(number).fetch_one(connection).await.unwrap()
}
