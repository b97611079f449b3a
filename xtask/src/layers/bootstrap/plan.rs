//! What is to be done in a database, in order.

use terminal::step::{Status, Step};

use super::extension;
use super::facts::DatabaseFacts;
use crate::layers::contract::LayerPlan;
use crate::target::Target;

/// One thing to do, or found done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    Database {
        exists: bool,
    },
    /// With the time zone of a new database, which is so set even if a run was killed right after creating it.
    Environment {
        mark: String,
        is_set: bool,
        with_time_zone: bool,
    },
    Extension {
        name: &'static str,
        action: extension::Action,
    },
}

/// What is to be done, in order, and what is worth knowing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct BootstrapPlan {
    pub(super) actions: Vec<Action>,
    pub(super) notes: Vec<String>,
}

impl LayerPlan for BootstrapPlan {
    fn is_empty(&self) -> bool {
        self.actions.iter().all(Action::is_done)
    }

    fn steps(&self, target: &Target) -> Vec<Step> {
        self.actions
            .iter()
            .map(|action| action.step(target, if action.is_done() { Status::Unchanged } else { Status::Pending }))
            .collect()
    }

    fn notes(&self) -> Vec<String> {
        self.notes.clone()
    }
}

impl Action {
    fn is_done(&self) -> bool {
        match self {
            Self::Database { exists } => *exists,
            Self::Environment { is_set, .. } => *is_set,
            Self::Extension { action, .. } => action.is_done(),
        }
    }

    /// How it is reported; an extension that is left out says so whatever the status.
    pub(super) fn step(&self, target: &Target, status: Status) -> Step {
        let step = |object, name: &str| Step::new(target.name(), "bootstrap", object, name, status);
        match self {
            Self::Database { .. } => step("database", target.name()),
            Self::Environment { mark, .. } => step("environment", mark),
            Self::Extension { name, action } => action.describe(step("extension", name)),
        }
    }
}

/// What becomes of the mark.
pub(super) fn environment(database: &DatabaseFacts, target: &Target) -> Action {
    let wanted = target.environment.name();
    match &database.environment {
        Some(mark) if !mark.is_empty() && (mark == wanted || !target.environment_is_explicit) => {
            Action::Environment { mark: mark.clone(), is_set: true, with_time_zone: false }
        }
        mark => Action::Environment {
            mark: wanted.to_owned(),
            is_set: false,
            with_time_zone: mark.is_none() && !database.has_relations,
        },
    }
}
