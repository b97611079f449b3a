//! What `verify` says of what it only looks at.

use db_service::subject::{codes, filters, triggers};
use ledger::migrate::LedgerState;
use ledger::migration::LAYER;
use relayout::audit;
use relayout::layout::Layout;
use sqlx::PgConnection;
use terminal::step::{Status, Step};

use crate::problem::Problem;

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
