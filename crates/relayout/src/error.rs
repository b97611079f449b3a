//! What can go wrong while a table's layout is changed.

use database::retry::LockTrouble;
use terminal::{Exit, Failure, Finding, finding};

/// An error of this crate.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A connection or a statement failed; the next run goes on.
    #[error(transparent)]
    Database(#[from] database::Error),
    /// The storage of tables cannot be changed as they are.
    #[error("{}", refusals(.database, .tables))]
    Refused {
        /// Where.
        database: String,
        /// Which, with all that stands against each.
        tables: Vec<(String, Vec<Finding>)>,
    },
    /// The drain of the change log cannot keep up.
    #[error("writers change table `{table}` in database `{database}` faster than its rows can be copied again")]
    Outrun {
        /// Which.
        table: String,
        /// Where.
        database: String,
    },
    /// Old and new form of a table were compared and are not the same.
    #[error("{rows} rows of table `{table}` in database `{database}` differ between its old and its new layout")]
    Differs {
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
    #[error("database `{database}` is not as the layer has left it: {}", finding::joined(.findings))]
    Damaged {
        /// Where.
        database: String,
        /// Everything that was found.
        findings: Vec<Finding>,
    },
}

fn refusals(database: &str, tables: &[(String, Vec<Finding>)]) -> String {
    let refusal = |(table, findings): &(String, Vec<Finding>)| {
        let findings = finding::joined(findings);
        format!("cannot change the layout of table `{table}` in database `{database}`: {findings}")
    };
    tables.iter().map(refusal).collect::<Vec<_>>().join("\n")
}

impl Error {
    pub(crate) fn refused(database: &str, table: &str, findings: Vec<Finding>) -> Self {
        Self::Refused { database: database.to_owned(), tables: vec![(table.to_owned(), findings)] }
    }

    /// For `map_err`, as often as it is needed: names what statements were for.
    pub(crate) fn during(doing: &str, database: &str) -> impl Fn(sqlx::Error) -> Self + use<> {
        let (doing, database) = (doing.to_owned(), database.to_owned());
        move |source| database::Error::sql(&doing, &database)(source).into()
    }
}

impl LockTrouble for Error {
    fn is_lock_trouble(&self) -> bool {
        matches!(self, Self::Database(error) if error.is_lock_trouble())
    }
}

impl Failure for Error {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Database(error) => error.hint(),
            Self::Refused { tables, .. } => {
                let findings: Vec<Finding> = tables.iter().flat_map(|(_, findings)| findings).cloned().collect();
                let general = "nothing was touched: change the table by an Ecto migration, or keep it plain with \
                               `migrations layout --table … --leaves 1 --yes`";
                Some(
                    std::iter::once(general.to_owned())
                        .chain(finding::remedies(&findings))
                        .collect::<Vec<_>>()
                        .join("\n"),
                )
            }
            Self::Outrun { .. } => Some(
                "run the same command again in a calmer hour, or let writers be slowed down more with `--brake`; it goes on \
                 from here"
                    .into(),
            ),
            Self::Differs { table, .. } => Some(format!(
                "both forms are kept: compare `public.{table}` with `db_service_old.{table}`, and please report it"
            )),
            Self::IndexDiffers { .. } => Some("choose another name, or drop that one by an Ecto migration".into()),
            Self::TableBusy { .. } => Some("finish it first: run `migrations`".into()),
            Self::Damaged { .. } => Some(
                "see docs/operations.md, \"Layouts\", for each; a run that was cut off is finished by `migrations`"
                    .into(),
            ),
        }
    }

    fn causes(&self) -> Vec<String> {
        match self {
            Self::Database(error) => error.causes(),
            _ => Vec::new(),
        }
    }

    fn exit(&self) -> Exit {
        match self {
            Self::Database(error) => error.exit(),
            Self::Refused { .. } | Self::Damaged { .. } | Self::IndexDiffers { .. } | Self::TableBusy { .. } => {
                Exit::Violation
            }
            Self::Outrun { .. } | Self::Differs { .. } => Exit::Failed,
        }
    }
}
