//! Roles with few rights.

use crate::database::Database;
use crate::server::TestServer;

/// A role that may log in and owns nothing; dropped at its end, which must come after that of what it owns.
pub(crate) struct Role<'a> {
    server: &'a TestServer,
    pub(crate) name: String,
}

impl<'a> Role<'a> {
    pub(crate) fn new(server: &'a TestServer) -> Self {
        let name = server.unused_name();
        server.named("postgres").execute(&format!("CREATE ROLE {name} LOGIN PASSWORD 's3cr@t/pass#1'"));
        Self { server, name }
    }

    /// The URL of a database with this role's login.
    pub(crate) fn url(&self, database: &Database<'_>) -> String {
        database.url_as(&format!("{}:s3cr%40t%2Fpass%231", self.name))
    }
}

impl Drop for Role<'_> {
    fn drop(&mut self) {
        self.server.named("postgres").execute(&format!("DROP ROLE IF EXISTS {}", self.name));
    }
}
