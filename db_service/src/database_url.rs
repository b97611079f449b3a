//! One database URL, parsed once, in the form that each tool takes.
//!
//! Ecto, sqlx and libpq read the same URL differently: Ecto knows `ssl` and `socket_dir`, the others know `sslmode` and
//! `host`; each ignores what it does not know. A URL that asks for TLS could so end in plaintext without a word. Here a
//! parameter is either understood and carried over to every tool, or it is an error.

mod parse;

use std::fmt::{self, Write as _};
use std::path::PathBuf;
use std::time::Duration;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use sqlx::postgres::{PgConnectOptions, PgSslMode};
use url::Url;

use parse::{Parameters, database_of, decode, decode_non_empty, host_of};

pub use parse::DatabaseUrlError;

/// Everything but RFC 3986's unreserved characters, so that every parser of URLs reads a part alike.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Where a PostgreSQL database is and how to log in.
///
/// `Display` shows it without the password; so does `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct DatabaseUrl {
    host: Host,
    port: u16,
    user: Option<String>,
    password: Option<String>,
    database: Option<String>,
    tls: Tls,
    root_certificate: Option<PathBuf>,
    connect_timeout: Duration,
    ecto_parameters: Vec<(String, String)>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Host {
    Tcp(String),
    SocketDirectory(String),
}

/// How the connection is protected, in libpq's terms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Tls {
    /// Nothing was asked for: TLS where the driver tries it and the server offers it.
    Unstated,
    Disable,
    Prefer,
    Require,
    VerifyCa,
    VerifyFull,
}

impl DatabaseUrl {
    /// Reads a `postgres://`, `postgresql://` or `ecto://` URL.
    pub fn parse(text: &str) -> Result<Self, DatabaseUrlError> {
        let url = Url::parse(text.trim()).map_err(DatabaseUrlError::Syntax)?;
        if !matches!(url.scheme(), "postgres" | "postgresql" | "ecto") {
            return Err(DatabaseUrlError::Scheme(url.scheme().into()));
        }
        if url.fragment().is_some() {
            return Err(DatabaseUrlError::Fragment);
        }
        let parameters = Parameters::read(&url)?;
        let host = match parameters.socket_directory.or(host_of(&url)?) {
            Some(host) if host.starts_with('/') => Host::SocketDirectory(host),
            Some(host) => Host::Tcp(host),
            None => return Err(DatabaseUrlError::NoHost),
        };
        Ok(Self {
            host,
            port: url.port().unwrap_or(5432),
            user: decode_non_empty(url.username(), "user")?,
            password: url.password().map(|password| decode(password, "password")).transpose()?,
            database: database_of(&url)?,
            tls: parameters.tls,
            root_certificate: parameters.root_certificate,
            connect_timeout: parameters.connect_timeout,
            ecto_parameters: parameters.ecto,
        })
    }

    /// The database, if the URL names one.
    #[must_use]
    pub fn database(&self) -> Option<&str> {
        self.database.as_deref()
    }

    /// The same server and login, another database.
    #[must_use]
    pub fn with_database(&self, name: &str) -> Self {
        Self { database: Some(name.to_owned()), ..self.clone() }
    }

    /// The same server and login, no database.
    #[must_use]
    pub fn without_database(&self) -> Self {
        Self { database: None, ..self.clone() }
    }

