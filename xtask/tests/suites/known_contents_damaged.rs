//! A filter that is not as it should be: it is said, it is mended, and no answer is wrong meanwhile.

use db_service::dedup::{Damage, Error};

use crate::Verdict::{self, Passed};
use crate::command::{block_on, migrations};
use crate::database::Database;
use crate::known_contents::{INSERT, asking, kept, known, row};
use crate::result_cache::pool;
use crate::server::TestServer;

crate::tests![
    what_is_damaged_is_named_and_built_anew,
    what_does_not_hold_is_not_relied_on,
    what_is_gone_is_an_error_that_says_what_to_do,
    what_is_full_or_outdated_or_long_is_put_right_by_the_next_run,
    what_was_switched_off_leaves_nothing_behind,
    a_way_back_to_plain_tables_gives_the_filter_up,
];

/// Answers are right whatever the filter is; whether there is one, and why not.
fn asked(database: &Database<'_>) -> Result<(), Error> {
    block_on(async {
        let pool = pool(database);
        let contents = asking(&pool);
        let mut last = Ok(());
        // What is damaged is read once.
        for _ in 0..2 {
            assert_eq!(known(&contents, &["x", "y"]).await, ["x"]);
            last = contents.view().await.map(|view| {
                assert!(view.may_hold(&db_service::dedup::ContentHash::of("x")), "the content that is there is denied");
            });
        }
        pool.close().await;
        last
    })
}

fn with_a_row(server: &TestServer) -> Database<'_> {
    let database = kept(server);
    database.execute(&format!("{INSERT} {}", row("a", "1", "x")));
    migrations(&database.url_text(), &["filters", "--rebuild"])
        .succeeds()
        .says("Created filter `code_files` 1 contents");
    database
}

fn what_is_damaged_is_named_and_built_anew(server: &TestServer) -> Verdict {
    type Is = fn(&Damage) -> bool;
    let database = with_a_row(server);
    let url = database.url_text();
    let set = |place: usize, byte: &str| {
        format!("UPDATE db_service.content_filter_chunk SET bytes = set_byte(bytes, {place}, {byte})")
    };
    let cases: [(String, Is, &str); 10] = [
        (set(1000, "get_byte(bytes, 1000) # 16"), |it| matches!(it, Damage::Checksum), "its checksum is another one"),
        (set(40, "99"), |it| matches!(it, Damage::Checksum), "its checksum is another one"),
        (set(0, "0"), |it| matches!(it, Damage::Foreign), "does not begin as a filter of ours"),
        (set(8, "2"), |it| matches!(it, Damage::Newer(2)), "it is written in form 2, which a newer version"),
        (
            "UPDATE db_service.content_filter_chunk SET bytes = substr(bytes, 1, 5000)".into(),
            |it| matches!(it, Damage::Length { found: 5000, .. }),
            "it has 5000 bytes, and should have",
        ),
        (
            "UPDATE db_service.content_filter_chunk SET bytes = ''".into(),
            |it| matches!(it, Damage::Foreign),
            "does not begin as a filter of ours",
        ),
        (
            "TRUNCATE db_service.content_filter_chunk".into(),
            |it| matches!(it, Damage::Pieces { found: 0, wanted: 1 }),
            "0 of its 1 pieces are there",
        ),
        (
            "INSERT INTO db_service.content_filter_chunk SELECT epoch, 1, '' FROM db_service.content_filter".into(),
            |it| matches!(it, Damage::Pieces { found: 2, wanted: 1 }),
            "2 of its 1 pieces are there",
        ),
        // As after a part of a restore.
        (
            "UPDATE db_service.content_filter SET epoch = gen_random_uuid();
             UPDATE db_service.content_filter_chunk c SET epoch = f.epoch FROM db_service.content_filter f"
                .into(),
            |it| matches!(it, Damage::OtherEpoch),
            "its head is of another build",
        ),
        (
            "UPDATE db_service.content_filter SET cluster = cluster + 1".into(),
            |it| matches!(it, Damage::Elsewhere),
            "it was built in another database cluster",
        ),
    ];
    for (spoil, is, said) in cases {
        database.execute(&spoil);
        assert!(matches!(&asked(&database), Err(Error::Damaged(damage)) if is(damage)), "{spoil}");
        migrations(&url, &["filters"])
            .exits(4)
            .says("error: the filter of contents cannot be used")
            .says(said)
            .says("hint: `migrations filters --rebuild` builds it anew");
        migrations(&url, &["verify"]).exits(4).says(said);
        migrations(&url, &["filters", "--rebuild"]).succeeds();
        assert!(asked(&database).is_ok(), "{spoil}");
        migrations(&url, &["verify"]).succeeds().says("Verified filter `code_files` 1 contents are all found in it");
    }
    // What is from elsewhere is known by the database's word, and mended by any run.
    database.execute("UPDATE db_service.content_filter SET cluster = cluster + 1");
    migrations(&url, &["plan"])
        .exits(3)
        .says("Pending filter `code_files` to be built anew: it comes from another cluster");
    migrations(&url, &[]).succeeds().says("Created filter `code_files` 1 contents");
    // What should be taken on and cannot be is made anew, too.
    database.execute(&set(0, "0"));
    log_much(&database);
    migrations(&url, &[]).succeeds().says("Created filter `code_files` 1 contents");
    assert!(asked(&database).is_ok());
    Passed
}

