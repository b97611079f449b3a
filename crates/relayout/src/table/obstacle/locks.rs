//! The swap locks old and new form at once: the server has to have room for so many locks.

use terminal::Finding;

use super::facts::ServerFacts;
use crate::layout::Shape;
use crate::table::definition::Definition;

pub(super) fn check(server: &ServerFacts, definition: &Definition, target: &Shape) -> Vec<Finding> {
    // A table and its TOAST table with an index each, and its own indexes; the swap locks old and new form.
    let relations = target.parts().iter().map(|part| part.storage().len()).sum::<usize>().max(1);
    let swap = 2 * relations * (3 + definition.indexes.len());
    // Dropping a form locks the constraints and defaults of all its tables.
    let parts = definition.constraints.len() + definition.columns.iter().filter(|it| it.default.is_some()).count();
    let locks = i64::try_from(swap.max(relations * (3 + definition.indexes.len() + parts))).unwrap_or(i64::MAX);
    if locks <= server.lock_slots / 2 {
        return Vec::new();
    }
    let message = format!(
        "a transaction on its way needs about {locks} locks, more than half of the {} that this server has: raise `max_locks_per_transaction`",
        server.lock_slots
    );
    vec![Finding::new("too-few-locks", message)]
}
