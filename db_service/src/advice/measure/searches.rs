//! What searches have taken, by `pg_stat_statements`.

use std::time::Duration;

use database::cause::Cause;
use database::quote::identifier;
use sqlx::{AssertSqlSafe, PgConnection};

use super::read_only::read_only;
use crate::advice::measured::Searches;
use crate::advice::unknown::Unknown;

/// Calls, their milliseconds in all, those of the slowest statement's average, and how many statements are hidden.
type Row = (i64, f64, f64, i64);

/// Whatever goes wrong here is one thing less that is known.
pub(super) async fn read(
    connection: &mut PgConnection,
    schema: Result<&String, &Unknown>,
) -> Result<Searches, Unknown> {
    let schema = schema.map_err(Clone::clone)?;
    let sql = include_str!("../../../queries/advice/statements.sql").replace("{schema}", &identifier(schema));
    let read = read_only(connection, async |connection| {
        sqlx::query_as::<_, Row>(AssertSqlSafe(sql)).fetch_one(connection).await
    });
    let row = read.await.map_err(|error| {
        let cause = Cause::from(error);
        let unknown = Unknown::new(format!("`pg_stat_statements` cannot be read: {cause}"));
        Unknown { remedy: cause.hint(), ..unknown }
    })?;
    searches(row)
}

fn searches((calls, milliseconds, slowest, hidden): Row) -> Result<Searches, Unknown> {
    if calls < 1 {
        return Err(if hidden > 0 {
            Unknown::new(format!(
                "{hidden} statements of other roles are hidden from this one, in `pg_stat_statements`"
            ))
            .remedy("`GRANT pg_read_all_stats TO CURRENT_ROLE`, by an administrator")
        } else {
            Unknown::new("`pg_stat_statements` has seen no search")
        });
    }
    let duration = |milliseconds: f64| Duration::try_from_secs_f64(milliseconds / 1e3).unwrap_or_default();
    let calls = u32::try_from(calls).unwrap_or(u32::MAX);
    Ok(Searches {
        calls: calls.into(),
        mean: duration(milliseconds) / calls,
        slowest: duration(slowest),
        hidden: hidden.unsigned_abs(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_hidden_is_not_absent() {
        let known = searches((4, 100.0, 40.0, 2)).unwrap();
        assert_eq!(
            (known.mean, known.slowest, known.hidden),
            (Duration::from_millis(25), Duration::from_millis(40), 2)
        );
        assert!(searches((0, 0.0, 0.0, 2)).unwrap_err().why.starts_with("2 statements of other roles are hidden"));
        assert_eq!(searches((0, 0.0, 0.0, 0)).unwrap_err().why, "`pg_stat_statements` has seen no search");
    }
}
