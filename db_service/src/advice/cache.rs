//! Whether results should be kept.

use relayout::layout::Bytes;
use serde_json::json;
use terminal::elapsed::{Elapsed, as_milliseconds};

use super::measured::Measured;
use super::need;
use super::point::Advice;
use super::threshold::{EXACT_VECTORS, USERS, WORTH_CACHING};

const RULE: &str = "cache";

pub(super) fn advise(measured: &Measured) -> Vec<Advice> {
    if measured.vectors() == 0 {
        return Vec::new();
    }
    let users = need::users(measured);
    let mean = measured.searches.as_ref().map(|searches| searches.mean);
    let figures = json!({
        "cached_bytes": measured.cached_bytes, "users": users,
        "search_milliseconds": mean.ok().map(as_milliseconds), "worth_milliseconds": as_milliseconds(WORTH_CACHING),
    });
    if let Some(bytes) = measured.cached_bytes.filter(|bytes| *bytes > 0) {
        let message = format!("{} of results are kept in the database", Bytes(bytes));
        return vec![Advice::fine(RULE, message, figures)];
    }
    let nothing = "no results are kept in the database";
    if measured.vectors() <= EXACT_VECTORS {
        let message = format!("{nothing}, and about {} vectors are compared soon", measured.vectors());
        return vec![Advice::fine(RULE, message, figures)];
    }
    vec![match mean {
        Ok(mean) if mean < WORTH_CACHING => {
            let message = format!("{nothing}, and searches take {} on average", Elapsed(mean));
            Advice::fine(RULE, message, figures).why("to look a result up takes 0.2 ms")
        }
        Ok(_) if users < USERS && !need::is_needed(measured) => {
            let message = format!("{nothing}, and {users} ask at once");
            Advice::fine(RULE, message, figures).why("few ask for the same")
        }
        Ok(mean) => {
            let message = format!("{nothing}; searches take {} on average, and {users} ask at once", Elapsed(mean));
            let why = "a result that was asked for before takes 0.2 ms from the database, and microseconds from the process; it \
                       holds until a repository changes that it was made of";
            Advice::to_do(RULE, message, figures).why(why).run(commands(measured))
        }
        Err(unknown) => Advice::not_known(RULE, nothing, figures, unknown),
    }]
}

/// From Rust it is one word; the role of the application has to be allowed to look results up and to store them.
fn commands(measured: &Measured) -> &'static [&'static str] {
    const ALL: [&str; 2] = [
        "migrations --yes",
        "GRANT USAGE ON SCHEMA db_service TO app; GRANT EXECUTE ON FUNCTION db_service.cache_get(bytea), \
         db_service.cache_put(bytea, bytea, interval) TO app",
    ];
    if measured.keeps_versions { &ALL[1..] } else { &ALL }
}
