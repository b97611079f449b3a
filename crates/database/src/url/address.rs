//! A server, and a database of it.

use std::time::Duration;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use terminal::Secret;

use super::host::Host;
use super::password_file::PasswordFile;
use super::tls::Protection;

/// Where a PostgreSQL server is and how to log in.
///
/// `Display` shows it without the password; so does `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct ServerUrl {
    pub(super) host: Host,
    pub(super) port: u16,
    pub(super) user: Option<String>,
    pub(super) password: Option<String>,
    /// Those of the password file, by database, where the URL has none.
    pub(super) passwords: PasswordFile,
    pub(super) protection: Protection,
    pub(super) connect_timeout: Duration,
    /// Settings of the server for our sessions, which we make before our own.
    pub(super) settings: Vec<(String, String)>,
    pub(super) ecto_parameters: Vec<(String, String)>,
    pub(super) notes: Vec<String>,
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

/// What a URL names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Parsed {
    /// A server, and no database of it.
    Server(ServerUrl),
    /// A database.
    Database(DatabaseUrl),
}

impl Parsed {
    /// The server, either way.
    #[must_use]
    pub fn server(&self) -> &ServerUrl {
        match self {
            Self::Server(server) => server,
            Self::Database(url) => url.server(),
        }
    }

    /// The passwords that another tool, given this URL, could print.
    #[must_use]
    pub fn secrets(&self) -> Vec<Secret> {
        match self {
            Self::Server(server) => server.secrets(),
            Self::Database(url) => url.secrets(),
        }
    }
}

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

    /// What in the URL was not taken as it stands there, for people.
    #[must_use]
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// The passwords that another tool, given this URL, could print.
    #[must_use]
    pub fn secrets(&self) -> Vec<Secret> {
        self.secrets_of(None)
    }

    fn secrets_of(&self, database: Option<&str>) -> Vec<Secret> {
        let user = self.user.as_deref().unwrap_or_default();
        let host = match &self.host {
            Host::Tcp(host) | Host::SocketDirectory(host) => host.as_str(),
        };
        let names = || [user, host].into_iter().chain(database).map(str::to_owned);
        let of_file = self.passwords.passwords(&self.host, self.port, user);
        let passwords = self.password.as_deref().into_iter().chain(of_file);
        passwords.map(|password| Secret::new([password.to_owned(), encode(password)], names())).collect()
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

    /// The password with which to log in to it.
    pub(super) fn password(&self) -> Option<&str> {
        let Self { server, database } = self;
        let of_file = || server.passwords.password(&server.host, server.port, database, server.user.as_deref()?);
        server
            .password
            .as_deref()
            .filter(|password| !password.is_empty())
            .or_else(of_file)
            .or(server.password.as_deref())
    }

    /// The passwords that another tool, given this URL, could print.
    #[must_use]
    pub fn secrets(&self) -> Vec<Secret> {
        self.server.secrets_of(Some(&self.database))
    }
}

/// Everything but RFC 3986's unreserved characters, so that every parser of URLs reads a part alike.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

pub(super) fn encode(text: &str) -> String {
    utf8_percent_encode(text, RESERVED).to_string()
}
