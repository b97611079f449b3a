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
        create(&server.named("postgres"), &name);
        Self { server, name }
    }

    /// The URL of a database with this role's login.
    pub(crate) fn url(&self, database: &Database<'_>) -> String {
        url(database, &self.name)
    }
}

impl Drop for Role<'_> {
    fn drop(&mut self) {
        // After a failure its databases are there still: a second panic would end all tests.
        if !std::thread::panicking() {
            self.server.named("postgres").execute(&format!("DROP ROLE IF EXISTS {}", self.name));
        }
    }
}

/// Makes one that may log in, with the password of all tests.
pub(crate) fn create(database: &Database<'_>, name: &str) {
    database.execute(&format!("CREATE ROLE {name} LOGIN PASSWORD 's3cr@t/pass#1'"));
}

/// The URL of a database with the login of such a role.
pub(crate) fn url(database: &Database<'_>, name: &str) -> String {
    database.url_as(&login(name))
}

/// Name and password of such a role, percent-encoded.
pub(crate) fn login(name: &str) -> String {
    format!("{name}:s3cr%40t%2Fpass%231")
}

/// All that is in `public` belongs to a role that is no superuser and sees no sessions of others.
pub(crate) fn give_all(database: &Database<'_>, role: &str) {
    database.execute(&format!(
        "ALTER DATABASE {} OWNER TO {role};
         -- Whatever event triggers there are, they are not about this.
         SELECT set_config('suites.enabled', COALESCE(string_agg(quote_ident(evtname), ','), ''), false)
         FROM pg_event_trigger WHERE evtenabled = 'O';
         DO $$
         DECLARE name text;
         BEGIN
             FOREACH name IN ARRAY string_to_array(current_setting('suites.enabled'), ',') LOOP
                 EXECUTE 'ALTER EVENT TRIGGER ' || name || ' DISABLE';
             END LOOP;
         END $$;
         ALTER SCHEMA public OWNER TO {role};
         DO $$
         DECLARE statement text;
         BEGIN
             FOR statement IN
                 SELECT format('ALTER TABLE %s OWNER TO {role}', c.oid::regclass) FROM pg_class c
                 WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'v', 'm')
                   AND NOT EXISTS (SELECT FROM pg_depend WHERE classid = 'pg_class'::regclass AND objid = c.oid AND deptype = 'e')
                 UNION ALL
                 SELECT format('ALTER ROUTINE %s OWNER TO {role}', p.oid::regprocedure) FROM pg_proc p
                 WHERE pronamespace = 'public'::regnamespace
                   AND NOT EXISTS (SELECT FROM pg_depend WHERE classid = 'pg_proc'::regclass AND objid = p.oid AND deptype = 'e')
                 UNION ALL
                 SELECT format('ALTER STATISTICS %I.%I OWNER TO {role}', stxnamespace::regnamespace, stxname) FROM pg_statistic_ext
             LOOP
                 EXECUTE statement;
             END LOOP;
             FOREACH statement IN ARRAY string_to_array(current_setting('suites.enabled'), ',') LOOP
                 EXECUTE 'ALTER EVENT TRIGGER ' || statement || ' ENABLE';
             END LOOP;
         END $$",
        ::database::quote::identifier(&database.name)
    ));
}
