//! What is asked for.

use std::path::PathBuf;
use std::time::Duration;

use crate::kind::Kind;

/// Which server to start.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The project's folder; the server's state is in `.dev-db/` below it.
    pub root: PathBuf,
    /// Where the programs come from. `None` takes what runs, then local ones that fit, then the embedded ones.
    pub kind: Option<Kind>,
    /// The port on 127.0.0.1. `None` takes the project's own, or the next one that is free.
    pub port: Option<u16>,
    /// How long the server may take to accept connections. Downloads and builds are not counted.
    pub timeout: Duration,
}