    /// The server's port.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// How long a connection may take to come about.
    #[must_use]
    pub fn connect_timeout(&self) -> Duration {
        self.connect_timeout
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

    /// For sqlx.
    #[must_use]
    pub fn for_sqlx(&self) -> PgConnectOptions {
        let mut options = PgConnectOptions::new().port(self.port).ssl_mode(match self.tls {
            Tls::Unstated | Tls::Prefer => PgSslMode::Prefer,
            Tls::Disable => PgSslMode::Disable,
            Tls::Require => PgSslMode::Require,
            Tls::VerifyCa => PgSslMode::VerifyCa,
            Tls::VerifyFull => PgSslMode::VerifyFull,
        });
        options = match &self.host {
            Host::Tcp(host) => options.host(host),
            Host::SocketDirectory(directory) => options.socket(directory),
        };
        if let Some(user) = &self.user {
            options = options.username(user);
        }
        if let Some(password) = &self.password {
            options = options.password(password);
        }
        if let Some(database) = &self.database {
            options = options.database(database);
        }
        if let Some(certificate) = &self.root_certificate {
            options = options.ssl_root_cert(certificate);
        }
        options
    }

    /// For Ecto's `DATABASE_URL`: `ssl` instead of `sslmode`, `socket_dir` instead of `host`.
    ///
    /// Ecto has no "TLS if the server offers it", so `prefer` becomes plaintext, as libpq's `prefer` may. `ssl=true` makes
    /// Postgrex verify the certificate against the system's roots, which is at least what any `sslmode` asks for.
    #[must_use]
    pub fn for_ecto(&self) -> String {
        let mut parameters = self.ecto_parameters.clone();
        if matches!(self.tls, Tls::Require | Tls::VerifyCa | Tls::VerifyFull) {
            parameters.push(("ssl".into(), "true".into()));
        }
        self.text("ecto", "socket_dir", parameters, self.password.as_deref().map(encode))
    }

    /// For libpq (psql, `pg_dump`) and sqlx-cli.
    #[must_use]
    pub fn for_libpq(&self) -> String {
        self.text("postgres", "host", self.libpq_parameters(), self.password.as_deref().map(encode))
    }

    /// For libpq's programs, as environment variables: a command line can be read by everybody on the machine.
    #[must_use]
    pub fn libpq_environment(&self) -> Vec<(&'static str, String)> {
        let host = match &self.host {
            Host::Tcp(host) | Host::SocketDirectory(host) => host.clone(),
        };
        let mut variables = vec![("PGHOST", host), ("PGPORT", self.port.to_string())];
        variables.extend(self.user.clone().map(|user| ("PGUSER", user)));
        variables.extend(self.password.clone().map(|password| ("PGPASSWORD", password)));
        variables.extend(self.database.clone().map(|database| ("PGDATABASE", database)));
        for (name, value) in self.libpq_parameters() {
            variables.push((if name == "sslmode" { "PGSSLMODE" } else { "PGSSLROOTCERT" }, value));
        }
        variables
    }

    fn libpq_parameters(&self) -> Vec<(String, String)> {
        let mut parameters = Vec::new();
        let mode = match self.tls {
            Tls::Unstated => None,
            Tls::Disable => Some("disable"),
            Tls::Prefer => Some("prefer"),
            Tls::Require => Some("require"),
            Tls::VerifyCa => Some("verify-ca"),
            Tls::VerifyFull => Some("verify-full"),
        };
        if let Some(mode) = mode {
            parameters.push(("sslmode".into(), mode.into()));
        }
        if let Some(certificate) = &self.root_certificate {
            parameters.push(("sslrootcert".into(), certificate.to_string_lossy().into_owned()));
        }
        parameters
    }

    fn text(
        &self,
        scheme: &str,
        socket_parameter: &str,
        mut parameters: Vec<(String, String)>,
        password: Option<String>,
    ) -> String {
        let mut text = format!("{scheme}://");
        if let Some(user) = &self.user {
            text += &encode(user);
            if let Some(password) = password {
                write!(text, ":{password}").expect("writing to a string succeeds");
            }
            text.push('@');
        }
        match &self.host {
            Host::Tcp(host) if host.contains(':') => write!(text, "[{host}]:{}", self.port),
            Host::Tcp(host) => write!(text, "{host}:{}", self.port),
            Host::SocketDirectory(directory) => {
                parameters.insert(0, (socket_parameter.into(), directory.clone()));
                write!(text, "localhost:{}", self.port)
            }
        }
        .expect("writing to a string succeeds");
        if let Some(database) = &self.database {
            text.push('/');
            text += &encode(database);
        }
        for (index, (name, value)) in parameters.iter().enumerate() {
            let separator = if index == 0 { '?' } else { '&' };
            write!(text, "{separator}{name}={}", encode(value)).expect("writing to a string succeeds");
        }
        text
    }
}

impl fmt::Display for DatabaseUrl {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hidden = self.password.as_ref().map(|_| "***".to_owned());
        formatter.write_str(&self.text("postgres", "host", self.libpq_parameters(), hidden))
    }
}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "DatabaseUrl({self})")
    }
}

