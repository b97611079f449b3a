//! The commands that bring a table into leaves, and the codes with it.

use super::measured::{Layer, Measured, Table};
use super::room::form_for;
use super::threshold::{FOR_BUILDS, hundredths, rounded};
use crate::sizing::{codes_build_memory, leaf_build_memory};
use crate::subject::codes::Form;

/// What `002_rag_optimizations` declares.
const ORDINARY: u32 = 16;
/// Leaves whose graphs are built side by side, if nothing else is said.
const JOBS: u64 = 2;
/// What index builds take, if nothing else is said.
const ORDINARY_MEGABYTES: u64 = 512;

/// So many that none holds more than the policy says, if repositories were of equal size; a power of two.
pub(super) fn leaves(table: &Table) -> u32 {
    let most = u32::try_from(table.policy.most_leaves).unwrap_or(u32::MAX).max(ORDINARY);
    let wanted = table.rows().div_ceil(table.policy.leaf_rows.max(1));
    u32::try_from(wanted).ok().and_then(u32::checked_next_power_of_two).unwrap_or(most).clamp(ORDINARY, most)
}

/// From a plain table to leaves.
pub(super) fn into_leaves(measured: &Measured, table: &Table) -> Vec<String> {
    let leaves = leaves(table);
    let of_vectors = table.name == "embeddings";
    let form = if of_vectors { form_for(measured) } else { Form::Halfvec };
    let memory = if of_vectors { index_memory(measured, form) } else { String::new() };
    let is_declared = match (measured.layer, table.declared) {
        (Layer::There, Some(declared)) => declared == leaves,
        _ => leaves == ORDINARY,
    };
    let mut commands = Vec::new();
    // A large table is left as it is without `--yes`, and what is declared besides can be changed.
    if measured.layer == Layer::Absent && !(is_declared && form == Form::Halfvec) {
        commands.push("migrations".to_owned());
    }
    if form != Form::Halfvec {
        commands.push(declare(form));
    }
    commands.push(if is_declared {
        format!("migrations --yes{memory}")
    } else {
        format!("migrations layout --table {} --leaves {leaves} --yes{memory}", table.name)
    });
    commands
}

/// To codes of another form, of a table that is in leaves.
pub(super) fn to_codes(measured: &Measured, form: Form) -> Vec<String> {
    vec![declare(form), format!("migrations --yes{}", index_memory(measured, form))]
}

fn declare(form: Form) -> String {
    format!("UPDATE db_service.codes SET form = '{form}'")
}

/// The option that gives the graphs the memory that they take, as far as the machine has it.
fn index_memory(measured: &Measured, form: Form) -> String {
    let Some(table) = &measured.embeddings else { return String::new() };
    let of_leaves =
        if table.is_plain() { JOBS * rounded(leaf_build_memory(table.rows() / u64::from(leaves(table)))) } else { 0 };
    let wanted = of_leaves.max(rounded(codes_build_memory(table.rows(), form)));
    let most = measured.memory().map_or(wanted, |(bytes, _)| hundredths(bytes, FOR_BUILDS));
    let megabytes = wanted.min(most) >> 20;
    if megabytes > ORDINARY_MEGABYTES { format!(" --index-memory {megabytes}") } else { String::new() }
}
