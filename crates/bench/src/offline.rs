//! What a careful person would do with the application switched off: fill the leaves with one statement, then build the
//! keys and indexes of all leaves, as many at a time and with as much memory as the engine does.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use database::{DatabaseUrl, connection};
use relayout::Budget;

use crate::session;

const LEAVES: u32 = 16;

/// The time that it takes for a table; the copy is dropped again.
pub(crate) async fn convert(url: &DatabaseUrl, table: &str) -> Result<Duration, sqlx::Error> {
    let mut connection = session::connect(url).await?;
    session::execute(&mut connection, "DROP SCHEMA IF EXISTS offline CASCADE; CREATE SCHEMA offline").await?;
    let indexes: Vec<(String, String)> = sqlx::query_as(
        "SELECT i.indisprimary::text, pg_get_indexdef(i.indexrelid) FROM pg_index i WHERE i.indrelid = $1::regclass
         ORDER BY pg_get_indexdef(i.indexrelid) NOT LIKE '%hnsw%'",
    )
    .bind(format!("public.{table}"))
    .fetch_all(&mut connection)
    .await?;
    let started = Instant::now();
    session::execute(&mut connection, &create(table)).await?;
    session::execute(&mut connection, &format!("INSERT INTO offline.{table} SELECT * FROM public.{table}")).await?;
    build(url, &statements(table, &indexes)).await?;
    session::execute(&mut connection, &format!("ANALYZE offline.{table}")).await?;
    let took = started.elapsed();
    session::execute(&mut connection, "SET client_min_messages = warning; DROP SCHEMA offline CASCADE").await?;
    connection::close(connection).await;
    Ok(took)
}

fn create(table: &str) -> String {
    let like = "INCLUDING DEFAULTS INCLUDING CONSTRAINTS INCLUDING STORAGE";
    let mut statements =
        vec![format!("CREATE TABLE offline.{table} (LIKE public.{table} {like}) PARTITION BY HASH (repo_name)")];
    for leaf in 0..LEAVES {
        let bound = format!("FOR VALUES WITH (MODULUS {LEAVES}, REMAINDER {leaf})");
        statements.push(format!("CREATE TABLE offline.{table}_{leaf} PARTITION OF offline.{table} {bound}"));
        if table == "embeddings" {
            // As the engine's leaves have it.
            statements.push(format!("ALTER TABLE offline.{table}_{leaf} ALTER embedding SET STORAGE PLAIN"));
        }
    }
    statements.join("; ")
}

/// Indexes of all leaves, the slowest first.
fn statements(table: &str, indexes: &[(String, String)]) -> VecDeque<String> {
    let mut statements = VecDeque::new();
    for (primary, definition) in indexes {
        let Some((_, from_using)) = definition.split_once(" USING ") else { continue };
        for leaf in 0..LEAVES {
            let columns = from_using.split_once(' ').map_or(from_using, |(_, columns)| columns);
            statements.push_back(if primary == "true" {
                format!("ALTER TABLE offline.{table}_{leaf} ADD PRIMARY KEY {columns}")
            } else {
                format!("CREATE INDEX ON offline.{table}_{leaf} USING {from_using}")
            });
        }
    }
    statements
}

async fn build(url: &DatabaseUrl, statements: &VecDeque<String>) -> Result<(), sqlx::Error> {
    let queue = Arc::new(Mutex::new(statements.clone()));
    let budget = Budget::MODEST;
    let builders = (0..budget.jobs).map(|_| {
        let queue = queue.clone();
        async move {
            let mut connection = session::connect(url).await?;
            let share = budget.megabytes as usize / budget.jobs;
            session::execute(
                &mut connection,
                &format!("SET maintenance_work_mem = '{share}MB'; SET max_parallel_maintenance_workers = 0"),
            )
            .await?;
            loop {
                let next = queue.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
                let Some(statement) = next else { break };
                session::execute(&mut connection, &statement).await?;
            }
            connection::close(connection).await;
            Ok::<(), sqlx::Error>(())
        }
    });
    futures_util::future::try_join_all(builders).await.map(drop)
}
