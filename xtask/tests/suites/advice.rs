//! `migrations advise`: five made databases, each with the verdict that it deserves; and whoever asks, whatever is there.
//!
//! A large database is one whose files are long and have holes: what asks for their size sees what it would see of a real one.

use std::time::Duration;

use serde_json::Value;

use crate::Verdict::{self, Passed, Skipped};
use crate::advised::{advised, large, stretch};
use crate::command::{Run, migrations};
use crate::database::{Database, Stage};
use crate::role::Role;
use crate::server::TestServer;

crate::tests![
    a_tiny_database_needs_nothing,
    a_large_database_is_better_with_the_layer,
    where_the_memory_is_too_small_it_says_what_fits,
    a_giant_repository_is_split_by_the_command_that_is_advised,
    what_no_machine_holds_is_for_several,
    a_role_is_told_what_it_may_not_see,
    whatever_is_there_of_the_tables,
    nobody_who_alters_a_table_is_waited_for,
    searches_are_measured_by_what_the_role_may_see,
    what_is_asked_for_is_understood_or_refused,
];

fn a_tiny_database_needs_nothing(server: &TestServer) -> Verdict {
    for stage in [Stage::Ecto, Stage::Searchable] {
        let database = Database::at(server, stage);
        database.execute(
            "INSERT INTO embeddings (repo_name, path, model, content_hash, embedding)
             SELECT 'r' || g, 'p', 'm', sha256(g::text::bytea), array_fill(1, ARRAY[768])::public.vector FROM generate_series(1, 20) g",
        );
        let advised = advised(&database.url_text(), &[]);
        assert_eq!(advised.to_do(), [""; 0], "{:#}", advised.0);
        assert_eq!(advised.verdict("layer"), "fine");
        advised.says("layer", "the layer is for 100 GB and more");
        assert_eq!(advised.verdict("machine"), "fine");
    }
    let database = Database::at(server, Stage::Searchable);
    let advised = advised(&database.url_text(), &[]);
    // Nobody has analyzed them: their rows are known by their bytes.
    let vectors = advised.figure("layer", "vectors").as_u64().unwrap();
    assert!((1900..=2100).contains(&vectors), "{vectors}");
    advised.says("codes", "are indexed as halfvec");
    let text = migrations(&database.url_text(), &["advise"]).succeeds();
    text.prints("fine: layer: it is in use; files and vectors take ").prints(" not known, ");
    Passed
}

fn a_large_database_is_better_with_the_layer(server: &TestServer) -> Verdict {
    let database = large(server);
    let advised = advised(&database.url_text(), &["--memory", "256GB", "--users", "20"]);
    assert_eq!(advised.to_do(), ["layer", "leaves", "codes", "shared-buffers", "effective-cache-size", "build-memory"]);
    advised.says(
        "layer",
        " of this database, the layer is for 100 GB and more; about 15000000 rows in `embeddings`; 20 search at once",
    );
    assert_eq!(advised.figure("layer", "vectors"), 15_000_000);
    assert_eq!(advised.figure("leaves", "wanted_leaves"), 16);
    assert_eq!(advised.commands("leaves"), ["migrations --yes --index-memory 35328"]);
    assert_eq!(advised.figure("codes", "wanted_form"), "halfvec");
    assert_eq!(advised.figure("shared-buffers", "needed_bytes").as_u64().unwrap() >> 30, 58);
    assert_eq!(advised.verdict("machine"), "fine");
    // Without a word about the memory there is no verdict about it.
    let unsaid = self::advised(&database.url_text(), &[]);
    for rule in ["shared-buffers", "effective-cache-size", "machine"] {
        assert_eq!(unsaid.verdict(rule), "not_known", "{:#}", unsaid.rule(rule));
        assert!(unsaid.rule(rule)["facts"]["why"].as_str().unwrap().contains("--memory"));
    }
    Passed
}

fn where_the_memory_is_too_small_it_says_what_fits(server: &TestServer) -> Verdict {
    let database = large(server);
    let with = |memory| advised(&database.url_text(), &["--memory", memory]);
    let whole = with("160GB");
    assert_eq!((whole.figure("codes", "wanted_form"), whole.verdict("machine")), (&"halfvec".into(), "fine"));
    let bits = with("96GB");
    assert_eq!((bits.figure("codes", "wanted_form"), bits.verdict("machine")), (&"bits".into(), "fine"));
    assert_eq!(
        bits.commands("codes"),
        ["migrations", "UPDATE db_service.codes SET form = 'bits'", "migrations --yes --index-memory 11008"]
    );
    let none = with("32GB");
    assert_eq!(none.verdict("machine"), "to_do");
    none.says("machine", "this one has 32GB, as `--memory` says");
    let figures = &none.rule("machine")["facts"]["figures"];
    assert!(figures["needed_bytes_bits"].as_u64() > figures["memory_bytes"].as_u64(), "{figures:#}");
    Passed
}

