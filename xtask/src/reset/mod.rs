//! `db-server reset`: one development database is dropped.

mod command;
pub(crate) mod error;

pub(crate) use command::run;
