//! In how many leaves the tables that grow should be.

use relayout::layout::Bytes;
use serde_json::json;

use super::measured::{Measured, Table};
use super::need;
use super::point::Advice;
use super::way;

const RULE: &str = "leaves";

pub(super) fn advise(measured: &Measured) -> Vec<Advice> {
    let tables = [&measured.embeddings, &measured.code_files].into_iter().flatten();
    tables.map(|table| of_table(measured, table)).collect()
}

fn of_table(measured: &Measured, table: &Table) -> Advice {
    let (name, rows, bytes) = (table.name, table.rows(), table.bytes());
    let wanted = way::leaves(table);
    let figures = json!({
        "table": name, "rows": rows, "bytes": bytes, "leaves": if table.is_plain() { 1 } else { table.leaves.len() },
        "wanted_leaves": wanted,
    });
    let about = table.about();
    if !table.is_plain() {
        let largest = table.largest();
        let share = percent(largest.rows, rows);
        let message =
            format!("it is in {} leaves: {about}, {}; the largest holds {share} %", table.leaves.len(), Bytes(bytes));
        return Advice::fine(RULE, message, figures).at(table);
    }
    let message = format!("it is one plain table: {about}, {} with indexes", Bytes(bytes));
    if !need::is_needed(measured) {
        return Advice::fine(RULE, message, figures)
            .at(table)
            .why("that is enough as long as the layer is not worth its while");
    }
    let why = format!(
        "{wanted} leaves of about {} rows: a search, a re-index or a deletion of one repository touches one of them; it takes \
         room for a second copy, {}, until the old form is dropped",
        rows / u64::from(wanted),
        Bytes(bytes)
    );
    Advice::to_do(RULE, message, figures).at(table).why(why).run(&way::into_leaves(measured, table))
}

fn percent(part: u64, whole: u64) -> u64 {
    (part * 100).checked_div(whole).unwrap_or_default()
}
