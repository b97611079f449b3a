//! What every program of the project says, and how it says it. Knows no SQL.
//!
//! | Module | Holds |
//! |---|---|
//! | [`activity`] | what goes on, as whoever works tells it |
//! | [`step`] | what a run did or would do, object by object |
//! | [`report`] | the whole run, as `--json` prints it and as one line |
//! | [`finding`] | what a check has to say: rule, place, message, help, fix |
//! | [`failure`] | errors in three parts: what, why, next |
//! | [`exit`] | exit codes |
//! | [`elapsed`] | durations, for people and for JSON |
//! | [`secret`] | passwords, hidden in what other programs print |
//! | [`variables`] | the one place that reads the process's environment |
//! | `console` | the one place that prints (feature `console`) |
//! | `board` | what goes on, a line a job (feature `console`) |
//! | `arguments` | the command line, whose errors show no password (feature `arguments`) |
//! | `completions` | what a shell completes of it (feature `arguments`) |
//!
//! How the crates belong together, and what always holds: `docs/architecture.md`.
#![warn(missing_docs)]

pub mod activity;
#[cfg(feature = "arguments")]
pub mod arguments;
#[cfg(feature = "console")]
pub mod board;
#[cfg(feature = "arguments")]
pub mod completions;
#[cfg(feature = "console")]
pub mod console;
pub mod elapsed;
pub mod exit;
pub mod failure;
pub mod finding;
#[cfg(feature = "console")]
mod fold;
pub mod report;
pub mod secret;
pub mod step;
pub mod variables;

pub use exit::Exit;
pub use failure::Failure;
pub use finding::Finding;
pub use secret::Secret;
