//! Taking a URL apart.

use std::path::PathBuf;
use std::time::Duration;

use ::url::Url;
use percent_encoding::percent_decode_str;

use super::address::{DatabaseUrl, Host, ServerUrl};
use super::error::DatabaseUrlError;
use super::tls::Tls;

/// What a URL names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Parsed {
    /// A server, and no database of it.
    Server(ServerUrl),
    /// A database.
    Database(DatabaseUrl),
}

impl Parsed {
    /// Reads a `postgres://`, `postgresql://` or `ecto://` URL.
    ///
    /// # Errors
    /// See [`DatabaseUrlError`].
    pub fn read(text: &str) -> Result<Self, DatabaseUrlError> {
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
        let server = ServerUrl {
            host,
            port: url.port().unwrap_or(5432),
            user: decode_non_empty(url.username(), "user")?,
            password: url.password().map(|password| decode(password, "password")).transpose()?,
            tls: parameters.tls,
            root_certificate: parameters.root_certificate,
            connect_timeout: parameters.connect_timeout,
            ecto_parameters: parameters.ecto,
        };
        Ok(match database_of(&url)? {
            Some(database) => Self::Database(DatabaseUrl { server, database }),
            None => Self::Server(server),
        })
    }

    /// The server, either way.
    #[must_use]
    pub fn server(&self) -> &ServerUrl {
        match self {
            Self::Server(server) => server,
            Self::Database(url) => url.server(),
        }
    }
}

impl DatabaseUrl {
    /// Reads a URL that has to name a database.
    ///
    /// # Errors
    /// See [`DatabaseUrlError`].
    pub fn parse(text: &str) -> Result<Self, DatabaseUrlError> {
        match Parsed::read(text)? {
            Parsed::Database(url) => Ok(url),
            Parsed::Server(_) => Err(DatabaseUrlError::NoDatabase),
        }
    }
}

impl ServerUrl {
    /// Reads a URL; a database in it is passed over.
    ///
    /// # Errors
    /// See [`DatabaseUrlError`].
    pub fn parse(text: &str) -> Result<Self, DatabaseUrlError> {
        Ok(Parsed::read(text)?.server().clone())
    }
}

struct Parameters {
    socket_directory: Option<String>,
    tls: Tls,
    root_certificate: Option<PathBuf>,
    connect_timeout: Duration,
    ecto: Vec<(String, String)>,
}

impl Parameters {
    fn read(url: &Url) -> Result<Self, DatabaseUrlError> {
        let mut parameters = Self {
            socket_directory: None,
            tls: Tls::Unstated,
            root_certificate: None,
            connect_timeout: Duration::from_secs(10),
            ecto: Vec::new(),
        };
        let mut ssl = None;
        for (name, value) in url.query_pairs() {
            match &*name {
                "sslmode" => parameters.tls = tls_of(&value)?,
                "ssl" => {
                    let wanted = value.parse::<bool>().map_err(|_| DatabaseUrlError::ParameterValue {
                        parameter: "ssl",
                        value: value.into_owned(),
                    })?;
                    ssl = Some(wanted);
                }
                "sslrootcert" => parameters.root_certificate = Some(PathBuf::from(&*value)),
                "host" | "socket_dir" => parameters.socket_directory = Some(value.into_owned()),
                "connect_timeout" => {
                    let seconds = value.parse().map_err(|_| DatabaseUrlError::ParameterValue {
                        parameter: "connect_timeout",
                        value: value.into_owned(),
                    })?;
                    parameters.connect_timeout = Duration::from_secs(seconds);
                }
                // Ecto's own complaint about a wrong number prints the whole URL.
                "pool_size" | "timeout" | "idle_interval" => {
                    let number: u32 = value.parse().map_err(|_| DatabaseUrlError::EctoNumber(name.to_string()))?;
                    parameters.ecto.push((name.into_owned(), number.to_string()));
                }
                unknown => return Err(DatabaseUrlError::UnknownParameter(unknown.to_owned())),
            }
        }
        parameters.tls = match (ssl, parameters.tls) {
            (Some(true), Tls::Unstated) => Tls::VerifyFull,
            (Some(false), Tls::Unstated) => Tls::Disable,
            (None, tls)
            | (Some(true), tls @ (Tls::Require | Tls::VerifyCa | Tls::VerifyFull))
            | (Some(false), tls @ Tls::Disable) => tls,
            _ => return Err(DatabaseUrlError::ContradictoryTls),
        };
        Ok(parameters)
    }
}

fn tls_of(value: &str) -> Result<Tls, DatabaseUrlError> {
    Tls::parse(value).ok_or_else(|| DatabaseUrlError::ParameterValue { parameter: "sslmode", value: value.to_owned() })
}

fn host_of(url: &Url) -> Result<Option<String>, DatabaseUrlError> {
    let Some(host) = url.host_str() else { return Ok(None) };
    let host = host.trim_start_matches('[').trim_end_matches(']');
    decode_non_empty(host, "host")
}

fn database_of(url: &Url) -> Result<Option<String>, DatabaseUrlError> {
    let path = url.path().trim_start_matches('/');
    if path.contains('/') {
        return Err(DatabaseUrlError::PathSegments);
    }
    decode_non_empty(path, "database name")
}

fn decode_non_empty(text: &str, part: &'static str) -> Result<Option<String>, DatabaseUrlError> {
    if text.is_empty() { Ok(None) } else { decode(text, part).map(Some) }
}

fn decode(text: &str, part: &'static str) -> Result<String, DatabaseUrlError> {
    let decoded = percent_decode_str(text).decode_utf8().map_err(|_| DatabaseUrlError::NotUtf8(part))?;
    Ok(decoded.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(text: &str) -> String {
        let error = DatabaseUrl::parse(text).unwrap_err();
        assert!(!error.hint().is_empty());
        error.to_string()
    }

    #[test]
    fn a_url_may_name_no_database() {
        assert!(matches!(Parsed::read("postgres://u@h"), Ok(Parsed::Server(_))));
        assert_eq!(refused("postgres://u@h/"), "it names no database");
        assert_eq!(ServerUrl::parse("postgres://u@h/").unwrap().database("x").database(), "x");
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
