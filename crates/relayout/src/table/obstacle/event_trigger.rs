//! Event triggers of others: they take part in everything that is done to tables, and may change or forbid it.

use terminal::Finding;

use super::facts::ServerFacts;

pub(super) fn check(server: &ServerFacts) -> Vec<Finding> {
    let finding = |it: &String| {
        Finding::new("event-trigger", format!("event trigger {it} takes part in what is done to tables"))
            .help("disable it for the run: `ALTER EVENT TRIGGER … DISABLE`")
    };
    server.event_triggers.iter().map(finding).collect()
}
