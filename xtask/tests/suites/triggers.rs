//! The layer's triggers are where they belong, whatever becomes of the leaves.

use crate::Verdict::{self, Passed};
use crate::command::migrations;
use crate::database::{Database, Stage};
use crate::role::Role;
use crate::server::TestServer;
use crate::twins::{partitioned, plain};
use crate::versions::{INSERT, VERSIONS, row};
use crate::writers::{Writers, killed_in_every_phase};

crate::tests![
    triggers_are_there_after_every_change_of_leaves,
    a_kill_in_any_phase_leaves_them_on_every_leaf,
    what_is_missing_or_disabled_is_found_and_put_right,
    the_way_back_leaves_nothing,
    a_second_run_changes_nothing,
    who_does_not_own_a_table_is_told_so,
];

/// Relations of a table that lack one of the triggers declared for it; they have to be enabled always.
fn lacking(database: &Database<'_>) -> Vec<String> {
    database.column(
        "SELECT t.relid::regclass::text FROM db_service.layout l, pg_partition_tree(('public.' || l.table_name)::regclass) t
         WHERE (SELECT count(*) FROM pg_trigger g WHERE g.tgrelid = t.relid AND g.tgenabled = 'A' AND g.tgname LIKE 'singularity\\_kept\\_%')
               <> (SELECT count(*) FROM db_service.kept_trigger k WHERE k.table_name = l.table_name)
         ORDER BY 1",
    )
}

fn triggers_are_there_after_every_change_of_leaves(server: &TestServer) -> Verdict {
    let database = partitioned(server);
    let url = database.url_text();
    assert_eq!(lacking(&database), Vec::<String>::new(), "after the conversion");
    let all = "SELECT count(*)::text FROM pg_trigger WHERE tgname LIKE 'singularity\\_kept\\_%'";
    // For versions on both tables, for codes on one of them.
    assert_eq!(database.text(all), ((4 * 2 + 4) * 17).to_string());
    let leaf = ["--table", "code_files", "--leaf"];
    database.execute("UPDATE db_service.layout_policy SET leaf_rows = 100; ANALYZE");
    let before = database.column(VERSIONS);
    for command in [&["split"][..], &["split", "--by-path"], &["merge", leaf[0], leaf[1], leaf[2], "8/5"]] {
        migrations(&url, &[command, &["--yes"]].concat()).succeeds();
        assert_eq!(lacking(&database), Vec::<String>::new(), "after {command:?}");
        assert_eq!(database.column(VERSIONS), before, "no row has changed after {command:?}");
        migrations(&url, &[]).succeeds().says("Unchanged performance layer");
        migrations(&url, &["verify"]).succeeds();
    }
    Passed
}

fn a_kill_in_any_phase_leaves_them_on_every_leaf(server: &TestServer) -> Verdict {
    let database = partitioned(server);
    let url = database.url_text();
    let writers = Writers::start(&database.url);
    for turn in ["split", "merge"] {
        killed_in_every_phase(&database, &[turn, "--table", "embeddings", "--leaf", "16/3", "--yes"], 1);
        assert_eq!(lacking(&database), Vec::<String>::new(), "{turn}, after the last kill");
        migrations(&url, &[]).succeeds();
        assert_eq!(lacking(&database), Vec::<String>::new(), "{turn}");
    }
    writers.finish();
    migrations(&url, &["verify"]).succeeds();
    Passed
}

fn what_is_missing_or_disabled_is_found_and_put_right(server: &TestServer) -> Verdict {
    let database = Database::at(server, Stage::All);
    let url = database.url_text();
    for (spoil, said) in [
        ("DROP TRIGGER singularity_kept_version_inserted ON leaf_16_3.code_files", "is missing"),
        ("ALTER TABLE public.embeddings DISABLE TRIGGER singularity_kept_version_deleted", "does not fire always"),
        (
            "ALTER TABLE leaf_16_7.embeddings DISABLE TRIGGER ALL; ALTER TABLE leaf_16_7.embeddings ENABLE TRIGGER ALL",
            "does not fire always",
        ),
        ("UPDATE db_service.kept_trigger SET in_place = false", "does not tell the truth"),
    ] {
        database.execute(spoil);
        migrations(&url, &["verify"]).exits(4).says(said).says("hint: ");
        migrations(&url, &["plan"]).exits(3).says("Pending triggers");
        let before = database.column(VERSIONS);
        migrations(&url, &[]).succeeds().says("Set triggers");
        assert_ne!(database.column(VERSIONS), before, "what was written meanwhile was not noted: {spoil}");
        assert_eq!(lacking(&database), Vec::<String>::new());
        migrations(&url, &["verify"]).succeeds();
    }
    Passed
}

fn the_way_back_leaves_nothing(server: &TestServer) -> Verdict {
    let database = plain(server);
    let url = database.url_text();
    let before = database.dump();
    migrations(&url, &[]).succeeds();
    assert!(database.truth("SELECT db_service.version_of('a') IS NOT NULL"));
    migrations(&url, &["revert", "--table", "embeddings", "--yes"]).succeeds();
    let none = "SELECT db_service.version_of('a') IS NULL AND db_service.version_of_all() IS NULL";
    assert!(database.truth(none), "embeddings are not noted any more");
    assert_eq!(database.column("SELECT tgname::text FROM pg_trigger WHERE tgrelid = 'embeddings'::regclass"), [""; 0]);
    migrations(&url, &["verify"]).succeeds();
    migrations(&url, &["layout", "--table", "embeddings", "--leaves", "4", "--yes"]).succeeds();
    assert_eq!(lacking(&database), Vec::<String>::new());
    assert!(database.truth("SELECT db_service.version_of('a') IS NOT NULL"));
    migrations(&url, &["revert", "--yes"]).succeeds();
    migrations(&url, &[]).succeeds().says("Unchanged performance layer");
    database.execute("DROP SCHEMA db_service CASCADE");
    assert_eq!(database.dump(), before);
    // Without the way back: the triggers go with their functions.
    let database = Database::at(server, Stage::All);
    database.execute("DROP SCHEMA db_service CASCADE");
    database.execute(&format!("{INSERT} {}", row("a", "1")));
    migrations(&database.url_text(), &[]).succeeds().says("Set triggers");
    assert_eq!(lacking(&database), Vec::<String>::new());
    Passed
}

fn a_second_run_changes_nothing(server: &TestServer) -> Verdict {
    let database = Database::at(server, Stage::All);
    let url = database.url_text();
    let seen = "SELECT string_agg(concat_ws(' ', oid, xmin, tgname), ',' ORDER BY oid) FROM pg_trigger";
    let (triggers, versions) = (database.text(seen), database.column(VERSIONS));
    migrations(&url, &[]).succeeds().says("Unchanged performance layer");
    migrations(&url, &["plan"]).succeeds();
    assert_eq!((database.text(seen), database.column(VERSIONS)), (triggers, versions));
    Passed
}

fn who_does_not_own_a_table_is_told_so(server: &TestServer) -> Verdict {
    let role = Role::new(server);
    let database = Database::at(server, Stage::All);
    database.execute(&format!(
        "DROP TRIGGER singularity_kept_version_inserted ON leaf_16_3.code_files;
         GRANT USAGE ON SCHEMA db_service TO {0}; GRANT SELECT ON ALL TABLES IN SCHEMA db_service, public TO {0}",
        role.name
    ));
    migrations(&role.url(&database), &[]).succeeds().says("Left out triggers `code_files`").says("`GRANT ");
    assert_eq!(lacking(&database).len(), 1);
    database.execute(&format!("DROP OWNED BY {}", role.name));
    Passed
}
