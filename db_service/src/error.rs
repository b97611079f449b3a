//! What can go wrong, in three parts that are each said once: what (`Display`), why (`source`), next (`hint`).

use std::error::Error as StdError;

use sqlx::migrate::MigrateError;

use crate::database_url::DatabaseUrlError;
use crate::gate::Violation;
use crate::migration::MigrationFileError;
use crate::{ConnectError, ecto};

/// Exit codes, the same for every command.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Exit {
    /// Done, or nothing to do.
    Done = 0,
    /// Something failed.
    Failed = 1,
    /// The command line or the database URL is wrong.
    Usage = 2,
    /// There is work to do, and this command does not do it (`--dry-run`).
    Pending = 3,
    /// A rule is broken: order, ownership, edited history, an invalid index.
    Violation = 4,
}

impl Exit {
    /// The number that the shell sees.
    #[must_use]
    pub fn code(self) -> u8 {
        self as u8
    }
}

impl serde::Serialize for Exit {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u8(self.code())
    }
}

impl From<Exit> for std::process::ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

/// An error of any part, ready to be shown: with its next step and its exit code.
pub trait Failure: StdError + Send + Sync + 'static {
    /// What the reader does next, if we know.
    fn hint(&self) -> Option<String>;
    /// How the process ends.
    fn exit(&self) -> Exit {
        Exit::Failed
    }
}

