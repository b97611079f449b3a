//! A server that has room for few locks: a table that would need more is refused before anything, not half-way.

use crate::Verdict::{self, Passed, Skipped};
use crate::command::migrations;
use crate::database::{Database, Stage};
use crate::role::{self, Role};
use crate::server::{Kind, TestServer, another};
use crate::situations::dump;
use crate::twins::leaves;

crate::tests![a_server_that_would_run_out_of_locks_is_named];

/// The least for a transaction that a server takes.
const FEW: &str = "fsync = off\nmax_locks_per_transaction = 10\nmax_connections = 30\n";

/// A default is an object of its own, and locked with each leaf that is dropped: here the way back would find no room.
const MANY_COLUMNS: &str = "DO $$ BEGIN
         EXECUTE (SELECT 'ALTER TABLE code_files ' || string_agg(format('ADD w%s integer DEFAULT 0', i), ', ') FROM generate_series(1, 1400) i);
     END $$";

fn a_server_that_would_run_out_of_locks_is_named(server: &TestServer) -> Verdict {
    if server.kind != Kind::Embedded {
        return Skipped("starts a server of its own, the same one on every server".to_owned());
    }
    let server = match another(FEW) {
        Ok(server) => server,
        Err(why) => return Skipped(format!("needs a server of its own: {why}")),
    };
    let role = Role::new(&server);
    let database = Database::at(&server, Stage::Ecto);
    database.execute(MANY_COLUMNS);
    role::give_all(&database, &role.name);
    let before = dump(&database);
    migrations(&role.url(&database), &[])
        .exits(4)
        .says("table `code_files`")
        .says("locks, more than half of the 300 that this server has: raise `max_locks_per_transaction`");
    assert_eq!(leaves(&database), "");
    assert_eq!(dump(&database), before);
    Passed
}
