//! What every layer can do: `inspect` reads, `plan` decides, `apply` changes.

use terminal::step::Step;

use super::error::LayerError;
use super::session::Session;
use crate::cli;
use crate::target::Target;

/// One layer of the database.
pub(crate) trait Layer {
    /// Its name on the command line.
    const NAME: cli::Layer;
    /// What the database says.
    type State;
    /// What is to be done; a value that can be shown or applied.
    type Plan: LayerPlan;

    /// Reads; writes nothing.
    async fn inspect(&self, session: &mut Session<'_>) -> Result<Self::State, LayerError>;
    /// Decides. Pure.
    fn plan(&self, state: &Self::State, target: &Target) -> Result<Self::Plan, LayerError>;
    /// Changes; the session holds the lock.
    async fn apply(&self, plan: &Self::Plan, session: &mut Session<'_>) -> Result<(), LayerError>;
    /// What there is, as far as it can be said, goes to the session's steps; also where something is wrong. Reads.
    async fn look(&self, session: &mut Session<'_>) -> Result<(), LayerError>;
    /// What would be done in a database of a server that does not run yet.
    fn forecast(&self, target: &Target) -> Result<Vec<Step>, LayerError>;
}

/// What a layer would do.
pub(crate) trait LayerPlan {
    /// Nothing is to be done.
    fn is_empty(&self) -> bool;
    /// What to report where nothing is done: what is there already, or what would be done.
    fn steps(&self, target: &Target) -> Vec<Step>;
    /// What a run would refuse: a dry run says so too.
    fn refused(&self, _target: &Target) -> Result<(), LayerError> {
        Ok(())
    }
    /// What is worth knowing, once.
    fn notes(&self) -> Vec<String> {
        Vec::new()
    }
}

/// Something to do with each layer in turn.
pub(crate) trait Visitor {
    /// Does it.
    async fn visit<L: Layer>(&mut self, layer: &L) -> Result<(), LayerError>;
}
