//! Searches by the layer's functions, and by comparing everything.

use sqlx::{AssertSqlSafe, Row as _};

use crate::database::{Database, Stage};
use crate::searchable::VECTOR;
use crate::server::TestServer;

/// The nearest by comparing all, without any index: the oracle.
const ORACLE: &str = "SELECT concat_ws(' ', repo_name, path, round(d::numeric, 6)) FROM (
     SELECT repo_name, path, embedding OPERATOR(public.<=>) $1::text::public.vector AS d FROM public.embeddings WHERE {where} OFFSET 0) e
     ORDER BY d, repo_name, path LIMIT {k}";

/// What a function finds, and the ways it took.
pub(crate) type Found = (Vec<String>, String);

/// What codes can be indexed as on this server.
pub(crate) fn forms_of_codes(server: &TestServer) -> Vec<&'static str> {
    let loads_vchord = || server.named("postgres").text("SHOW shared_preload_libraries").contains("vchord");
    let by_vchord = (server.offers("vchord") && loads_vchord()).then_some("vchordrq");
    ["halfvec", "bits"].into_iter().chain(by_vchord).collect()
}

/// The rows that searches are tried on.
pub(crate) fn filled(server: &TestServer) -> Database<'_> {
    Database::at(server, Stage::Searchable)
}

/// What a function finds for the vector of a number.
pub(crate) fn found(database: &Database<'_>, call: &str, number: i64) -> Found {
    found_each(database, call, &[number]).remove(0)
}

/// The same for several, in one session.
pub(crate) fn found_each(database: &Database<'_>, call: &str, numbers: &[i64]) -> Vec<Found> {
    database.with(async |connection| {
        let mut all = Vec::new();
        for number in numbers {
            let vector = vector(connection, *number).await;
            let rows = sqlx::query(AssertSqlSafe(format!(
                "SELECT concat_ws(' ', repo_name, path, round(distance::numeric, 6)), way FROM db_service.{call}"
            )))
            .bind(vector)
            .fetch_all(&mut *connection)
            .await
            .unwrap();
            let mut ways: Vec<String> = rows.iter().map(|row| row.get(1)).collect();
            ways.sort();
            ways.dedup();
            all.push((rows.iter().map(|row| row.get(0)).collect(), ways.join(" ")));
        }
        all
    })
}

/// What the oracle finds.
pub(crate) fn nearest(database: &Database<'_>, condition: &str, k: usize, number: i64) -> Vec<String> {
    nearest_each(database, condition, k, &[number]).remove(0)
}

/// The same for several, in one session.
pub(crate) fn nearest_each(database: &Database<'_>, condition: &str, k: usize, numbers: &[i64]) -> Vec<Vec<String>> {
    let sql = ORACLE.replace("{where}", condition).replace("{k}", &k.to_string());
    database.with(async |connection| {
        let mut all = Vec::new();
        for number in numbers {
            let vector = vector(connection, *number).await;
            let rows = sqlx::query_scalar(AssertSqlSafe(sql.clone())).bind(vector);
            all.push(rows.fetch_all(&mut *connection).await.unwrap());
        }
        all
    })
}

pub(crate) async fn vector(connection: &mut sqlx::PgConnection, number: i64) -> String {
    let sql = format!("SELECT {VECTOR}::text FROM (SELECT $1::bigint) n (g)");
    sqlx::query_scalar(AssertSqlSafe(sql)).bind(number).fetch_one(connection).await.unwrap()
}
