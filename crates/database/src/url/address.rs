//! A server, and a database of it.

use std::path::PathBuf;
use std::time::Duration;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::tls::Tls;

/// Where a PostgreSQL server is and how to log in.
///
/// `Display` shows it without the password; so does `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct ServerUrl {
    pub(super) host: Host,
    pub(super) port: u16,
    pub(super) user: Option<String>,
    pub(super) password: Option<String>,
    pub(super) tls: Tls,
    pub(super) root_certificate: Option<PathBuf>,
    pub(super) connect_timeout: Duration,
    pub(super) ecto_parameters: Vec<(String, String)>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Host {
    Tcp(String),
    SocketDirectory(String),
}

/// A database of a server; a database is always named.
///
/// `Display` shows it without the password; so does `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct DatabaseUrl {
    pub(super) server: ServerUrl,
    pub(super) database: String,
}

/// The database that every server has, for what cannot be done inside the database itself.
const MAINTENANCE: &str = "postgres";

impl ServerUrl {
    /// A database of this server.
    #[must_use]
    pub fn database(&self, name: &str) -> DatabaseUrl {
        DatabaseUrl { server: self.clone(), database: name.to_owned() }
    }

    /// The database that every server has.
    #[must_use]
    pub fn maintenance(&self) -> DatabaseUrl {
        self.database(MAINTENANCE)
    }

    /// The server's port.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Every text by which the password could show up in the output of a tool.
    #[must_use]
    pub fn secrets(&self) -> Vec<String> {
        let Some(password) = self.password.as_deref().filter(|password| !password.is_empty()) else {
            return Vec::new();
        };
        let encoded = encode(password);
        let mut secrets = vec![password.to_owned()];
        if encoded != password {
            secrets.push(encoded);
        }
        secrets
    }
}

impl DatabaseUrl {
    /// The database's name.
    #[must_use]
    pub fn database(&self) -> &str {
        &self.database
    }

    /// The server that it is on.
    #[must_use]
    pub fn server(&self) -> &ServerUrl {
        &self.server
    }

    /// The same server and login, another database.
    #[must_use]
    pub fn with_database(&self, name: &str) -> Self {
        self.server.database(name)
    }

    /// How long a connection may take to come about.
    #[must_use]
    pub fn connect_timeout(&self) -> Duration {
        self.server.connect_timeout
    }

    /// Every text by which the password could show up in the output of a tool.
    #[must_use]
    pub fn secrets(&self) -> Vec<String> {
        self.server.secrets()
    }
}

/// Everything but RFC 3986's unreserved characters, so that every parser of URLs reads a part alike.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

pub(super) fn encode(text: &str) -> String {
    utf8_percent_encode(text, RESERVED).to_string()
}
