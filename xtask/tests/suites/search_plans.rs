//! The plans that searches run by, as `auto_explain` writes them: what is meant, whatever is set, and however often it was run.

use std::io::Write as _;
use std::process::Stdio;

use crate::Verdict::{self, Passed};
use crate::command::migrations;
use crate::database::Database;
use crate::oracle::{filled, vector};
use crate::search::{SETTINGS, with_settings};
use crate::server::TestServer;

crate::tests![
    each_case_runs_by_the_plan_that_is_meant,
    a_plan_that_was_made_on_empty_tables_is_still_the_one_that_is_meant,
    the_codes_as_bits_and_no_codes_have_their_plans,
];

/// What stands in the plans of a search, and what does not.
struct Meant {
    call: &'static str,
    has: &'static [&'static str],
    lacks: &'static [&'static str],
}

const OF_LEAF: &str = "Index Scan using embeddings_embedding_index";
const OF_CODES: &str = "Index Scan using embedding_codes_halfvec on embedding_codes";
/// One by one, by the key.
const OF_FRESH: &str = "Index Cond: ((repo_name = c.repo_name) AND (path = c.path))";
/// Once for all values.
const OF_METADATA: &str = "Index Cond: (metadata @> $8)";
const OF_ALL: &str = "Seq Scan on embeddings";
const OF_BITS: &str = "Index Scan using embedding_codes_bits on embedding_codes";

const CASES: [Meant; 11] = [
    Meant {
        call: "search_in_repository('large', $1::text::public.vector)",
        has: &[OF_LEAF, "Subplans Removed: 15"],
        lacks: &["embedding_codes"],
    },
    Meant {
        call: "search_in_repository('large', $1::text::public.vector, path_prefix => 'src/')",
        has: &[OF_LEAF],
        lacks: &["embedding_codes"],
    },
    Meant {
        call: "search_in_repository('large', $1::text::public.vector, metadata => '{\"rare\": true}')",
        has: &[],
        lacks: &["embeddings_embedding_index", "embedding_codes"],
    },
    Meant {
        call: "search_in_repository('middle', $1::text::public.vector)",
        has: &["Subplans Removed: 15"],
        lacks: &["embeddings_embedding_index", "embedding_codes"],
    },
    Meant {
        call: "search_in_repository('small3', $1::text::public.vector, recall => 'exact')",
        has: &["Subplans Removed: 15"],
        lacks: &["embeddings_embedding_index", "embedding_codes"],
    },
    Meant {
        call: "search_across($1::text::public.vector)",
        has: &[OF_CODES, "using embeddings_pkey", OF_FRESH],
        lacks: &["Seq Scan on embedding_codes", "embeddings_embedding_index"],
    },
    Meant {
        call: "search_across($1::text::public.vector, path_prefix => 'src/')",
        has: &[OF_CODES],
        lacks: &["Seq Scan on embedding_codes", "embeddings_embedding_index"],
    },
    Meant {
        // 1,800 pass: more than are compared at once, so that the index is asked; the first that it gives are enough.
        call: "search_across($1::text::public.vector, language => 'rust')",
        has: &["CTE Scan on compared", OF_CODES, "using code_files_pkey"],
        lacks: &["Seq Scan on embedding_codes", "embeddings_embedding_index"],
    },
    Meant {
        // One of 400 passes: these are compared, and no index of vectors is asked.
        call: "search_across($1::text::public.vector, metadata => '{\"rare\": true}')",
        has: &["CTE Scan on compared", OF_METADATA],
        lacks: &["embedding_codes", "embeddings_embedding_index", OF_ALL],
    },
    Meant {
        call: "search_in_repositories('{middle,small3}', $1::text::public.vector)",
        has: &["CTE Scan on compared", "Index Cond: (repo_name = r.r)"],
        lacks: &["embedding_codes", "embeddings_embedding_index", OF_ALL],
    },
    Meant {
        call: "search_across($1::text::public.vector, recall => 'exact')",
        has: &[],
        lacks: &["embedding_codes_halfvec", "embeddings_embedding_index"],
    },
];

/// The plans of the last of so many searches by one prepared statement, the nested ones too.
fn plans(database: &Database<'_>, call: &str, times: usize) -> String {
    plans_after(database, call, |search| search.repeat(times - 1))
}

