//! The third layer: the performance layer, which is `db_service`'s own work; here it takes its place in the order.

use db_service::layer::{self, LayerState, PerformancePlan};
use db_service::status;
use db_service::subject::Terms;
use ledger::ecto::{EctoState, Files};
use ledger::history;
use ledger::migration::Migrations;
use relayout::{Budget, Engine};
use terminal::step::Step;

use super::contract::{Layer, LayerPlan};
use super::error::LayerError;
use super::session::{Locked, Session};
use crate::cli;
use crate::target::Target;

/// The layer with its migrations.
#[derive(Debug)]
pub(crate) struct Performance {
    pub(crate) files: Files,
    pub(crate) migrations: Migrations,
    /// The Ecto layer is part of this dry run, so what it would do counts as done.
    pub(crate) assume_ecto: bool,
    /// Tables of any size may be converted.
    pub(crate) agreed: bool,
    /// Of all index builds together, in megabytes.
    pub(crate) index_memory: u32,
}

impl Layer for Performance {
    const NAME: cli::Layer = cli::Layer::Sqlx;
    type State = LayerState;
    type Plan = PerformancePlan;

    async fn inspect(&self, session: &mut Session<'_>) -> Result<LayerState, LayerError> {
        let target = session.target;
        match session.connection().await? {
            Some(connection) => Ok(layer::inspect(connection, target.name(), &self.migrations).await?),
            None => Ok(LayerState::empty()),
        }
    }

    fn plan(&self, state: &LayerState, target: &Target) -> Result<PerformancePlan, LayerError> {
        let plan = if self.assume_ecto && !state.ecto.pending(&self.files).is_empty() {
            layer::forecast(&self.migrations, &self.files, state)
        } else {
            layer::plan(&self.migrations, &self.files, state)
        };
        Ok(plan.map_err(ledger::Error::broken(target.name()))?)
    }

    async fn look(&self, session: &mut Session<'_>) -> Result<(), LayerError> {
        let state = self.inspect(session).await?;
        let target = session.target;
        // What is wrong with Ecto's ledger hides nothing here.
        let (plan, broken) = match self.plan(&state, target) {
            Ok(plan) => (plan, None),
            Err(broken) => {
                let plan = layer::forecast(&self.migrations, &self.files, &state);
                (plan.map_err(ledger::Error::broken(target.name()))?, Some(broken))
            }
        };
        let steps = [plan.unchanged(target.name()), plan.pending(target.name())].concat();
        let Some(connection) = session.connection().await? else {
            session.steps.extend(steps);
            return Ok(());
        };
        let (database, ledger) = (target.name(), &state.ledger);
        let history = history::read(connection, &EctoState::empty(), ledger, database).await?;
        let layouts = status::at_layouts(connection, ledger, database).await?;
        let mut found = status::at_layer(steps, connection, &layouts, ledger, &history, database).await?;
        found.extend(status::switched_off(connection, ledger, database).await?);
        found.extend(status::kept_up(connection, database).await?);
        session.steps.extend(found);
        plan.refused(database)?;
        broken.map_or(Ok(()), Err)
    }

    async fn apply(&self, plan: &PerformancePlan, session: &mut Session<'_>) -> Result<(), LayerError> {
        let (console, teller) = (session.console, session.teller);
        let mut steps = Vec::new();
        let Locked { lock, worker } = session.lock().await?;
        let budget = Budget { megabytes: self.index_memory, ..Budget::MODEST };
        let engine = Engine { lock, budget, free_disk: None, patience: Engine::PATIENCE, watcher: console };
        let terms = Terms { engine, most_bytes: if self.agreed { u64::MAX } else { Terms::SMALL }, only: None };
        let outcome = layer::apply(plan, &self.migrations, worker, &terms, |step| {
            teller.tell(&step);
            steps.push(step);
        })
        .await;
        session.steps.extend(steps);
        Ok(outcome?)
    }

    fn forecast(&self, target: &Target) -> Result<Vec<Step>, LayerError> {
        let plan = layer::forecast(&self.migrations, &self.files, &LayerState::empty());
        Ok(plan.map_err(ledger::Error::broken(target.name()))?.pending(target.name()))
    }
}

impl LayerPlan for PerformancePlan {
    fn is_empty(&self) -> bool {
        self.is_empty()
    }

    fn notes(&self) -> Vec<String> {
        self.notes()
    }

    fn refused(&self, target: &Target) -> Result<(), LayerError> {
        Ok(self.refused(target.name())?)
    }

    fn steps(&self, target: &Target) -> Vec<Step> {
        [self.unchanged(target.name()), self.pending(target.name())].concat()
    }
}
