//! The performance layer's migrations: what is there, what is missing, and bringing it about.

mod apply;
mod inspect;
mod plan;
mod script;

pub use apply::apply;
pub use inspect::{LedgerState, inspect};
pub use plan::{MigrationPlan, forecast, plan};
pub use script::script;
