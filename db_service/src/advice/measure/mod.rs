//! What the catalogs and the server's statistics say, as far as this role may see it. No row of a table is read, and nothing is
//! written.

mod declared;
mod extensions;
mod read_only;
mod repositories;
mod searches;
mod tables;

use database::cause::sql_state;
use relayout::layout::planner::Policy;
use sqlx::PgConnection;

use super::measured::{Measured, Settings, Wanted};
use crate::error::Error;
use declared::Declared;
use read_only::read_only;
use repositories::Noted;
use tables::Parts;

/// A lock was not to be had in time.
const LOCKED: &str = "55P03";

/// How large leaves are to be where no policy says it, as `003_partition_optimized` declares it.
const EMBEDDINGS: Policy = Policy { leaf_rows: 1_000_000, most_leaves: 32 };
const CODE_FILES: Policy = Policy { leaf_rows: 5_000_000, most_leaves: 64 };

/// Measures a database, for every role, on a standby, and whatever is there of Ecto's tables and of the layer.
///
/// # Errors
/// When a query fails for another reason than that the role may not see something.
pub async fn measure(connection: &mut PgConnection, wanted: Wanted, database: &str) -> Result<Measured, Error> {
    let failed = || database::Error::sql("measure the database", database);
    let found = read_only(connection, async |it| extensions::read(it).await).await.map_err(failed())?;
    let searches = searches::read(connection, found.statements.as_ref()).await;
    let (parts, is_noted) = match read_only(connection, async |it| Parts::read(it, true).await).await {
        Err(error) if sql_state(&error).as_deref() == Some(LOCKED) => {
            (read_only(connection, async |it| Parts::read(it, false).await).await.map_err(failed())?, true)
        }
        read => (read.map_err(failed())?, false),
    };
    let declared = read_only(connection, async |it| Declared::read(it).await).await.map_err(failed())?;
    let noted = read_only(connection, async |it| Noted::read(it).await).await.map_err(failed())?;
    let server = read_only(connection, async |it| sqlx::query_file!("queries/advice/server.sql").fetch_one(it).await);
    let server = server.await.map_err(failed())?;
    let settings = Settings {
        shared_buffers: server.shared_buffers.unsigned_abs(),
        effective_cache_size: server.effective_cache_size.unsigned_abs(),
        is_cache_size_set: server.is_cache_size_set,
        maintenance_work_mem: server.maintenance_work_mem.unsigned_abs(),
        parallel_builders: server.parallel_builders.unsigned_abs(),
    };
    let table = |name, ordinary| {
        parts.table(name, declared.leaves(name), declared.policy(name).unwrap_or(ordinary), noted.of(name))
    };
    Ok(Measured {
        wanted,
        settings,
        database_bytes: server.database_bytes.unsigned_abs(),
        sessions: u32::try_from(server.sessions).unwrap_or(u32::MAX),
        is_standby: server.is_standby,
        searches,
        extensions: found.extensions,
        layer: declared.layer,
        embeddings: table("embeddings", EMBEDDINGS),
        code_files: table("code_files", CODE_FILES),
        codes: parts.codes(),
        statistics: parts.statistics(),
        cached_bytes: parts.cached_bytes(),
        keeps_versions: declared.keeps_versions,
        is_noted,
    })
}
