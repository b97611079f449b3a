//! Which extensions are installed, and which the server has files of.

use sqlx::PgConnection;

use crate::advice::measured::Extensions;
use crate::advice::unknown::Unknown;

pub(super) struct Found {
    pub(super) extensions: Extensions,
    /// The schema of `pg_stat_statements`.
    pub(super) statements: Result<String, Unknown>,
}

pub(super) async fn read(connection: &mut PgConnection) -> Result<Found, sqlx::Error> {
    let rows = sqlx::query_file!("queries/advice/extensions.sql").fetch_all(connection).await?;
    let row = |name: &str| rows.iter().find(|row| row.name == name);
    let installed = |name: &str| row(name).and_then(|row| row.installed.clone());
    let offered = |name: &str| row(name).and_then(|row| row.offered.clone());
    let schema = row("pg_stat_statements").and_then(|row| row.schema.clone());
    let statements = schema.ok_or_else(|| {
        if offered("pg_stat_statements").is_some() {
            Unknown::new("the extension `pg_stat_statements` is not installed in this database").remedy(
                "`CREATE EXTENSION pg_stat_statements`, by a superuser, while the server has it in `shared_preload_libraries`",
            )
        } else {
            Unknown::new("this server does not offer the extension `pg_stat_statements`")
                .remedy("install PostgreSQL's contrib modules on the server")
        }
    });
    let extensions = Extensions {
        vector: installed("vector"),
        vector_offered: offered("vector"),
        vchord: installed("vchord"),
        timescaledb: installed("timescaledb"),
        citus: installed("citus"),
    };
    Ok(Found { extensions, statements })
}
