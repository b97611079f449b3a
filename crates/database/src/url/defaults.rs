//! What a URL leaves out, as libpq takes it from the environment.

use std::fmt;
use std::path::PathBuf;

use sqlx::postgres::PgConnectOptions;
use terminal::variables;

use super::error::DatabaseUrlError;

/// The values of libpq's variables.
#[derive(Clone, Default)]
pub struct Defaults {
    pub(super) host: Option<String>,
    pub(super) port: Option<String>,
    /// The account's name where no variable says another.
    pub(super) user: Option<String>,
    pub(super) password: Option<String>,
    pub(super) password_file: Option<PathBuf>,
    pub(super) sslmode: Option<String>,
    pub(super) sslrootcert: Option<String>,
    pub(super) channel_binding: Option<String>,
}

impl Defaults {
    /// Those of this process.
    #[must_use]
    pub fn of_process() -> Self {
        let home = || variables::home().map(|home| home.join(".pgpass"));
        Self {
            host: variables::libpq("PGHOST"),
            port: variables::libpq("PGPORT"),
            user: Some(PgConnectOptions::new_without_pgpass().get_username().to_owned()),
            password: variables::libpq("PGPASSWORD"),
            password_file: variables::libpq("PGPASSFILE").map(PathBuf::from).or_else(home),
            sslmode: variables::libpq("PGSSLMODE"),
            sslrootcert: variables::libpq("PGSSLROOTCERT"),
            channel_binding: variables::libpq("PGCHANNELBINDING"),
        }
    }
}

impl fmt::Debug for Defaults {
    /// Without the password.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { host, port, user, sslmode, .. } = self;
        let mut debug = formatter.debug_struct("Defaults");
        debug
            .field("host", host)
            .field("port", port)
            .field("user", user)
            .field("sslmode", sslmode)
            .finish_non_exhaustive()
    }
}

/// The value of a variable, understood; an error where it has one that is none.
pub(super) fn value<T>(
    variable: &'static str,
    value: Option<&String>,
    parse: impl FnOnce(&str) -> Option<T>,
) -> Result<Option<T>, DatabaseUrlError> {
    let Some(value) = value else { return Ok(None) };
    parse(value).map(Some).ok_or_else(|| DatabaseUrlError::VariableValue { variable, value: value.clone() })
}
