//! What a database says about Ecto: its ledger `schema_migrations`.
//!
//! Asking Ecto itself is not an option: `mix ecto.migrations` creates the ledger and takes the migration lock.

use database::Error;
use sqlx::PgConnection;

use super::files::Files;

/// What a database says about Ecto.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EctoState {
    /// The ledger.
    pub ledger: Ledger,
    /// Whether `public` holds any table, view or sequence that no extension brought.
    pub has_relations: bool,
}

/// The table `public.schema_migrations`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Ledger {
    /// There is none.
    #[default]
    Absent,
    /// Ecto's: the versions in it, ascending.
    Versions(Vec<i64>),
    /// Some other tool's: the type of its column `version`.
    Foreign(String),
}

impl EctoState {
    /// What an empty database says.
    #[must_use]
    pub fn empty() -> Self {
        Self::default()
    }

    /// Files that are not in the ledger.
    #[must_use]
    pub fn pending(&self, files: &Files) -> Vec<i64> {
        files.versions().filter(|version| !self.applied().contains(version)).collect()
    }

    /// Ledger rows that have no file.
    #[must_use]
    pub fn unknown(&self, files: &Files) -> Vec<i64> {
        self.applied().iter().copied().filter(|version| !files.contains(*version)).collect()
    }

    /// The versions in the ledger.
    #[must_use]
    pub fn applied(&self) -> &[i64] {
        match &self.ledger {
            Ledger::Versions(versions) => versions,
            Ledger::Absent | Ledger::Foreign(_) => &[],
        }
    }
}

/// Reads the ledger. Writes nothing; the caller holds a READ ONLY transaction.
///
/// # Errors
/// When a query fails.
pub async fn inspect(connection: &mut PgConnection, database: &str) -> Result<EctoState, Error> {
    let failed = || Error::sql("read Ecto's ledger", database);
    let facts = sqlx::query_file!("queries/ecto_state.sql").fetch_one(&mut *connection).await.map_err(failed())?;
    let ledger = match facts.version_type.as_deref() {
        None => Ledger::Absent,
        Some("bigint") => Ledger::Versions(
            sqlx::query_scalar!("SELECT version FROM public.schema_migrations ORDER BY version")
                .fetch_all(connection)
                .await
                .map_err(failed())?,
        ),
        Some(other) => Ledger::Foreign(other.to_owned()),
    };
    Ok(EctoState { ledger, has_relations: facts.has_relations })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pending_and_unknown_are_the_two_differences() {
        let files = Files::from_names(["1_a.exs", "2_b.exs"].into_iter()).unwrap();
        let state = EctoState { ledger: Ledger::Versions(vec![2, 3]), has_relations: true };
        assert_eq!(state.pending(&files), [1]);
        assert_eq!(state.unknown(&files), [3]);
        assert_eq!(EctoState::empty().pending(&files), [1, 2]);
    }
}
