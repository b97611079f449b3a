//! Connecting, and why a connection failed.

use std::time::{Duration, Instant};

use sqlx::{ConnectOptions as _, Connection as _, PgConnection};
use tokio::time::{sleep, timeout};

use crate::cause::{Cause, FULL_POOL, sql_state};
use crate::retry::{Backoff, CutShort};
use crate::url::DatabaseUrl;

/// How long a server that is still starting up is waited for.
const STARTUP_PATIENCE: Duration = Duration::from_secs(30);

/// How long somebody may take to answer who has not answered before.
const AGAIN: Duration = Duration::from_secs(1);

/// A connection did not come about.
#[derive(Debug, thiserror::Error)]
#[error("cannot connect to `{url}`")]
pub struct ConnectError {
    /// The URL, without its password.
    pub url: String,
    /// What went wrong, by situation.
    #[source]
    pub cause: ConnectFailure,
}

/// The situations in which a connection fails.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConnectFailure {
    /// The server is there; the database is not.
    #[error("database `{0}` does not exist")]
    DatabaseMissing(String),
    /// The role or the password is wrong, or `pg_hba.conf` says no.
    #[error("the server refused the login: {0}")]
    Login(String),
    /// Nothing answers at that address.
    #[error("nothing answers there")]
    Unreachable(#[source] std::io::Error),
    /// Something answers too slowly.
    #[error("no answer within {} s", .0.as_secs())]
    Timeout(Duration),
    /// A pooler let us in, and has no session of the server for us.
    #[error("the connection came about, but no statement had an answer within {} s", .0.as_secs())]
    NoSession(Duration),
    /// What answers there speaks another protocol.
    #[error("what answers there is no PostgreSQL")]
    NoPostgres,
    /// TLS was asked for and could not be had.
    #[error("TLS failed")]
    Tls(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// Everything else.
    #[error("the connection failed")]
    Other(#[source] Cause),
}

impl ConnectError {
    /// The server answered that it has no such database.
    #[must_use]
    pub fn is_database_missing(&self) -> bool {
        matches!(self.cause, ConnectFailure::DatabaseMissing(_))
    }

    /// The server, the database or the role may have no more connections than there are.
    #[must_use]
    pub fn has_no_room(&self) -> bool {
        let ConnectFailure::Other(cause) = &self.cause else { return false };
        cause.sql().and_then(sql_state).as_deref() == Some("53300")
    }

    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        Some(match &self.cause {
            ConnectFailure::DatabaseMissing(_) => "create it with `cargo xtask db-setup --database-url <URL>`".into(),
            ConnectFailure::Login(_) => {
                "check the user and the password in the database URL (percent-encode special characters: `@` is `%40`)".into()
            }
            ConnectFailure::Unreachable(_) | ConnectFailure::Timeout(_) => {
                "check the host and the port in the database URL, and that the server runs; `cargo xtask db-server start` starts one".into()
            }
            ConnectFailure::NoPostgres => "check the port in the database URL: another program listens there".into(),
            ConnectFailure::NoSession(_) => format!("is this a pooler? {FULL_POOL}"),
            ConnectFailure::Tls(_) => {
                "the URL asks for TLS, or PGSSLMODE does: check that the server offers it, and that `sslrootcert` signed its certificate \
                 where `sslmode=verify-…` or `channel_binding=require` has it verified"
                    .into()
            }
            ConnectFailure::Other(cause) => return cause.hint(),
        })
    }
}

/// Opens one connection; waits for a server that is starting up.
///
/// # Errors
/// By situation, see [`ConnectFailure`].
pub async fn connect(url: &DatabaseUrl) -> Result<PgConnection, ConnectError> {
    let options = url.for_sqlx().application_name("singularity");
    let started = Instant::now();
    let mut backoff = Backoff::new(Duration::from_millis(20), Duration::from_millis(250));
    loop {
        let error = match timeout(url.connect_timeout(), options.connect()).await {
            Ok(Ok(connection)) => return Ok(connection),
            Ok(Err(error)) if is_starting_up(&error) && started.elapsed() < STARTUP_PATIENCE => {
                sleep(backoff.pause()).await;
                continue;
            }
            Ok(Err(error)) => classify(error, url),
            // A pooler that cannot log in to its server keeps us waiting, and tells whoever comes next why.
            Err(_) => match timeout(AGAIN, options.connect()).await {
                Ok(Err(error)) => classify(error, url),
                Ok(Ok(connection)) => return Ok(connection),
                Err(_) => ConnectFailure::Timeout(url.connect_timeout()),
            },
        };
        return Err(ConnectError { url: url.to_string(), cause: error });
    }
}

/// The answer to one of the first things that a new connection is asked, which may take no longer than the connection
/// itself. It is asked again where the server has cut it short.
pub(crate) async fn first_answer<T>(
    url: &DatabaseUrl,
    mut ask: impl AsyncFnMut() -> Result<T, sqlx::Error>,
) -> Result<Result<T, sqlx::Error>, ConnectError> {
    let mut cut_short = CutShort::default();
    let answer = async {
        loop {
            match ask().await {
                Err(error) if cut_short.is_again(&error) => {}
                answer => return answer,
            }
        }
    };
    let patience = url.connect_timeout();
    let late = |_| ConnectError { url: url.to_string(), cause: ConnectFailure::NoSession(patience) };
    timeout(patience, answer).await.map_err(late)
}

/// Closes a connection in good order; the server would otherwise log an unexpected end.
pub async fn close(connection: PgConnection) {
    // A connection that cannot say goodbye is gone all the same.
    drop(connection.close().await);
}

fn is_starting_up(error: &sqlx::Error) -> bool {
    sql_state(error).as_deref() == Some("57P03")
}

fn classify(error: sqlx::Error, url: &DatabaseUrl) -> ConnectFailure {
    let state = sql_state(&error);
    match (state.as_deref(), error) {
        (Some("3D000"), _) => ConnectFailure::DatabaseMissing(url.database().to_owned()),
        (Some("28P01" | "28000"), error) => {
            ConnectFailure::Login(error.as_database_error().map(|error| error.message().to_owned()).unwrap_or_default())
        }
        // rustls has found something wrong with what the server showed.
        (_, sqlx::Error::Io(error)) if error.kind() == std::io::ErrorKind::InvalidData => {
            ConnectFailure::Tls(error.into())
        }
        (_, sqlx::Error::Io(error)) => ConnectFailure::Unreachable(error),
        (_, sqlx::Error::Protocol(_)) => ConnectFailure::NoPostgres,
        (_, sqlx::Error::Tls(error)) => ConnectFailure::Tls(error),
        (_, error) => ConnectFailure::Other(error.into()),
    }
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;
    use std::error::Error as StdError;

    use sqlx::error::{DatabaseError, ErrorKind};

    use super::*;

    /// What a server says, by its SQLSTATE.
    #[derive(Debug, thiserror::Error)]
    #[error("SQLSTATE {0}")]
    struct Said(&'static str);

    impl DatabaseError for Said {
        fn message(&self) -> &str {
            self.0
        }
        fn code(&self) -> Option<Cow<'_, str>> {
            Some(self.0.into())
        }
        fn as_error(&self) -> &(dyn StdError + Send + Sync + 'static) {
            self
        }
        fn as_error_mut(&mut self) -> &mut (dyn StdError + Send + Sync + 'static) {
            self
        }
        fn into_error(self: Box<Self>) -> Box<dyn StdError + Send + Sync + 'static> {
            self
        }
        fn kind(&self) -> ErrorKind {
            ErrorKind::Other
        }
    }

    /// How often a server is asked that says this the first times, and whether it has answered.
    async fn asked(state: &'static str, times: usize) -> (usize, bool) {
        let url = DatabaseUrl::parse("postgres://h/d").unwrap();
        let mut asked = 0;
        let answer = first_answer(&url, async || {
            asked += 1;
            if asked > times { Ok(()) } else { Err(sqlx::Error::Database(Box::new(Said(state)))) }
        });
        let answer = answer.await.unwrap();
        (asked, answer.is_ok())
    }

    #[tokio::test]
    async fn what_is_cut_short_is_asked_five_times() {
        assert_eq!(asked("57014", 0).await, (1, true));
        assert_eq!(asked("57014", 4).await, (5, true));
        assert_eq!(asked("57014", 5).await, (5, false));
        assert_eq!(asked("57P01", 1).await, (1, false));
    }
}