fn encode(text: &str) -> String {
    utf8_percent_encode(text, RESERVED).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> DatabaseUrl {
        DatabaseUrl::parse(text).unwrap()
    }

    fn refused(text: &str) -> String {
        let error = DatabaseUrl::parse(text).unwrap_err();
        assert!(!error.hint().is_empty());
        error.to_string()
    }

    #[test]
    fn special_characters_survive_in_every_form() {
        let url = parsed(r"postgresql://us%20er:p%40s%23s%2F@db.example:6432/my%20%22db%22");
        assert_eq!(url.database(), Some(r#"my "db""#));
        assert_eq!(url.for_ecto(), "ecto://us%20er:p%40s%23s%2F@db.example:6432/my%20%22db%22");
        assert_eq!(url.for_libpq(), "postgres://us%20er:p%40s%23s%2F@db.example:6432/my%20%22db%22");
        assert_eq!(parsed(&url.for_libpq()), url);
        assert_eq!(url.secrets(), ["p@s#s/", "p%40s%23s%2F"]);
    }

    #[test]
    fn no_form_for_people_shows_the_password() {
        let url = parsed("postgres://u:hidden@h/d");
        assert_eq!(url.to_string(), "postgres://u:***@h:5432/d");
        assert!(!format!("{url:?}").contains("hidden"));
    }

    #[test]
    fn tls_reaches_both_drivers() {
        let url = parsed("postgres://u@h/d?sslmode=require");
        assert_eq!(url.for_ecto(), "ecto://u@h:5432/d?ssl=true");
        assert!(matches!(url.for_sqlx().get_ssl_mode(), PgSslMode::Require));
        let url = parsed("ecto://u@h/d?ssl=true&pool_size=4");
        assert_eq!(url.for_ecto(), "ecto://u@h:5432/d?pool_size=4&ssl=true");
        assert_eq!(url.for_libpq(), "postgres://u@h:5432/d?sslmode=verify-full");
    }

    #[test]
    fn sockets_are_named_in_each_tools_own_way() {
        for text in
            ["postgres:///d?host=/run/pg", "postgres://localhost/d?socket_dir=/run/pg", "postgres://%2Frun%2Fpg/d"]
        {
            let url = parsed(text);
            assert_eq!(url.for_ecto(), "ecto://localhost:5432/d?socket_dir=%2Frun%2Fpg", "{text}");
            assert_eq!(url.for_libpq(), "postgres://localhost:5432/d?host=%2Frun%2Fpg", "{text}");
        }
    }

    #[test]
    fn an_ipv6_host_keeps_its_brackets() {
        assert_eq!(parsed("postgres://u@[::1]:5433/d").for_libpq(), "postgres://u@[::1]:5433/d");
    }

    #[test]
    fn a_url_may_name_no_database() {
        assert_eq!(parsed("postgres://u@h").database(), None);
        assert_eq!(parsed("postgres://u@h/").with_database("x").database(), Some("x"));
    }

    #[test]
    fn what_one_tool_would_ignore_is_refused() {
        assert_eq!(refused("mysql://u@h/d"), "its scheme is `mysql`, not `postgres`");
        assert_eq!(refused("no url"), "it is not a URL");
        assert_eq!(refused("postgres://u:p@h/d#x"), "it holds a `#`");
        assert_eq!(refused("postgres:///d"), "it names no host");
        assert_eq!(refused("postgres://h/a/b"), "its path has more than one segment");
        assert_eq!(refused("postgres://h/%FF"), "its database name is not UTF-8");
        assert_eq!(
            refused("postgres://h/d?sslcert=x"),
            "it has the parameter `sslcert`, which not every tool understands"
        );
        assert_eq!(refused("postgres://h/d?sslmode=on"), "its parameter `sslmode` has the value `on`");
        assert_eq!(refused("postgres://h/d?ssl=false&sslmode=require"), "`ssl` and `sslmode` contradict each other");
        assert_eq!(
            refused("postgres://h/d?connect_timeout=soon"),
            "its parameter `connect_timeout` has the value `soon`"
        );
        assert_eq!(refused("postgres://h/d?timeout=x"), "its parameter `timeout` is no number");
    }
}