/// The plans of a search by a prepared statement, after what else its session does with it.
fn plans_after(database: &Database<'_>, call: &str, before: impl FnOnce(&str) -> String) -> String {
    const MARK: &str = "the last one";
    let vector = database.with(async |connection| vector(connection, 1_000_003).await);
    let execute = format!("EXECUTE search ('{vector}');\n");
    let script = format!(
        "LOAD 'auto_explain';
         SET auto_explain.log_min_duration = 0;
         SET auto_explain.log_nested_statements = on;
         PREPARE search (text) AS SELECT * FROM db_service.{call};
         {}
         SET client_min_messages = log;
         DO $$ BEGIN RAISE NOTICE '{MARK}'; END $$;
         {execute}",
        before(&execute)
    );
    let mut psql = database.psql();
    psql.args(["-XAtq", "-v", "ON_ERROR_STOP=1"]);
    let mut child =
        psql.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().expect("psql can be run");
    child.stdin.take().unwrap().write_all(script.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{said}");
    // What it searches for is long, and in every plan of it.
    said.split_once(MARK).expect("the mark is told").1.replace(&vector, "…")
}

#[track_caller]
fn check(database: &Database<'_>, meant: &Meant, times: usize, when: &str) {
    compare(&plans(database, meant.call, times), meant, when);
}

#[track_caller]
fn compare(plans: &str, meant: &Meant, when: &str) {
    let Meant { call, has, lacks } = meant;
    for wanted in *has {
        assert!(plans.contains(wanted), "no `{wanted}` in the plans of {call}, {when}:\n{plans}");
    }
    for unwanted in *lacks {
        let found = plans.lines().any(|line| line.contains("Scan") && line.contains(unwanted));
        assert!(!found, "`{unwanted}` in the plans of {call}, {when}:\n{plans}");
    }
    let again = plans.lines().find(|line| line.contains("Filter:") && line.contains("<=>"));
    assert_eq!(again, None, "a distance is computed anew in the plans of {call}, {when}:\n{plans}");
}

/// On tables that nobody has analyzed, as after a bulk load.
fn each_case_runs_by_the_plan_that_is_meant(server: &TestServer) -> Verdict {
    let database = filled(server);
    for meant in &CASES {
        check(&database, meant, 1, "as it is set");
        check(&database, meant, 20, "in the twentieth run of a prepared statement");
    }
    for settings in SETTINGS {
        with_settings(&database, settings, || CASES.iter().for_each(|meant| check(&database, meant, 6, settings)));
    }
    database.execute("ANALYZE");
    for meant in &CASES {
        check(&database, meant, 6, "after ANALYZE");
    }
    Passed
}

/// What is planned once has no second chance: nothing tells a session that a table which was empty is not any more.
fn a_plan_that_was_made_on_empty_tables_is_still_the_one_that_is_meant(server: &TestServer) -> Verdict {
    let database = filled(server);
    database.execute(
        "CREATE TABLE public.aside AS SELECT * FROM public.embeddings;
         DELETE FROM public.embeddings",
    );
    database.execute("VACUUM public.embeddings");
    let fill = "INSERT INTO public.embeddings SELECT * FROM public.aside;\n";
    for meant in CASES.iter().filter(|meant| meant.lacks.contains(&OF_ALL)) {
        let plans = plans_after(&database, meant.call, |search| format!("BEGIN;\n{search}{fill}"));
        compare(&plans, meant, "planned when the tables were empty");
    }
    Passed
}

fn the_codes_as_bits_and_no_codes_have_their_plans(server: &TestServer) -> Verdict {
    let database = filled(server);
    let call = "search_across($1::text::public.vector)";
    for (form, has, lacks) in [
        ("bits", &[OF_BITS, "using embeddings_pkey"][..], &["Seq Scan on embedding_codes"][..]),
        ("none", &["Merge Append", OF_LEAF], &["embedding_codes"]),
    ] {
        database.execute(&format!("UPDATE db_service.codes SET form = '{form}'"));
        migrations(&database.url_text(), &[]).succeeds();
        let meant = Meant { call, has, lacks };
        check(&database, &meant, 6, form);
        for settings in SETTINGS {
            with_settings(&database, settings, || check(&database, &meant, 6, &format!("{form}, {settings}")));
        }
    }
    Passed
}
