//! One URL, parsed once, in the form that each tool takes.
//!
//! Ecto, sqlx and libpq read the same URL differently: Ecto knows `ssl` and `socket_dir`, the others know `sslmode` and
//! `host`; each ignores what it does not know. A URL that asks for TLS could so end in plaintext without a word. Here a
//! parameter is understood and carried over to every tool, or does no harm where it is passed over, or is an error.
//!
//! A URL with a database and one without are two types: what works on a database cannot be called with a server.

mod address;
mod defaults;
mod error;
mod forms;
mod host;
mod parameters;
mod parse;
mod password_file;
mod settings;
mod split;
mod tls;

pub use address::{DatabaseUrl, Parsed, ServerUrl};
pub use defaults::Defaults;
pub use error::DatabaseUrlError;
