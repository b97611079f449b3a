//! Whether the codes are those of the vectors, and how much of the truth is found by them.

use relayout::audit::Sound;
use sqlx::PgConnection;
use terminal::Finding;

use super::state::Codes;
use crate::search::{self, Made, Recall, Sample, Scope};

/// Keys that are compared, about: all of them where there are fewer.
const COMPARED: i64 = 100_000;

/// Searches that are tried; each compares every row once.
const SEARCHES: u32 = 20;

/// Rows that are compared by all of those searches together, about.
const ROWS: i64 = 5_000_000;

/// Checks those that searches use.
pub(super) async fn check(
    connection: &mut PgConnection,
    codes: &Codes,
) -> Result<Vec<Result<Sound, Finding>>, search::Error> {
    let of = (codes.estimated_rows / COMPARED).max(1);
    let found = sqlx::query_file!("queries/check_codes.sql", of).fetch_one(&mut *connection).await?;
    let place = "the codes of `embeddings`";
    let wrong = [
        (found.missing, "vectors have no code"),
        (found.surplus, "codes have no vector"),
        (found.different, "codes are not those of their vectors"),
    ];
    let wrong: Vec<_> = wrong
        .iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, what)| {
            Err(Finding::new("codes-differ", format!("of {} compared, {count} {what}", found.compared)).at(place))
        })
        .collect();
    if !wrong.is_empty() {
        return Ok(wrong);
    }
    let searches = u32::try_from(ROWS / codes.estimated_rows.max(1)).unwrap_or(SEARCHES).clamp(2, SEARCHES);
    let samples = Sample::take(connection, &Scope::Everywhere, searches, Made::Stored).await?;
    let measured = search::measure(connection, &samples, Recall::Balanced).await?;
    let (recall, searches) = (measured.recall, measured.searches);
    if recall < search::wanted(Recall::Fast) {
        let message = format!("{searches} searches found only {recall:.3} of the nearest");
        return Ok(vec![Err(Finding::new("codes-recall", message).at(place))]);
    }
    let form = codes.wanted();
    let detail = format!(
        "{form}; {} compared with their vectors; {searches} searches found {recall:.3} of the nearest",
        found.compared
    );
    Ok(vec![Ok(Sound { object: "codes", name: "embeddings".to_owned(), detail })])
}
