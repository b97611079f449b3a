//! What `status` and `verify` say of what they only look at.

use database::transaction;
use db_service::Error;
use db_service::subject::{codes, filters, layouts, triggers};
use ledger::ecto::Files;
use ledger::history::History;
use ledger::migrate::LedgerState;
use ledger::migration::LAYER;
use relayout::layout::{Contents, Layout, Leaf, Size};
use relayout::{adaptive, audit};
use serde_json::{Value, json};
use sqlx::PgConnection;
use terminal::step::{Status, Step};

use crate::problem::Problem;

/// Layouts, desired and actual.
pub(crate) async fn at_layouts(
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
pub(crate) fn at_ecto(files: &Files, applied: &[i64], history: &History, database: &str) -> Vec<Step> {
    let status = |version| if applied.contains(&version) { Status::Found } else { Status::Pending };
    let step = |version| {
        let step = Step::new(database, "ecto", "migration", files.name(version)?, status(version));
        Some(dated(step, history.ecto.get(&version)))
    };
    files.versions().filter_map(step).collect()
}

/// The steps of a plan as things that were found: migrations with their dates, tables with what they hold.
pub(crate) async fn at_layer(
    steps: Vec<Step>,
    connection: &mut PgConnection,
    layouts: &[Layout],
    ledger: &LedgerState,
    history: &History,
    database: &str,
) -> Result<Vec<Step>, Problem> {
    let mut found = Vec::new();
    for step in steps {
        let status = if step.status == Status::Unchanged { Status::Found } else { step.status };
        let step = Step { status, ..step };
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

/// What was checked and is as it should be, and the tables that do not have the layout that is declared for them.
pub(crate) async fn verified(
    connection: &mut PgConnection,
    layouts: &[Layout],
    ledger: &LedgerState,
    database: &str,
) -> Result<Vec<Step>, Problem> {
    let kept = triggers::read(connection, ledger, database).await?;
    let mut derived = codes::audit(connection, ledger, database).await?;
    derived.extend(filters::audit(connection, ledger, database).await?);
    let sound = audit::audit(connection, layouts, &kept, derived, database).await?;
    let step = |it: audit::Sound| Step::new(database, LAYER, it.object, it.name, Status::Verified).detail(it.detail);
    let pending = layouts.iter().filter(|layout| !layout.is_reached());
    let pending = pending.map(|layout| {
        Step::new(database, LAYER, "layout", &layout.table, Status::Pending)
            .detail(layout.way())
            .remedy("`migrations` brings it about; `migrations plan` says what stands against it")
    });
    Ok(sound.into_iter().map(step).chain(pending).collect())
}
