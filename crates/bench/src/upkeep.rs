//! What it costs who writes that triggers keep something up to date: statements of many rows and of one, with them and without.

use std::time::{Duration, Instant};

use database::DatabaseUrl;
use sqlx::PgConnection;

use crate::kept::switch_of;
use crate::line::{Bound, Line, microseconds};
use crate::percentile::median;
use crate::session;

/// Medians, of a row or a statement.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Upkeep {
    /// Of a row in a statement of many.
    pub(crate) row: Cost,
    /// Of a statement of one row.
    pub(crate) statement: Cost,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Cost {
    pub(crate) with: Duration,
    /// What else is kept, is kept in both.
    pub(crate) without: Duration,
}

/// Rows of a large statement.
const MANY: u32 = 10_000;

/// Statements of one row in a row.
const ALONE: u32 = 1000;

const ROUNDS: u32 = 9;

/// In ten repositories, each with a content of its own.
const WRITE: &str = "INSERT INTO public.code_files (repo_name, file_path, content, content_hash, size_bytes)
    SELECT 'bench' || g % 10, $1 || g, '', sha256(convert_to($1 || g, 'UTF8')), 0 FROM generate_series(1, $2) g";

/// Of the triggers whose names go on so; of all, if that is nothing. On `code_files`.
pub(crate) async fn measure(url: &DatabaseUrl, kept: &str) -> Result<Upkeep, sqlx::Error> {
    let mut connection = session::connect(url).await?;
    let [mut many, mut many_without, mut one, mut one_without] = [const { Vec::new() }; 4];
    for round in 0..ROUNDS {
        for (is_with, many, one) in [(true, &mut many, &mut one), (false, &mut many_without, &mut one_without)] {
            switch_of(kept, &mut connection, "public.code_files", is_with).await?;
            many.push(write(&mut connection, &format!("many{round}{is_with}"), MANY, 1).await? / MANY);
            one.push(write(&mut connection, &format!("one{round}{is_with}"), 1, ALONE).await? / ALONE);
        }
        session::execute(&mut connection, "DELETE FROM public.code_files WHERE repo_name LIKE 'bench%'").await?;
    }
    let cost = |with: &mut [Duration], without: &mut [Duration]| Cost { with: median(with), without: median(without) };
    Ok(Upkeep { row: cost(&mut many, &mut many_without), statement: cost(&mut one, &mut one_without) })
}

impl Cost {
    /// On top of what the same takes without.
    fn more(self) -> Duration {
        self.with.saturating_sub(self.without)
    }

    /// That it is to be at most so many microseconds.
    pub(crate) fn line(self, work: &str, most: f64) -> Line {
        Line::new(work, "the same without", microseconds(self.more()), Bound::Microseconds(most))
    }
}

/// So many rows, so often.
async fn write(connection: &mut PgConnection, name: &str, rows: u32, times: u32) -> Result<Duration, sqlx::Error> {
    // All in one transaction: a commit waits for the disk.
    session::execute(connection, "BEGIN").await?;
    let started = Instant::now();
    for number in 0..times {
        let write = sqlx::query(WRITE).bind(format!("{name} {number} ")).bind(rows.cast_signed());
        write.execute(&mut *connection).await?;
    }
    let took = started.elapsed();
    session::execute(connection, "COMMIT").await?;
    Ok(took)
}
