//! The three layers, each with the same verbs, and their order.

pub(crate) mod bootstrap;
pub(crate) mod contract;
pub(crate) mod ecto;
pub(crate) mod error;
pub(crate) mod order;
pub(crate) mod performance;
pub(crate) mod run;
pub(crate) mod session;
pub(crate) mod telling;
