//! A job: its journal, its phases, its relations.

#[cfg(test)]
pub(crate) mod example;
mod forms;
mod journal;
mod phase;
pub(crate) mod range;

pub(crate) use forms::{NEW, OLD, Tree};
pub(crate) use journal::Job;
pub use phase::Phase;
