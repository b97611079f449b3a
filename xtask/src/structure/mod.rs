//! `db-structure`: the dump of what Ecto's migrations make.

mod command;
mod dump;
mod error;

pub(crate) use command::run;
pub(crate) use error::StructureError;