/// An error of this crate.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The text given as a database URL is none.
    #[error("cannot read the database URL")]
    DatabaseUrl(#[from] DatabaseUrlError),
    /// No connection.
    #[error(transparent)]
    Connect(#[from] ConnectError),
    /// A statement failed.
    #[error("cannot {doing} in database `{database}`")]
    Sql {
        /// What was being done, as a verb phrase.
        doing: String,
        /// Where.
        database: String,
        /// What the server said.
        #[source]
        source: sqlx::Error,
    },
    /// `CREATE DATABASE` failed.
    #[error("cannot create database `{database}`")]
    CreateDatabase {
        /// Which.
        database: String,
        /// What the server said.
        #[source]
        source: sqlx::Error,
    },
    /// A migration failed; its transaction was rolled back.
    #[error("cannot apply migration `{name}` to database `{database}`")]
    Migration {
        /// The file's name without `.sql`.
        name: String,
        /// Where.
        database: String,
        /// What sqlx said.
        #[source]
        source: MigrateError,
    },
    /// Another runner did not finish in time.
    #[error("gave up waiting for another migration of database `{database}` after {} s", .waited.as_secs())]
    LockHeld {
        /// Where.
        database: String,
        /// How long.
        waited: std::time::Duration,
        /// Who holds the lock, as far as the server tells.
        holder: Option<String>,
    },
    /// A pooler in transaction mode.
    #[error("the connection to database `{database}` goes through a pooler in transaction mode")]
    Pooled {
        /// Where.
        database: String,
    },
    /// A server that only replays another's changes.
    #[error("the server of database `{database}` is a standby and takes no writes")]
    Standby {
        /// Where.
        database: String,
    },
    /// A rule is broken.
    #[error("database `{database}` breaks the order of the layers")]
    Violation {
        /// Where.
        database: String,
        /// Which rule.
        #[source]
        violation: Violation,
    },
    /// A table's storage cannot be changed as the table is.
    #[error("cannot change the layout of table `{table}` in database `{database}`: {}", .reasons.join("; "))]
    RelayoutRefused {
        /// Which.
        table: String,
        /// Where.
        database: String,
        /// All reasons.
        reasons: Vec<String>,
    },
    /// The drain of the change log cannot keep up.
    #[error("writers change table `{table}` in database `{database}` faster than its rows can be copied again")]
    RelayoutOutrun {
        /// Which.
        table: String,
        /// Where.
        database: String,
    },
    /// Old and new form of a table were compared and are not the same.
    #[error("{rows} rows of table `{table}` in database `{database}` differ between its old and its new layout")]
    RelayoutDiffers {
        /// Which.
        table: String,
        /// Where.
        database: String,
        /// How many.
        rows: i64,
    },
    /// An index of that name is another one.
    #[error("index `{name}` in database `{database}` is another one: it is {found}, wanted is {wanted}")]
    IndexDiffers {
        /// With its schema.
        name: String,
        /// Where.
        database: String,
        /// From `USING` on.
        found: String,
        /// The same of the one wanted.
        wanted: String,
    },
    /// A table's layout is being changed.
    #[error("the layout of table `{table}` in database `{database}` is being changed")]
    TableBusy {
        /// Which.
        table: String,
        /// Where.
        database: String,
    },
    /// Something is not in its place.
    #[error("database `{database}` is not as the layer has left it: {}", .findings.join("; "))]
    Damaged {
        /// Where.
        database: String,
        /// Everything that was found.
        findings: Vec<String>,
    },
    /// Our own migration files are wrong.
    #[error("cannot use the migrations of the performance layer")]
    MigrationFiles(#[from] MigrationFileError),
    /// Ecto's migration files are wrong.
    #[error("cannot use the Ecto migrations")]
    EctoFiles(#[from] ecto::FileError),
}

impl Error {
    /// For `map_err`: names what a statement was for.
    pub fn sql(doing: &str, database: &str) -> impl FnOnce(sqlx::Error) -> Self + use<> {
        let (doing, database) = (doing.to_owned(), database.to_owned());
        move |source| Self::Sql { doing, database, source }
    }
}

impl Failure for Error {
    fn hint(&self) -> Option<String> {
        match self {
            Self::DatabaseUrl(error) => Some(error.hint()),
            Self::Connect(error) => error.hint(),
            Self::Sql { source, .. } | Self::CreateDatabase { source, .. } => hint_for_state(source),
            Self::Migration {
                source: MigrateError::ExecuteMigration(error, _) | MigrateError::Execute(error), ..
            } => hint_for_state(error)
                .or_else(|| Some("nothing of it was kept; mend the cause and run the same command again".into())),
            Self::Migration { .. } => None,
            Self::LockHeld { holder: Some(holder), .. } => {
                Some(format!("wait for {holder}, or end it with `SELECT pg_terminate_backend(<pid>)`"))
            }
            Self::LockHeld { .. } => Some("wait for the other run to end and run the same command again".into()),
            Self::Pooled { .. } => Some(POOLED.into()),
            Self::Standby { .. } => Some(STANDBY.into()),
            Self::Violation { violation, .. } => Some(violation.hint()),
            Self::RelayoutRefused { .. } => Some(
                "nothing was touched: change the table by an Ecto migration, or keep it plain with \
                 `UPDATE db_service.layout SET leaves = 1 WHERE table_name = …`"
                    .into(),
            ),
            Self::RelayoutOutrun { .. } => {
                Some("run the same command again in a calmer hour; it goes on from here".into())
            }
            Self::RelayoutDiffers { table, .. } => Some(format!(
                "both forms are kept: compare `public.{table}` with `db_service_old.{table}`, and please report it"
            )),
            Self::IndexDiffers { .. } => Some("choose another name, or drop that one by an Ecto migration".into()),
            Self::TableBusy { .. } => Some("finish it first: run `migrations`".into()),
            Self::Damaged { .. } => Some(
                "see docs/operations.md, \"Layouts\", for each; a run that was cut off is finished by `migrations`"
                    .into(),
            ),
            Self::MigrationFiles(error) => error.hint(),
            Self::EctoFiles(error) => error.hint(),
        }
    }

    fn exit(&self) -> Exit {
        match self {
            Self::DatabaseUrl(_) | Self::Pooled { .. } | Self::Standby { .. } => Exit::Usage,
            Self::Violation { .. }
            | Self::RelayoutRefused { .. }
            | Self::Damaged { .. }
            | Self::IndexDiffers { .. }
            | Self::TableBusy { .. } => Exit::Violation,
            Self::MigrationFiles(error) if error.is_violation() => Exit::Violation,
            Self::EctoFiles(error) if error.is_violation() => Exit::Violation,
            _ => Exit::Failed,
        }
    }
}

/// The chain of causes below an error, each said once.
///
/// sqlx repeats a cause's text inside its own; the server's message is taken instead, with its detail and SQLSTATE.
#[must_use]
pub(crate) fn causes(error: &(dyn StdError + 'static)) -> Vec<String> {
    let mut causes = Vec::new();
    let mut next = error.source();
    while let Some(cause) = next {
        let wraps_a_server_error = match cause.downcast_ref::<sqlx::Error>() {
            Some(sqlx::Error::Database(server)) => {
                causes.push(describe(server.as_ref()));
                break;
            }
            _ => matches!(cause.downcast_ref(), Some(MigrateError::ExecuteMigration(..) | MigrateError::Execute(_))),
        };
        let text = cause.to_string();
        if !wraps_a_server_error && !causes.iter().any(|earlier| earlier.ends_with(&text)) {
            causes.push(text);
        }
        next = cause.source();
    }
    causes
}

fn describe(error: &dyn sqlx::error::DatabaseError) -> String {
    let mut text = error.message().to_owned();
    if let Some(detail) =
        error.try_downcast_ref::<sqlx::postgres::PgDatabaseError>().and_then(sqlx::postgres::PgDatabaseError::detail)
    {
        text = format!("{text}: {detail}");
    }
    match error.code() {
        Some(code) => format!("{text} (SQLSTATE {code})"),
        None => text,
    }
}

const POOLED: &str = "nothing was changed: use a URL of the server itself, or of a pool in session mode; locks have to last longer \
                      than a transaction";

const STANDBY: &str = "nothing was changed: use a URL of the primary";

fn hint_for_state(error: &sqlx::Error) -> Option<String> {
    Some(match crate::connection::sql_state(error)?.as_str() {
        "42501" => "the role lacks a right: grant it, or use a URL of a role that has it".into(),
        "53100" => "free disk space on the server and run the same command again; finished steps are skipped".into(),
        "55P03" => {
            "something holds a lock on the object for long: see `pg_stat_activity`, then run the same command again"
                .into()
        }
        "25006" => STANDBY.into(),
        // A prepared statement is gone, or there already.
        "26000" | "42P05" => format!("is this a pooler in transaction mode? If so: {POOLED}"),
        "57014" | "57P01" | "57P02" => {
            "the server ended the statement: run the same command again; finished steps are skipped".into()
        }
        _ => return None,
    })
}
