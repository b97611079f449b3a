//! The phases of a job, one file each, in this order; [`machine`] says what is done in each and where it leads.
//!
//! 1. `shadow`: the new form is made, empty, beside the table;
//! 2. `capturing`: from now on triggers log the key of every row that a writer changes;
//! 3. `backfilling`: all rows are copied, ranges of the primary key side by side;
//! 4. `indexing`: indexes are built, several at a time;
//! 5. `catching_up`: rows in the log are copied again, until few are left; then one short transaction locks the table, copies
//!    the last ones, and swaps the two forms;
//! 6. `swapped`: both forms are compared row by row;
//! 7. `verified`: the old one is dropped.

pub(crate) mod abandoned;
pub(crate) mod backfilling;
pub(crate) mod capturing;
pub(crate) mod catching_up;
mod exchange;
pub(crate) mod foreign_keys;
mod identity;
pub(crate) mod indexing;
pub(crate) mod machine;
pub(crate) mod schemas;
pub(crate) mod shadow;
pub(crate) mod swapped;
mod triggers;
pub(crate) mod verified;
