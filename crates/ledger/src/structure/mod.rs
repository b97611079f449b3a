//! `structure.sql`: what Ecto's migrations make, as a dump.
//!
//! | Module | Holds |
//! |---|---|
//! | [`mod@normal_form`] | the dump in a form that is the same whoever takes it, and what it says |
//! | [`mod@batches`] | the dump as it is sent to a server |
//! | `script`, `token` | a script for psql in its statements; what in it is quoted |
//! | `stamp` | what newer servers put among a column's options |

pub mod batches;
pub mod normal_form;
mod script;
mod stamp;
mod token;

pub use batches::{Batch, CommandError, batches};
pub use normal_form::{naming, normalise, versions};
