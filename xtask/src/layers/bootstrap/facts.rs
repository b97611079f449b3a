//! What server and database say.

use std::collections::BTreeMap;

use sqlx::PgConnection;

use super::known::Wish;
use super::preload;

/// What server and database say.
#[derive(Clone, Debug)]
pub(crate) struct BootstrapState {
    pub(crate) server: ServerFacts,
    /// None: there is no such database.
    pub(crate) database: Option<DatabaseFacts>,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct ServerFacts {
    pub(crate) version_number: i32,
    pub(crate) version: String,
    /// The libraries, without path and ending; none where the role may not read the setting.
    pub(crate) preload: Option<Vec<String>>,
    pub(crate) next_preload: NextPreload,
    /// The wished extensions that the server has the files of, with the version it would install.
    pub(crate) offered: BTreeMap<String, String>,
}

/// The libraries that the server's next start will load.
#[derive(Clone, Debug, Default)]
pub(crate) enum NextPreload {
    /// The role may not know, or nobody has asked.
    #[default]
    Unknown,
    /// Those in its files.
    Files(Vec<String>),
    /// Those that it is started with, whatever its files say.
    CommandLine,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct DatabaseFacts {
    pub(crate) environment: Option<String>,
    pub(crate) encoding: String,
    /// Installed extensions and their versions.
    pub(crate) extensions: BTreeMap<String, String>,
    /// Whether `public` holds anything of the user's.
    pub(crate) has_relations: bool,
}

/// Of the server that the connection is to.
pub(super) async fn server(connection: &mut PgConnection, wishes: &[Wish]) -> Result<ServerFacts, sqlx::Error> {
    let names: Vec<String> = wishes.iter().map(|wish| wish.name.to_owned()).collect();
    let row = sqlx::query_file!("queries/server_facts.sql", &names).fetch_one(&mut *connection).await?;
    let preload = row.preload.map(|setting| preload::libraries(&setting));
    let offered: BTreeMap<String, String> = row.offered.into_iter().zip(row.offered_versions).collect();
    // Asked only where it matters: it makes the server read its files.
    let is_lacking = |loaded: &Vec<String>| offered.keys().any(|name| preload::lacks(name, loaded));
    let next_preload =
        if preload.as_ref().is_some_and(is_lacking) { next_preload(connection).await? } else { NextPreload::Unknown };
    Ok(ServerFacts { version_number: row.version_number, version: row.version, preload, next_preload, offered })
}

async fn next_preload(connection: &mut PgConnection) -> Result<NextPreload, sqlx::Error> {
    let asked = sqlx::query!(
        r#"SELECT source = 'command line' AS "is_on_command_line!",
                  pg_catalog.has_table_privilege('pg_catalog.pg_file_settings', 'SELECT')
                  AND pg_catalog.has_function_privilege('pg_catalog.pg_show_all_file_settings()', 'EXECUTE') AS "sees_files!"
           FROM pg_catalog.pg_settings WHERE name = 'shared_preload_libraries'"#
    );
    let asked = asked.fetch_one(&mut *connection).await?;
    if asked.is_on_command_line {
        return Ok(NextPreload::CommandLine);
    }
    if !asked.sees_files {
        return Ok(NextPreload::Unknown);
    }
    let setting = sqlx::query_scalar!(
        "SELECT setting FROM pg_catalog.pg_file_settings
         WHERE name = 'shared_preload_libraries' ORDER BY seqno DESC LIMIT 1"
    );
    let setting = setting.fetch_optional(connection).await?.flatten().unwrap_or_default();
    Ok(NextPreload::Files(preload::libraries(&setting)))
}

/// Of the database that it is in.
pub(super) async fn database(connection: &mut PgConnection) -> Result<DatabaseFacts, sqlx::Error> {
    let row = sqlx::query_file!("queries/database_facts.sql").fetch_one(connection).await?;
    let extensions = row.extensions.into_iter().zip(row.versions).collect();
    Ok(DatabaseFacts {
        environment: row.environment,
        encoding: row.encoding,
        extensions,
        has_relations: row.has_relations,
    })
}
