//! Taking a URL apart, and what can be wrong with it.

use std::path::PathBuf;
use std::time::Duration;

use percent_encoding::percent_decode_str;
use url::Url;

use super::Tls;

/// Why a text is not a database URL. Never quotes the text, which may hold a password.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DatabaseUrlError {
    /// Not a URL at all.
    #[error("it is not a URL")]
    Syntax(#[source] url::ParseError),
    /// Some other database's URL.
    #[error("its scheme is `{0}`, not `postgres`")]
    Scheme(String),
    /// A `#`, `?` or `/` of the password was taken for something else.
    #[error("it holds a `#`")]
    Fragment,
    /// Neither a host nor a socket folder.
    #[error("it names no host")]
    NoHost,
    /// `/a/b`: Ecto takes exactly one segment.
    #[error("its path has more than one segment")]
    PathSegments,
    /// A percent-encoded part is not UTF-8.
    #[error("its {0} is not UTF-8")]
    NotUtf8(&'static str),
    /// A parameter that one of the tools would ignore.
    #[error("it has the parameter `{0}`, which not every tool understands")]
    UnknownParameter(String),
    /// A known parameter with a value outside its set.
    #[error("its parameter `{parameter}` has the value `{value}`")]
    ParameterValue {
        /// The parameter.
        parameter: &'static str,
        /// The value it had.
        value: String,
    },
    /// `pool_size=many`.
    #[error("its parameter `{0}` is no number")]
    EctoNumber(String),
    /// `ssl=false&sslmode=require` and the like.
    #[error("`ssl` and `sslmode` contradict each other")]
    ContradictoryTls,
}

impl DatabaseUrlError {
    /// What to write instead.
    #[must_use]
    pub fn hint(&self) -> String {
        match self {
            Self::Fragment | Self::Syntax(_) => {
                "write `postgres://user:password@host:5432/database`; percent-encode special characters of the password (`@` is `%40`, `#` is `%23`, `/` is `%2F`)".into()
            }
            Self::Scheme(_) => "write `postgres://user:password@host:5432/database`".into(),
            Self::NoHost => "name a host, or a socket folder as `?host=/path`".into(),
            Self::PathSegments => "write one database name after the host; a `/` inside the name is `%2F`".into(),
            Self::NotUtf8(_) => "percent-encode the UTF-8 bytes of the text".into(),
            Self::UnknownParameter(_) => {
                "remove it; understood are sslmode, ssl, sslrootcert, host, socket_dir, connect_timeout and Ecto's pool_size, timeout, idle_interval".into()
            }
            Self::ParameterValue { parameter: "sslmode", .. } => "use disable, prefer, require, verify-ca or verify-full".into(),
            Self::ParameterValue { parameter: "ssl", .. } => "use true or false".into(),
            Self::ParameterValue { .. } | Self::EctoNumber(_) => "use a whole number".into(),
            Self::ContradictoryTls => "keep only `sslmode`".into(),
        }
    }
}

pub(super) struct Parameters {
    pub(super) socket_directory: Option<String>,
    pub(super) tls: Tls,
    pub(super) root_certificate: Option<PathBuf>,
    pub(super) connect_timeout: Duration,
    pub(super) ecto: Vec<(String, String)>,
}

impl Parameters {
    pub(super) fn read(url: &Url) -> Result<Self, DatabaseUrlError> {
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
    Ok(match value {
        "disable" => Tls::Disable,
        "prefer" | "allow" => Tls::Prefer,
        "require" => Tls::Require,
        "verify-ca" => Tls::VerifyCa,
        "verify-full" => Tls::VerifyFull,
        other => return Err(DatabaseUrlError::ParameterValue { parameter: "sslmode", value: other.to_owned() }),
    })
}

pub(super) fn host_of(url: &Url) -> Result<Option<String>, DatabaseUrlError> {
    let Some(host) = url.host_str() else { return Ok(None) };
    let host = host.trim_start_matches('[').trim_end_matches(']');
    decode_non_empty(host, "host")
}

pub(super) fn database_of(url: &Url) -> Result<Option<String>, DatabaseUrlError> {
    let path = url.path().trim_start_matches('/');
    if path.contains('/') {
        return Err(DatabaseUrlError::PathSegments);
    }
    decode_non_empty(path, "database name")
}

pub(super) fn decode_non_empty(text: &str, part: &'static str) -> Result<Option<String>, DatabaseUrlError> {
    if text.is_empty() { Ok(None) } else { decode(text, part).map(Some) }
}

pub(super) fn decode(text: &str, part: &'static str) -> Result<String, DatabaseUrlError> {
    let decoded = percent_decode_str(text).decode_utf8().map_err(|_| DatabaseUrlError::NotUtf8(part))?;
    Ok(decoded.into_owned())
}
