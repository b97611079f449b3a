//! `structure.sql` into an empty database.

use std::path::Path;

use database::{DatabaseLock, Worker, transaction};
use ledger::ecto::Files;
use ledger::migration::SCHEMA;
use ledger::structure::{self, Batch};
use relayout::layout::is_leaf_schema;
use sqlx::{AssertSqlSafe, PgConnection};

use super::error::EctoError;
use crate::layers::error::LayerError;
use crate::target::Target;

/// What is to be sent, if the file is all that Ecto's files make, and no more.
pub(super) fn plan(path: &Path, files: &Files) -> Result<Vec<Batch>, EctoError> {
    let sql = std::fs::read_to_string(path)
        .map_err(|source| EctoError::StructureUnreadable { path: path.to_owned(), source })?;
    if let Some(statement) = structure::naming(&sql, |schema| schema == SCHEMA || is_leaf_schema(schema)) {
        return Err(EctoError::StructureHoldsLayer(statement.to_owned()));
    }
    let loaded = structure::versions(&sql);
    let lacks = files.versions().find(|version| !loaded.contains(version)).and_then(|version| files.name(version));
    match lacks {
        Some(name) => Err(EctoError::StructureBehind(name.to_owned())),
        None => structure::batches(&sql).map_err(EctoError::StructureCommand),
    }
}

/// All of the file in one transaction, on a connection of its own: a dump changes session settings.
pub(super) async fn apply(batches: &[Batch], lock: &DatabaseLock, target: &Target) -> Result<(), LayerError> {
    let mut worker = Worker::connect(lock).await?;
    let loaded = transaction::run(&mut worker, transaction::CHANGE, async |connection| {
        // As in the head of a dump, which the file has not: functions come before the tables that they read.
        sqlx::raw_sql("SET LOCAL check_function_bodies = off").execute(&mut *connection).await?;
        for batch in batches {
            send(batch, connection).await?;
        }
        Ok(transaction::End::Commit(()))
    });
    loaded.await.map_err(database::Error::sql("load `structure.sql`", target.name()))?;
    worker.close().await;
    Ok(())
}

async fn send(batch: &Batch, connection: &mut PgConnection) -> Result<(), sqlx::Error> {
    match batch {
        Batch::Statements(sql) => {
            sqlx::raw_sql(AssertSqlSafe(sql.clone())).execute(connection).await?;
        }
        Batch::Copy { statement, rows } => {
            let mut copy = connection.copy_in_raw(statement).await?;
            copy.send(rows.as_bytes()).await?;
            copy.finish().await?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn planned(path: &Path) -> Result<Vec<Batch>, EctoError> {
        let migrations = Path::new(env!("CARGO_MANIFEST_DIR")).join("../singularity_app/priv/repo/migrations");
        plan(path, &Files::read(&migrations).unwrap())
    }

    /// What stands against loading a file of this text.
    fn refusal(text: &str) -> String {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("structure.sql");
        std::fs::write(&path, text).unwrap();
        planned(&path).unwrap_err().to_string()
    }

    #[test]
    fn a_structure_that_lags_behind_is_not_loaded() {
        assert!(planned(Path::new("/nowhere")).unwrap_err().to_string().contains("cannot read"));
        assert_eq!(
            refusal("INSERT INTO public.\"schema_migrations\" (version) VALUES (20251005);\n"),
            "cannot load `structure.sql`: it lacks Ecto migration `20251004222000_create_framework_patterns`"
        );
    }

    #[test]
    fn a_structure_that_holds_more_is_not_loaded() {
        for statement in ["CREATE SCHEMA db_service;", "CREATE SCHEMA leaf_16_3;", "CREATE TABLE leaf_16_3.t ();"] {
            assert_eq!(
                refusal(statement),
                format!(
                    "cannot load `structure.sql`: it was dumped from a database that has the performance layer: `{statement}`"
                )
            );
        }
    }
}
