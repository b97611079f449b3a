//! What the change log costs writers.

use std::ops::RangeInclusive;
use std::time::Instant;

use database::Relation;
use relayout::change_log::install_for_measuring;
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};

use super::measured::Capture;
use crate::percentile::median;

const ROUNDS: u32 = 7;
/// As many as the table has, within these bounds.
const ROWS_A_ROUND: RangeInclusive<u32> = 1000..=10_000;

/// Inserts, updates and deletes rows with the change log and without, by turns; rolled back each time.
pub(super) async fn measure(connection: &mut PgConnection, rows: u32) -> Result<Vec<Capture>, sqlx::Error> {
    let rows = rows.clamp(*ROWS_A_ROUND.start(), *ROWS_A_ROUND.end());
    let mut measured = Vec::new();
    for rows_per_statement in [1, 1000] {
        let (mut without, mut with) = (Vec::new(), Vec::new());
        for round in 0..2 * ROUNDS {
            let logged = round % 2 == 1;
            let mut transaction = connection.begin().await?;
            if logged {
                install_for_measuring(&mut transaction, &Relation::public("code_files")).await?;
            }
            let started = Instant::now();
            write_rows(&mut transaction, rows, rows_per_statement).await?;
            let per_row = started.elapsed() / (3 * rows);
            transaction.rollback().await?;
            if logged { with.push(per_row) } else { without.push(per_row) }
        }
        let added = median(&mut with).as_secs_f64() - median(&mut without).as_secs_f64();
        measured.push(Capture { rows_per_statement, added: added * 1e6 });
    }
    Ok(measured)
}

/// In one call each: a round trip takes many times what is measured.
async fn write_rows(connection: &mut PgConnection, rows: u32, per_statement: u32) -> Result<(), sqlx::Error> {
    let last = per_statement - 1;
    for statement in [
        format!(
            "INSERT INTO code_files (repo_name, file_path, content, content_hash, size_bytes)
             SELECT 'capture', 'file' || g, 'x', sha256('x'), 1 FROM generate_series(lowest, lowest + {last}) g"
        ),
        format!(
            "UPDATE code_files SET size_bytes = 2 FROM generate_series(lowest, lowest + {last}) g
             WHERE repo_name = 'capture' AND file_path = 'file' || g"
        ),
        format!(
            "DELETE FROM code_files USING generate_series(lowest, lowest + {last}) g
             WHERE repo_name = 'capture' AND file_path = 'file' || g"
        ),
    ] {
        let all =
            format!("DO $do$ BEGIN FOR lowest IN 1..{rows} BY {per_statement} LOOP {statement}; END LOOP; END $do$");
        sqlx::raw_sql(AssertSqlSafe(all)).execute(&mut *connection).await?;
    }
    Ok(())
}
