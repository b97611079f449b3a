//! What can be wrong with a URL.

/// Why a text is not a database URL. Never quotes the text, which may hold a password.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DatabaseUrlError {
    /// Not a URL at all.
    #[error("it is not a URL")]
    Syntax(#[source] ::url::ParseError),
    /// Some other database's URL.
    #[error("its scheme is `{0}`, not `postgres`")]
    Scheme(String),
    /// A `#`, `?` or `/` of the password was taken for something else.
    #[error("it holds a `#`")]
    Fragment,
    /// Neither a host nor a socket folder.
    #[error("it names no host")]
    NoHost,
    /// It names a server, and a database is wanted.
    #[error("it names no database")]
    NoDatabase,
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
            Self::NoDatabase => "end the URL in `/<database>`".into(),
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