/// More than is read again and again.
fn log_much(database: &Database<'_>) {
    database.execute(
        "INSERT INTO db_service.content_key_log (written_by, keys)
         SELECT pg_current_xact_id(), string_agg(substr(sha256(g::text::bytea), 1, 8), '') FROM generate_series(1, 60000) g
         CROSS JOIN (VALUES (1), (2)) twice GROUP BY g % 2",
    );
}

fn what_does_not_hold_is_not_relied_on(server: &TestServer) -> Verdict {
    let database = with_a_row(server);
    let url = database.url_text();
    database.execute("UPDATE db_service.kept_trigger SET in_place = false WHERE keeps = 'contents'");
    assert!(matches!(asked(&database), Err(Error::NotKept { .. })));
    migrations(&url, &["filters"]).exits(3).prints("is not kept up to date");
    // Nobody knows what was written meanwhile.
    migrations(&url, &[]).succeeds().says("Created filter `code_files` 1 contents");
    let leaf = database.text("SELECT tableoid::regclass::text FROM code_files");
    database.execute(&format!("DROP TRIGGER singularity_kept_contents_inserted ON {leaf}"));
    migrations(&url, &["verify"]).exits(4).says("trigger `singularity_kept_contents_inserted`");
    migrations(&url, &[]).succeeds().says("Created filter `code_files` 1 contents");
    database.execute("SELECT db_service.forget_content_filter()");
    assert!(matches!(asked(&database), Err(Error::NotBuilt)));
    migrations(&url, &["filters"]).exits(3).prints("the filter of contents is not built");
    database.execute("DELETE FROM db_service.content_filter");
    assert!(matches!(asked(&database), Err(Error::NotBuilt)));
    migrations(&url, &[]).succeeds().says("Created filter `code_files` 1 contents");
    assert!(asked(&database).is_ok());
    // As a subscription has it.
    database.execute(
        "SET allow_system_table_mods = on;
         INSERT INTO pg_subscription_rel (srsubid, srrelid, srsubstate) VALUES (1, 'code_files'::regclass, 'r')",
    );
    assert!(matches!(asked(&database), Err(Error::NotKept { .. })));
    database.execute("SET allow_system_table_mods = on; DELETE FROM pg_subscription_rel");
    Passed
}

fn what_is_gone_is_an_error_that_says_what_to_do(server: &TestServer) -> Verdict {
    let database = with_a_row(server);
    database.execute("DROP TABLE db_service.content_key_log");
    assert!(matches!(asked(&database), Err(Error::NotInstalled(_))));
    let run = migrations(&database.url_text(), &["filters"]).exits(4);
    assert!(run.stderr.contains("hint: "), "{}", run.stderr);
    database.execute("DROP FUNCTION db_service.known_content(bytea[])");
    block_on(async {
        let pool = pool(&database);
        let error = asking(&pool).known([db_service::dedup::ContentHash::of("x")]).await.unwrap_err();
        assert!(matches!(error, Error::NotInstalled(_)), "{error}");
        pool.close().await;
    });
    Passed
}

