//! Finds or starts a PostgreSQL for development.
//!
//! One project folder has at most one server. Everything about it is in `<root>/.dev-db/`, which only its owner
//! may read (started by root, the account that PostgreSQL runs as may pass through it): the cluster, its log, the password, and the lock that makes concurrent starts one start.
//!
//! ```no_run
//! use std::{path::PathBuf, time::Duration};
//!
//! let settings = dev_server::Settings {
//!     root: PathBuf::from("."),
//!     kind: None,
//!     port: None,
//!     timeout: Duration::from_secs(60),
//! };
//! let start = dev_server::start(&settings, &|step| eprintln!("{step}"))?;
//! let url = start.server.url("singularity_dev");
//! # Ok::<(), dev_server::Error>(())
//! ```
//!
//! # Invariants
//!
//! - **A start is whole or has not happened.** The cluster is initialised under another name and renamed, the
//!   embedded binaries likewise; what a killed start left behind is removed by the next one.
//! - **Nothing of the user's is deleted.** A cluster that cannot be started is an error that says why.
//! - **The password is never printed** and never on a command line: it is in files of mode 0600, and its type has
//!   no `Display`.
//! - **PostgreSQL never runs as root**; started by root, it runs as the owner of the project or as a system account.
//! - **[`running()`] is cheap**: it reads files and asks the kernel, and starts no process.
//!
//! How the crates belong together, and what always holds: `docs/architecture.md`.

#[cfg(not(unix))]
compile_error!("dev_server starts PostgreSQL with Unix accounts, sockets and file locks; on Windows use WSL");

mod account;
mod accounts;
mod cache;
mod clean;
mod client;
mod cluster;
mod config;
mod container;
mod disk;
mod embedded;
mod error;
mod file;
mod fingerprint;
mod home;
mod installation;
mod kind;
mod known;
mod local;
mod lock;
mod note;
mod orphan;
mod pid_file;
mod pip;
mod pip_failure;
mod port;
mod postmaster;
mod probe;
mod process;
mod progress;
mod reach;
mod record;
mod rejection;
mod running;
mod secret;
mod server;
mod settings;
mod socket;
mod start;
mod state_folder;
mod stop;
mod version;
mod wheel;

pub use clean::{Cached, cached, clean};
pub use client::{logs, psql};
pub use container::image::ensure as image;
pub use error::Error;
pub use kind::{Kind, UnknownKind};
pub use note::Note;
pub use pip_failure::PipFailure;
pub use process::ProgramFailure;
pub use progress::Progress;
pub use rejection::Rejection;
pub use running::{log, running};
pub use secret::Secret;
pub use server::{Log, Server};
pub use settings::Settings;
pub use start::{Start, start};
pub use stop::{Stop, stop};
