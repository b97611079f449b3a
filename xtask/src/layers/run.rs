//! Bringing a layer about: the same for every one.

use terminal::activity::Activity as _;

use super::contract::{Layer, LayerPlan as _, Visitor};
use super::error::LayerError;
use super::session::Session;

/// Brings layers of one database about; with `dry_run`, only says what that would take.
pub(crate) struct BringAbout<'a, 'b> {
    pub(crate) session: &'a mut Session<'b>,
    pub(crate) dry_run: bool,
}

impl Visitor for BringAbout<'_, '_> {
    async fn visit<L: Layer>(&mut self, layer: &L) -> Result<(), LayerError> {
        run(layer, self.session, self.dry_run).await
    }
}

/// One layer of one database.
pub(crate) async fn run<L: Layer>(layer: &L, session: &mut Session<'_>, dry_run: bool) -> Result<(), LayerError> {
    let state = layer.inspect(session).await?;
    let plan = layer.plan(&state, session.target)?;
    if plan.is_empty() || dry_run {
        let target = session.target;
        plan.steps(target).into_iter().for_each(|step| session.report(step));
        session.notes.extend(plan.notes());
        return plan.refused(target);
    }
    let job = session.console.job(session.target.name());
    job.phase(&format!("{} layer", L::NAME.name()), None);
    // Another run may have done the work before we had the lock.
    let plan = loop {
        // The database itself is made under the server's lock; everything else under the database's own.
        let exists = session.connection().await?.is_some();
        if exists {
            session.lock().await?;
        }
        let state = layer.inspect(session).await?;
        // If another run has made it in between, it can be locked now.
        if exists == session.is_connected() {
            break layer.plan(&state, session.target)?;
        }
    };
    session.notes.extend(plan.notes());
    layer.apply(&plan, session).await
}
