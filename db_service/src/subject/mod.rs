//! What converges: each subject compares what is declared in `db_service` with what is there, and closes the gap.
//!
//! A migration declares, in a small transaction that is safe on any size; the work is done here, after the migrations, in
//! every run: so what could not be done when the migration ran, or was cut off, is picked up by the next one.

pub mod codes;
mod contract;
pub mod filters;
pub mod layouts;
pub mod triggers;

pub use contract::{Inspected, Planned, Subject, Terms};

/// All of them, in the order in which they are brought about.
pub const ORDER: [&dyn Subject; 4] =
    [&layouts::Layouts, &triggers::Triggers, &codes::CodesOfEmbeddings, &filters::FilterOfContents];
