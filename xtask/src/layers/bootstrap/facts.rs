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
    /// The wished extensions that the server has the files of, with the version it would install.
    pub(crate) offered: BTreeMap<String, String>,
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
    let row = sqlx::query_file!("queries/server_facts.sql", &names).fetch_one(connection).await?;
    let preload = row.preload.map(|setting| preload::libraries(&setting));
    let offered = row.offered.into_iter().zip(row.offered_versions).collect();
    Ok(ServerFacts { version_number: row.version_number, version: row.version, preload, offered })
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
