//! By which plans a search was run, and what each of its statements cost.

use database::notices;
use database::transaction::{self, End};
use sqlx::PgConnection;

use super::{Error, Hit, Query, search};

/// What `auto_explain` is to write of every statement, those in functions too. What was searched for is in a parameter, and long.
const SETTINGS: &str = "
    SET LOCAL auto_explain.log_min_duration = 0;
    SET LOCAL auto_explain.log_nested_statements = on;
    SET LOCAL auto_explain.log_analyze = on;
    SET LOCAL auto_explain.log_timing = on;
    SET LOCAL auto_explain.log_buffers = on;
    SET LOCAL auto_explain.log_verbose = off;
    SET LOCAL auto_explain.log_format = text;
    SET LOCAL client_min_messages = log";

/// One statement of a search.
#[derive(Clone, Debug, PartialEq)]
pub struct Explained {
    /// The statement, in one line.
    pub statement: String,
    /// How long it took, with the statements of functions that it calls.
    pub milliseconds: f64,
    /// The plan that ran, line by line, with what each node took; without the nodes that were never run.
    pub plan: Vec<String>,
}

/// Searches, and says how that was done: by `auto_explain`, which a superuser may load, or whoever the server has loaded it for
/// and who may set it.
///
/// # Errors
/// As those of a search, and [`Error::NoPlans`] where the role may not.
pub async fn explain(connection: &mut PgConnection, query: &Query) -> Result<(Vec<Hit>, Vec<Explained>), Error> {
    let work = transaction::run_with(connection, transaction::SNAPSHOT, Error::from, async |connection| {
        for statement in ["LOAD 'auto_explain'", SETTINGS] {
            sqlx::raw_sql(statement).execute(&mut *connection).await.map_err(|error| Error::NoPlans(error.into()))?;
        }
        search(&mut *connection, query).await.map(End::Rollback)
    });
    let (hits, said) = notices::heard(work).await;
    Ok((hits?, said.iter().filter_map(|message| read(message)).collect()))
}

/// `duration: 0.052 ms  plan:`, `Query Text: …`, which may be of several lines, and the plan.
fn read(message: &str) -> Option<Explained> {
    let (duration, rest) = message.strip_prefix("duration: ")?.split_once(" ms  plan:\n")?;
    let rest = rest.strip_prefix("Query Text: ").unwrap_or(rest);
    let lines: Vec<&str> = rest.lines().collect();
    // A plan begins with the only line that has costs and is not below another node.
    let first = lines.iter().position(|line| line.contains("  (cost=") && !line.trim_start().starts_with("->"))?;
    let code = lines[..first].iter().filter(|line| !line.trim_start().starts_with("--"));
    let statement = code.flat_map(|line| line.split_whitespace()).collect::<Vec<_>>().join(" ");
    Some(Explained {
        statement,
        milliseconds: duration.parse().ok()?,
        plan: run(&lines[first..]).into_iter().map(shown).collect(),
    })
}

/// The lines of the nodes that were run.
fn run<'a>(lines: &[&'a str]) -> Vec<&'a str> {
    let indent = |line: &str| line.len() - line.trim_start().len();
    let (mut kept, mut never): (Vec<&str>, Option<usize>) = (Vec::new(), None);
    for line in lines {
        // What is further in belongs to the node that was never run.
        if never.is_some_and(|outer| indent(line) > outer) {
            continue;
        }
        never = line.ends_with("(never executed)").then(|| indent(line));
        if never.is_none() {
            kept.push(line);
        }
    }
    kept
}

/// Without estimates, and with what a vector begins with instead of its 768 numbers.
fn shown(line: &str) -> String {
    let mut line = line.to_owned();
    if let (Some(start), Some(end)) = (line.find("  (cost="), line.find(") (actual")) {
        line.replace_range(start..=end, "");
    }
    let mut from = 0;
    while let Some(start) = line[from..].find("'[").map(|found| from + found + 2) {
        let end = line[start..].find(']').map_or(line.len(), |found| start + found);
        if end - start > 40 {
            let keep = line[start..end].find(',').map_or(start, |comma| start + comma + 1);
            line.replace_range(keep..end, "…");
        }
        from = start;
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_taken_apart() {
        let vector = (0..768).map(|number| format!("0.{number}")).collect::<Vec<_>>().join(",");
        let message = format!(
            "duration: 1.250 ms  plan:\nQuery Text: -- The codes.\nSELECT c.path\n   FROM db_service.embedding_codes c\n\
             Limit  (cost=0.28..9.54 rows=10 width=40) (actual time=0.410..0.420 rows=10 loops=1)\n  \
               ->  Index Scan using embedding_codes_halfvec on embedding_codes c  (cost=0.28..100.0 rows=99 width=40) (actual time=0.4..0.4 rows=10 loops=1)\n        \
                     Order By: (half <=> '[{vector}]'::halfvec)\n  \
               ->  Append  (cost=1.0..2.0 rows=2 width=8) (never executed)\n        \
                     ->  Seq Scan on other  (cost=1.0..2.0 rows=2 width=8) (never executed)\n              \
                           Filter: a\n  \
               Buffers: shared hit=12"
        );
        let explained = read(&message).unwrap();
        assert_eq!(explained.statement, "SELECT c.path FROM db_service.embedding_codes c");
        assert!((explained.milliseconds - 1.25).abs() < f64::EPSILON);
        assert_eq!(
            explained.plan,
            [
                "Limit (actual time=0.410..0.420 rows=10 loops=1)",
                "  ->  Index Scan using embedding_codes_halfvec on embedding_codes c (actual time=0.4..0.4 rows=10 loops=1)",
                "        Order By: (half <=> '[0.0,…]'::halfvec)",
                "  Buffers: shared hit=12",
            ]
        );
        assert_eq!(read("relation \"x\" already exists, skipping"), None);
    }
}