fn a_giant_repository_is_split_by_the_command_that_is_advised(server: &TestServer) -> Verdict {
    let database = Database::at(server, Stage::Searchable);
    let url = database.url_text();
    // `large` has 1,500 of 2,000 vectors, and nearly all of its leaf.
    database.execute("ANALYZE embeddings");
    let leaf = database.text("SELECT tableoid::regclass::text FROM embeddings WHERE repo_name = 'large' LIMIT 1");
    let name = leaf.trim_start_matches("leaf_").trim_end_matches(".embeddings").replace('_', "/");
    database.execute(&format!("UPDATE pg_class SET reltuples = 5000000 WHERE oid = '{leaf}'::regclass"));
    let advised = advised(&url, &[]);
    assert_eq!(advised.verdict("giant"), "to_do");
    advised.says(
        "giant",
        &format!("table `embeddings`: leaf {name} holds about 5000000 rows, of which repository `large` is "),
    );
    let command = format!("migrations split --table embeddings --leaf {name} --by-path --yes");
    assert_eq!(advised.commands("giant"), [command.as_str()]);
    let words: Vec<&str> = command.split(' ').skip(1).collect();
    migrations(&url, &words).succeeds().says("Converted layout `embeddings`");
    let parts = "SELECT count(*)::text FROM pg_namespace WHERE nspname ~ '_paths_\\d+_\\d+$'";
    assert!(database.text(parts).parse::<u32>().unwrap() > 1);
    let after = self::advised(&url, &[]);
    assert!(after.steps().all(|step| step["name"] != "giant"), "{:#}", after.0);
    Passed
}

fn what_no_machine_holds_is_for_several(server: &TestServer) -> Verdict {
    let database = large(server);
    stretch(&database, "embeddings", 3815, 1_000_000_000);
    for more in [&["--memory", "1TB"][..], &[]] {
        let advised = advised(&database.url_text(), more);
        assert_eq!(advised.verdict("machine"), "to_do");
        advised.says("machine", "about 1000000000 vectors: the indexes that searches go through take ");
        assert!(advised.rule("machine")["facts"]["why"].as_str().unwrap().contains("Citus"));
        assert_eq!(advised.commands("machine")[0], "CREATE EXTENSION citus");
        assert!(advised.figure("machine", "needed_bytes_bits").as_u64() > Some(1 << 40));
        assert_eq!(advised.figure("leaves", "wanted_leaves"), 32);
    }
    Passed
}

fn a_role_is_told_what_it_may_not_see(server: &TestServer) -> Verdict {
    let role = Role::new(server);
    let database = Database::at(server, Stage::Searchable);
    database.execute("ANALYZE embeddings, code_files");
    let leaf = database.text("SELECT tableoid::regclass::text FROM embeddings WHERE repo_name = 'large' LIMIT 1");
    database.execute(&format!("UPDATE pg_class SET reltuples = 5000000 WHERE oid = '{leaf}'::regclass"));
    let (mine, of_role) = (advised(&database.url_text(), &[]), advised(&role.url(&database), &[]));
    // Sizes are everybody's.
    assert_eq!(mine.figure("layer", "vectors"), of_role.figure("layer", "vectors"));
    assert_eq!(mine.verdict("giant"), "to_do");
    assert!(of_role.steps().all(|step| step["name"] != "giant"));
    let why = of_role.rule("split")["facts"]["why"].as_str().unwrap();
    assert!(why.contains("this role may not see what ANALYZE has noted of `embeddings`"), "{why}");
    database.execute(&format!("GRANT SELECT ON embeddings TO {}", role.name));
    assert_eq!(advised(&role.url(&database), &[]).verdict("giant"), "to_do");
    // A policy hides rows, and with them what is most common.
    database
        .execute("ALTER TABLE embeddings ENABLE ROW LEVEL SECURITY; CREATE POLICY none ON embeddings USING (false)");
    let hidden = advised(&role.url(&database), &[]);
    assert!(hidden.steps().all(|step| step["name"] != "giant"), "{:#}", hidden.0);
    database.execute(&format!("DROP OWNED BY {}", role.name));
    Passed
}

