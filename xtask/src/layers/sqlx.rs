//! The third layer: the performance layer, which is `db_service`'s own work; here it takes its place in the order.

use db_service::ecto::Files;
use db_service::migration::Migrations;
use db_service::relayout::{Budget, Context, Progress, SMALL};
use db_service::step::Step;
use db_service::{Error as DatabaseError, ecto, migrate};

use super::{Layer, Session};
use crate::error::Error;
use crate::target::Target;

/// The layer with its migrations.
#[derive(Debug)]
pub(crate) struct Sqlx {
    pub(crate) files: Files,
    pub(crate) migrations: Migrations,
    /// The Ecto layer is part of this dry run, so what it would do counts as done.
    pub(crate) assume_ecto: bool,
    /// Tables of any size may be converted.
    pub(crate) agreed: bool,
}

/// What both ledgers say: the gate compares them.
#[derive(Debug)]
pub(crate) struct State {
    ecto: ecto::State,
    layer: migrate::State,
}

impl Layer for Sqlx {
    type State = State;
    type Plan = migrate::Plan;

    async fn inspect(&self, session: &mut Session<'_>) -> Result<State, Error> {
        let ecto = super::ecto::inspect(session).await?;
        let name = &session.target.name;
        let layer = match session.connection().await? {
            Some(connection) => migrate::inspect(connection, name, &self.migrations).await?,
            None => migrate::State::empty(),
        };
        Ok(State { ecto, layer })
    }

    fn plan(&self, state: &State, target: &Target) -> Result<migrate::Plan, Error> {
        let plan = if self.assume_ecto && !state.ecto.pending(&self.files).is_empty() {
            migrate::forecast(&self.migrations, &self.files, &state.layer)
        } else {
            migrate::plan(&self.migrations, &self.files, &state.ecto, &state.layer)
        };
        let violated = |violation| DatabaseError::Violation { database: target.name.clone(), violation };
        Ok(plan.map_err(violated)?)
    }

    async fn apply(&self, plan: &migrate::Plan, session: &mut Session<'_>) -> Result<(), Error> {
        let (target, console) = (session.target, session.console);
        let mut steps = Vec::new();
        let busy = |text: &str| console.busy(text);
        let progress = Progress::new(&busy);
        let most_bytes = if self.agreed { u64::MAX } else { SMALL };
        let context =
            Context { url: &target.url, budget: Budget::MODEST, free_disk: None, most_bytes, progress: &progress };
        let connection = session.worker().await?;
        let outcome = migrate::apply(plan, &self.migrations, connection, context, |step| {
            console.step(&step);
            steps.push(step);
        })
        .await;
        session.steps.extend(steps);
        Ok(outcome?)
    }
}

impl super::Plan for migrate::Plan {
    fn is_empty(&self) -> bool {
        self.is_empty()
    }

    fn steps(&self, target: &Target) -> Vec<Step> {
        [self.unchanged(&target.name), self.pending(&target.name)].concat()
    }
}
