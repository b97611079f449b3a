//! Leaves that hold too much, and repositories that no hash of their name divides.

use relayout::layout::planner::GIANT;
use serde_json::json;

use super::measured::{LeafSize, Measured, Repository, Table};
use super::need;
use super::point::Advice;
use super::unknown::Unknown;

const RULE: &str = "split";
const OF_GIANTS: &str = "giant";

pub(super) fn advise(measured: &Measured) -> Vec<Advice> {
    let tables = [&measured.embeddings, &measured.code_files].into_iter().flatten();
    tables.flat_map(|table| if table.is_plain() { of_plain(measured, table) } else { of_leaves(table) }).collect()
}

/// Those that would fill leaves of their own.
fn of_plain(measured: &Measured, table: &Table) -> Vec<Advice> {
    let (Ok(repositories), true) = (&table.repositories, need::is_needed(measured)) else { return Vec::new() };
    let most = table.policy.most_rows();
    let giants = repositories.iter().filter(|repository| repository.rows > most);
    giants
        .map(|giant| {
            let message = format!(
                "repository `{}` has about {} of its rows, and a leaf should not hold more than {most}",
                giant.name, giant.rows
            );
            Advice::to_do(OF_GIANTS, message, figures(table, giant, None))
                .at(table)
                .why("once the table is in leaves, it is most of one of them, which only its paths divide")
                .run(&[format!("migrations split --table {} --by-path --yes", table.name)])
        })
        .collect()
}

fn of_leaves(table: &Table) -> Vec<Advice> {
    let most = table.policy.most_rows();
    let (mut advice, mut overfull) = (Vec::new(), Vec::new());
    for leaf in table.leaves.iter().filter(|leaf| leaf.rows > most && leaf.parts <= 1) {
        match giant(table, leaf) {
            Ok(Some(giant)) => advice.push(by_path(table, leaf, giant)),
            Ok(None) | Err(_) => overfull.push(leaf),
        }
    }
    if let Some(largest) = overfull.iter().max_by_key(|leaf| leaf.rows) {
        advice.push(by_repository(table, &overfull, largest));
    }
    if advice.is_empty() {
        let largest = table.largest();
        let message =
            format!("its largest leaf{} holds about {} rows, up to {most} are fine", named(&largest), largest.rows);
        let figures = json!({ "table": table.name, "leaf": name(&largest), "rows": largest.rows, "most_rows": most });
        advice.push(Advice::fine(RULE, message, figures).at(table));
    }
    advice
}

/// The repository that is most of a leaf, if one is.
fn giant<'a>(table: &'a Table, leaf: &LeafSize) -> Result<Option<&'a Repository>, &'a Unknown> {
    let repositories = table.repositories.as_ref()?;
    let in_leaf = repositories.iter().filter(|it| leaf.leaf.is_some_and(|leaf| leaf.takes(it.hash)));
    Ok(in_leaf.max_by_key(|it| it.rows).filter(|it| share(it.rows, leaf.rows) >= GIANT))
}

fn by_path(table: &Table, leaf: &LeafSize, giant: &Repository) -> Advice {
    let share = (share(giant.rows, leaf.rows) * 100.0).min(100.0);
    let message = format!(
        "leaf{} holds about {} rows, of which repository `{}` is {share:.0} %; more than {} are too many",
        named(leaf),
        leaf.rows,
        giant.name,
        table.policy.most_rows()
    );
    Advice::to_do(OF_GIANTS, message, figures(table, giant, Some(leaf)))
        .at(table)
        .why("the hash of its name does not divide a repository; that of the path does")
        .run(&[format!("migrations split --table {} --leaf {} --by-path --yes", table.name, name(leaf))])
}

fn by_repository(table: &Table, overfull: &[&LeafSize], largest: &LeafSize) -> Advice {
    let (most, count) = (table.policy.most_rows(), overfull.len());
    let leaves = if count == 1 { "1 leaf holds".to_owned() } else { format!("{count} leaves hold") };
    let message = format!("{leaves} more than {most} rows, the largest{} about {}", named(largest), largest.rows);
    let figures = json!({
        "table": table.name, "leaves": count, "leaf": name(largest), "rows": largest.rows, "most_rows": most,
    });
    let why = "the larger a leaf, the longer its index is built, and the more of it has to be in memory";
    // Whether one repository is most of it, the command finds out by counting.
    let (why, more) = match &table.repositories {
        Ok(_) => (why.to_owned(), ""),
        Err(unknown) => (format!("{why}; whether one repository is most of one is not known: {unknown}"), " --by-path"),
    };
    let command = format!("migrations split --table {}{more} --yes", table.name);
    Advice::to_do(RULE, message, figures).at(table).why(why).run(&[command])
}

fn figures(table: &Table, giant: &Repository, leaf: Option<&LeafSize>) -> serde_json::Value {
    json!({
        "table": table.name, "repository": giant.name, "rows": giant.rows, "most_rows": table.policy.most_rows(),
        "leaf": leaf.and_then(|leaf| leaf.leaf).map(|leaf| leaf.to_string()), "leaf_rows": leaf.map(|leaf| leaf.rows),
    })
}

fn name(leaf: &LeafSize) -> String {
    leaf.leaf.map(|leaf| leaf.to_string()).unwrap_or_default()
}

fn named(leaf: &LeafSize) -> String {
    leaf.leaf.map(|leaf| format!(" {leaf}")).unwrap_or_default()
}

#[expect(clippy::cast_precision_loss, reason = "a share needs no more than 52 bits")]
fn share(part: u64, whole: u64) -> f64 {
    part as f64 / whole.max(1) as f64
}