fn whatever_is_there_of_the_tables(server: &TestServer) -> Verdict {
    let empty = Database::empty(server);
    let nothing = advised(&empty.url_text(), &[]);
    assert_eq!(nothing.to_do(), [""; 0]);
    nothing.says("layer", "and no table `embeddings`");
    let without_files = Database::at(server, Stage::Ecto);
    without_files.execute(
        "DROP TABLE code_files CASCADE; ALTER DATABASE CURRENT_DATABASE_NAME SET default_transaction_read_only = on"
            .replace("CURRENT_DATABASE_NAME", &without_files.name)
            .as_str(),
    );
    let before = without_files.dump();
    assert_eq!(advised(&without_files.url_text(), &[]).to_do(), [""; 0]);
    assert_eq!(without_files.dump(), before);
    let without_vectors = Database::at(server, Stage::Declared);
    without_vectors.execute("DROP TABLE embeddings CASCADE");
    assert_eq!(advised(&without_vectors.url_text(), &[]).to_do(), [""; 0]);
    // Names that somebody may have meant for a terminal or a statement.
    let hostile = Database::at(server, Stage::All);
    hostile.execute(
        "INSERT INTO embeddings (repo_name, path, model, content_hash, embedding)
         SELECT e'a\\'\"`$(x)%s\\x1b[31m\\n; DROP TABLE x', g::text, 'm', sha256(g::text::bytea), array_fill(1, ARRAY[768])::vector
         FROM generate_series(1, 20) g;
         ANALYZE embeddings;
         UPDATE pg_class SET reltuples = 9000000 WHERE relname = 'embeddings' AND reltuples > 0 AND relkind = 'r'",
    );
    let advised = advised(&hostile.url_text(), &[]);
    advised.says("giant", "of which repository `a'\"`$(x)%s\u{fffd}[31m\u{fffd}; DROP TABLE x` is 100 %");
    assert!(advised.commands("giant")[0].starts_with("migrations split --table embeddings --leaf 16/"));
    Passed
}

fn nobody_who_alters_a_table_is_waited_for(server: &TestServer) -> Verdict {
    let database = Database::at(server, Stage::Searchable);
    database.execute("ANALYZE embeddings");
    let undisturbed = advised(&database.url_text(), &[]);
    let run: Run = database.with(async |connection| {
        sqlx::raw_sql("BEGIN; LOCK TABLE embeddings IN ACCESS EXCLUSIVE MODE").execute(connection).await.unwrap();
        let url = database.url_text();
        tokio::time::timeout(Duration::from_mins(5), tokio::task::spawn_blocking(move || migrations(&url, &["advise"])))
            .await
            .expect("it waits for whoever has the lock")
            .unwrap()
    });
    let vectors = undisturbed.figure("layer", "vectors");
    run.succeeds()
        .prints(&format!("about {vectors} rows in `embeddings`"))
        .prints("sizes are those that the server has noted");
    Passed
}

fn searches_are_measured_by_what_the_role_may_see(server: &TestServer) -> Verdict {
    let database = Database::at(server, Stage::Searchable);
    // So many that it matters how long a search takes.
    database.execute(
        "UPDATE pg_class SET reltuples = 100000
         WHERE oid = (SELECT tableoid FROM embeddings WHERE repo_name = 'large' LIMIT 1)",
    );
    let url = database.url_text();
    if !database.truth("SELECT current_setting('shared_preload_libraries') LIKE '%pg_stat_statements%'") {
        let advised = advised(&url, &[]);
        assert_eq!(advised.verdict("cache"), "not_known");
        advised.says("cache", "`pg_stat_statements`");
        return Skipped("this server does not preload pg_stat_statements".to_owned());
    }
    database.execute("CREATE EXTENSION IF NOT EXISTS pg_stat_statements SCHEMA public");
    for _ in 0..5 {
        migrations(&url, &["search", "--like", "src/file1", "--repository", "large"]).succeeds();
    }
    let seen = advised(&url, &["--latency", "1"]);
    let milliseconds = seen.figure("layer", "search_milliseconds").as_f64().unwrap();
    assert!(milliseconds > 0.0 && milliseconds < 10_000.0, "{milliseconds}");
    seen.says("layer", " searches took ");
    let role = Role::new(server);
    database.execute(&format!("GRANT SELECT ON embeddings TO {}", role.name));
    let hidden = advised(&role.url(&database), &[]);
    assert_eq!(hidden.verdict("cache"), "not_known");
    hidden.says("cache", "statements of other roles are hidden from this one");
    database.execute(&format!("GRANT pg_read_all_stats TO {}", role.name));
    assert_ne!(advised(&role.url(&database), &[]).verdict("cache"), "not_known");
    database.execute(&format!("DROP OWNED BY {}", role.name));
    Passed
}

fn what_is_asked_for_is_understood_or_refused(server: &TestServer) -> Verdict {
    let database = Database::at(server, Stage::Ecto);
    let url = database.url_text();
    for wrong in ["64", "GB", "-1GB", "0GB", "lots"] {
        migrations(&url, &["advise", "--memory", wrong]).exits(2);
    }
    migrations(&url, &["advise", "--latency", "0"]).exits(2);
    let memory = advised(&url, &["--memory", "64 GB"]);
    assert_eq!(memory.figure("shared-buffers", "memory_bytes"), &Value::from(64_u64 << 30));
    Passed
}