fn what_is_full_or_outdated_or_long_is_put_right_by_the_next_run(server: &TestServer) -> Verdict {
    let database = with_a_row(server);
    let url = database.url_text();
    migrations(&url, &[]).changes_nothing();
    // They would be read by each process that begins.
    log_much(&database);
    migrations(&url, &["plan"]).exits(3).says("Pending filter `code_files` what was written since is to be taken in");
    migrations(&url, &[]).succeeds().says("Set filter `code_files` 59").says("contents, with what was written since");
    assert!(database.truth("SELECT NOT EXISTS (SELECT FROM db_service.content_key_log)"));
    assert!(asked(&database).is_ok());
    database.execute(
        "INSERT INTO code_files (repo_name, file_path, content, content_hash, size_bytes)
         SELECT 'many', g::text, '', sha256(g::text::bytea), 0 FROM generate_series(1, 150000) g",
    );
    // Room for half as many again as there are now.
    migrations(&url, &[]).succeeds().says("Created filter `code_files` 1").says("contents in 278 kB");
    assert!(asked(&database).is_ok());
    database.execute("UPDATE db_service.content_filter SET capacity = keys - 1");
    migrations(&url, &["plan"]).exits(3).says("Pending filter `code_files` to be built anew, larger: it is full");
    // By whoever comes first: this comes more often.
    migrations(&url, &["maintain", "--dry-run"]).exits(3).says("Pending filter `code_files` to be built anew");
    migrations(&url, &["maintain"]).succeeds().says("contents in 278 kB");
    migrations(&url, &["maintain", "--verbose"]).succeeds().says("Unchanged filter `code_files`");
    database.execute("DELETE FROM code_files WHERE repo_name = 'many'; SELECT pg_stat_force_next_flush()");
    database.wait("SELECT sum(n_tup_del) >= 150000 FROM pg_stat_user_tables WHERE relname = 'code_files'");
    migrations(&url, &["plan"]).exits(3).says("to be built anew: much of what it has is gone");
    migrations(&url, &[]).succeeds().says("Created filter `code_files` 1 contents in 123 kB");
    migrations(&url, &[]).changes_nothing();
    Passed
}

fn what_was_switched_off_leaves_nothing_behind(server: &TestServer) -> Verdict {
    let database = with_a_row(server);
    let url = database.url_text();
    migrations(&url, &["filters", "--on"]).changes_nothing();
    database.execute(&format!("{INSERT} {}", row("a", "2", "z")));
    migrations(&url, &["filters", "--off"])
        .succeeds()
        .says("Set triggers `code_files` 4 for versions, on the table and 16 below it")
        .says("Set filter `code_files` none: every content is asked for");
    migrations(&url, &["filters", "--off"]).changes_nothing();
    let left = "SELECT NOT EXISTS (SELECT FROM pg_trigger WHERE tgname LIKE 'singularity\\_kept\\_contents%')
                AND NOT EXISTS (SELECT FROM db_service.content_filter_chunk) AND NOT EXISTS (SELECT FROM db_service.content_key_log)";
    assert!(database.truth(left));
    migrations(&url, &["filters"])
        .succeeds()
        .prints("nothing is paid for it; `migrations filters --on` has one built and kept");
    migrations(&url, &["filters", "--rebuild"]).exits(1).says("it is switched off").says("`migrations filters --on`");
    migrations(&url, &["filters", "--on", "--off"]).exits(2);
    assert!(matches!(asked(&database), Err(Error::Off)));
    migrations(&url, &["filters", "--on"]).succeeds().says("Created filter `code_files` 2 contents");
    assert!(asked(&database).is_ok());
    Passed
}

fn a_way_back_to_plain_tables_gives_the_filter_up(server: &TestServer) -> Verdict {
    let database = with_a_row(server);
    let url = database.url_text();
    migrations(&url, &["split", "--table", "code_files", "--leaf", "16/3", "--yes"]).succeeds();
    assert!(asked(&database).is_ok());
    migrations(&url, &["revert", "--table", "code_files", "--yes"]).succeeds();
    assert!(matches!(asked(&database), Err(Error::NotKept { .. })));
    database.execute(&format!("{INSERT} {}", row("a", "2", "written without triggers")));
    migrations(&url, &["layout", "--table", "code_files", "--leaves", "4", "--yes"])
        .succeeds()
        .says("Created filter `code_files` 2 contents");
    assert!(asked(&database).is_ok());
    Passed
}
