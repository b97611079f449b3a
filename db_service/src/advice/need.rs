//! What decides whether the layer is worth its while, which other topics ask as well.

use super::measured::Measured;
use super::threshold::{EXACT_VECTORS, LARGE, USERS};

/// It answers faster than one table, or takes what one table cannot.
pub(super) fn is_needed(measured: &Measured) -> bool {
    let is_slow = measured.searches.as_ref().is_ok_and(|searches| searches.mean > measured.wanted.latency);
    let are_many = users(measured) >= USERS && measured.vectors() > EXACT_VECTORS;
    measured.embeddings.is_some() && (measured.searched_bytes() >= LARGE || is_slow || are_many)
}

/// Its tables are in leaves.
pub(super) fn is_in_use(measured: &Measured) -> bool {
    measured.embeddings.as_ref().is_some_and(|table| !table.is_plain())
}

/// As many as were named, else those that are connected.
pub(super) fn users(measured: &Measured) -> u32 {
    measured.wanted.users.unwrap_or(measured.sessions)
}
