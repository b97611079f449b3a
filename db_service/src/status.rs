//! What a database is, in lines: for whoever only looks.

use database::transaction;
use ledger::ecto::Files;
use ledger::history::History;
use ledger::migrate::LedgerState;
use ledger::migration::LAYER;
use relayout::adaptive;
use relayout::layout::{Contents, Layout, Leaf, Size};
use serde_json::{Value, json};
use sqlx::PgConnection;
use terminal::activity::Unwatched;
use terminal::step::{Status, Step};

use crate::error::Error;
use crate::maintenance::{self, Terms};
use crate::subject::codes::{self, Form};
use crate::subject::{filters, layouts};

/// Layouts, desired and actual.
///
/// # Errors
/// When a query fails.
pub async fn at_layouts(
    connection: &mut PgConnection,
    ledger: &LedgerState,
    database: &str,
) -> Result<Vec<Layout>, Error> {
    let failed = |error| Error::from(database::Error::sql("read the layouts", database)(error));
    transaction::run_with(connection, transaction::READ_ONLY, failed, async |connection| {
        layouts::read(connection, ledger, database).await.map(transaction::End::Commit)
    })
    .await
}

/// Each of Ecto's files, whether and when it was applied.
#[must_use]
pub fn at_ecto(files: &Files, applied: &[i64], history: &History, database: &str) -> Vec<Step> {
    let status = |version| if applied.contains(&version) { Status::Found } else { Status::Pending };
    let step = |version| {
        let step = Step::new(database, "ecto", "migration", files.name(version)?, status(version));
        Some(dated(step, history.ecto.get(&version)))
    };
    files.versions().filter_map(step).collect()
}

/// The steps of a plan as things that were found: migrations with their dates, tables with what they hold.
///
/// # Errors
/// When a query fails.
pub async fn at_layer(
    steps: Vec<Step>,
    connection: &mut PgConnection,
    layouts: &[Layout],
    ledger: &LedgerState,
    history: &History,
    database: &str,
) -> Result<Vec<Step>, Error> {
    let mut found = Vec::new();
    for step in steps {
        let step = step.as_found();
        let layout = layouts.iter().find(|layout| step.object == "layout" && layout.table == step.name);
        found.push(match layout {
            Some(layout) if layouts::has_statistics(ledger) => {
                let contents = adaptive::contents(connection, layout, database).await?;
                with_contents(step, layout, &contents)
            }
            _ => {
                let version = step.name.split('_').next().and_then(|version| version.parse().ok());
                dated(step, version.and_then(|version: i64| history.layer.get(&version)))
            }
        });
    }
    Ok(found)
}

/// Subjects that nobody wants here: their plans do not speak of them.
///
/// # Errors
/// When a query fails.
pub async fn switched_off(
    connection: &mut PgConnection,
    ledger: &LedgerState,
    database: &str,
) -> Result<Vec<Step>, Error> {
    let step = |object, name, detail| Step::new(database, LAYER, object, name, Status::Found).detail(detail);
    let mut off = Vec::new();
    if codes::read(connection, ledger, database).await?.is_some_and(|codes| codes.form == Form::None) {
        off.push(step("codes", "embeddings", "none: searches across repositories go to the leaves"));
    }
    if filters::read(connection, ledger, database).await?.is_some_and(|filter| !filter.is_kept) {
        off.push(step("filter", "code_files", "none; `migrations filters --on` has one built and kept"));
    }
    Ok(off)
}

/// What [`maintenance`] keeps up: versions, fresh codes, results, answers, statistics. What is due there is no work that anybody has
/// left undone, so it is found like the rest.
///
/// # Errors
/// When a query fails.
pub async fn kept_up(connection: &mut PgConnection, database: &str) -> Result<Vec<Step>, Error> {
    let mut found = Vec::new();
    let terms = Terms { is_dry: true, ..Terms::ORDINARY };
    maintenance::maintain(connection, &terms, database, &Unwatched, |step| {
        found.push(match step.status {
            Status::Pending => {
                let due = format!("due: {}", step.detail.as_deref().unwrap_or_default());
                Step { status: Status::Found, ..step }.detail(due).facts(json!({ "is_due": true }))
            }
            _ => step.as_found(),
        });
    })
    .await?;
    Ok(found)
}

fn dated(step: Step, applied_at: Option<&String>) -> Step {
    match applied_at {
        Some(at) => {
            let said = at.replace('T', " ").replace('Z', " UTC");
            step.detail(format!("applied {said}")).facts(json!({ "applied_at": at }))
        }
        None => step,
    }
}

fn with_contents(step: Step, layout: &Layout, contents: &Contents) -> Step {
    let between = if step.status == Status::Found { ": " } else { "; it holds " };
    let detail = format!("{}{between}{contents}", step.detail.as_deref().unwrap_or_default());
    let leaf = |found: Option<&(Leaf, Size)>| {
        found.map(|(leaf, size)| json!({ "leaf": leaf.to_string(), "rows": size.rows, "bytes": size.bytes() }))
    };
    let facts: Value = json!({
        "declared": layout.desired.to_string(),
        "actual": layout.actual.to_string(),
        "phase": layout.phase,
        "rows": contents.whole.rows,
        "rows_copied": contents.copied,
        "table_bytes": contents.whole.table_bytes,
        "index_bytes": contents.whole.index_bytes,
        "largest_leaf": leaf(contents.largest()),
        "smallest_leaf": leaf(contents.smallest()),
    });
    step.detail(detail).facts(facts)
}
