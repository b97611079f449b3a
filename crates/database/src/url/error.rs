//! What can be wrong with a URL.

/// Why a text is not a database URL. Never quotes the text, which may hold a password.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DatabaseUrlError {
    /// Not a URL at all.
    #[error("it is not a URL")]
    Syntax(#[from] Malformed),
    /// Some other database's URL.
    #[error("its scheme is `{0}`, not `postgres`")]
    Scheme(String),
    /// A `#`, `?` or `/` of the password was taken for something else.
    #[error("it holds a `#`")]
    Fragment,
    /// Neither a host nor a socket folder.
    #[error("it names no host")]
    NoHost,
    /// `a:5432,b:5432`: Ecto and sqlx would take that for one name.
    #[error("it names several hosts")]
    SeveralHosts,
    /// It names a server, and a database is wanted.
    #[error("it names no database")]
    NoDatabase,
    /// `/a/b`: Ecto takes exactly one segment.
    #[error("its path has more than one segment")]
    PathSegments,
    /// A percent-encoded part is not UTF-8.
    #[error("its {0} is not UTF-8")]
    NotUtf8(&'static str),
    /// A parameter that one of the tools would ignore, and go elsewhere, as somebody else, or less safely.
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
    /// libpq's variable, used where the URL says nothing, with a value outside its set.
    #[error("the variable `{variable}` has the value `{value}`")]
    VariableValue {
        /// The variable.
        variable: &'static str,
        /// The value it had.
        value: String,
    },
    /// Ecto's tables are in `public`, and so is all that we do.
    #[error("its parameter `{parameter}` names `{value}`, not `public`")]
    Schema {
        /// The parameter.
        parameter: String,
        /// What it names.
        value: String,
    },
    /// A setting that only some of the tools would make.
    #[error("its `options` set `{0}`, which Ecto would not")]
    Setting(String),
    /// `pool_size=many`.
    #[error("its parameter `{0}` is no number")]
    EctoNumber(String),
    /// `ssl=false&sslmode=require` and the like.
    #[error("`{0}` and `sslmode` contradict each other")]
    Contradiction(&'static str),
}

/// What it is that makes a text no URL.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Malformed {
    /// No `postgres://` at its start.
    #[error("it does not start with `postgres://`")]
    Scheme,
    /// No number from 1 to 65535.
    #[error("its port is not a number from 1 to 65535")]
    Port,
    /// `[::1`, `[]`, `[::1]x`.
    #[error("its IPv6 address is not in brackets")]
    Bracket,
    /// An `@` in the path: what is before it is a login as a rule, and in part a password.
    #[error("an `@` stands after the first `/`")]
    AtSign,
    /// A parameter's name that can be none: the rest of a password as a rule.
    #[error("what stands after the `?` is not a list of parameters")]
    Parameter,
    /// `%00`, which no tool can hand on.
    #[error("it holds a `%00`")]
    Nul,
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
            Self::SeveralHosts => {
                "name the primary's host alone: Ecto and sqlx connect to one host, and what changes a database has to reach its primary"
                    .into()
            }
            Self::NoHost => "name a host, or a socket folder as `?host=/path`".into(),
            Self::NoDatabase => "end the URL in `/<database>`".into(),
            Self::PathSegments => "write one database name after the host; a `/` inside the name is `%2F`".into(),
            Self::NotUtf8(_) => "percent-encode the UTF-8 bytes of the text".into(),
            Self::UnknownParameter(_) => {
                "remove it: another tool would ignore it, and connect elsewhere, as somebody else, or less safely".into()
            }
            Self::Schema { .. } => "remove it: Ecto's tables are in `public`".into(),
            Self::Setting(_) => {
                "remove it; name the role as the URL's user, and set other things with `ALTER ROLE … SET`".into()
            }
            Self::VariableValue { variable, .. } => format!("unset {variable}, or give it a value that libpq understands"),
            Self::ParameterValue { parameter: "sslmode", .. } => "use disable, prefer, require, verify-ca or verify-full".into(),
            Self::ParameterValue { parameter: "ssl", .. } => "use true or false".into(),
            Self::ParameterValue { parameter: "channel_binding", .. } => "use disable, prefer or require".into(),
            Self::ParameterValue { .. } | Self::EctoNumber(_) => "use a whole number".into(),
            Self::Contradiction("ssl") => "keep only `sslmode`".into(),
            Self::Contradiction(_) => "ask for `sslmode=verify-full`, or remove the other".into(),
        }
    }
}
