//! Search: every answer is the right one, however many rows there are, and whatever is set.

use sqlx::{AssertSqlSafe, Row as _};

use crate::Verdict::{self, Passed};
use crate::command::migrations;
use crate::database::{Database, Stage};
use crate::oracle::{filled, forms_of_codes, found, found_each, nearest, nearest_each, vector};
use crate::searchable::VECTOR;
use crate::server::TestServer;

crate::tests![
    every_size_and_scope_is_answered_in_its_way_whatever_is_set,
    every_filter_keeps_its_promise,
    what_most_rows_pass_is_found_by_the_codes,
    models_and_languages_may_be_enumerations,
    what_no_search_can_mean_is_refused,
    vectors_of_two_models_are_not_compared,
    rows_without_a_direction_are_never_found,
    settings_are_as_they_were_afterwards,
];

/// Vectors that are searched for in each case; none is stored.
const NUMBERS: [i64; 10] =
    [1_000_003, 2_000_006, 3_000_009, 4_000_012, 5_000_015, 6_000_018, 7_000_021, 8_000_024, 9_000_027, 10_000_030];

/// How many of the true nearest are there, of ten searches with ten rows each.
fn recall(database: &Database<'_>, call: &str, oracle: &[Vec<String>], way: &str) -> usize {
    let found = found_each(database, call, &NUMBERS).into_iter().zip(oracle);
    found
        .map(|((rows, taken), oracle)| {
            assert_eq!(taken, way, "{call}");
            assert_eq!(rows.len(), 10, "{call}");
            rows.iter().filter(|row| oracle.contains(row)).count()
        })
        .sum()
}

/// The worst that a database may have.
pub(crate) const SETTINGS: [&str; 3] = [
    "plan_cache_mode = force_generic_plan; enable_sort = off; enable_seqscan = off; random_page_cost = 1000",
    "plan_cache_mode = force_custom_plan; enable_indexscan = off; enable_nestloop = off; enable_bitmapscan = off; cpu_operator_cost = 100",
    "search_path = nowhere; enable_partition_pruning = off; enable_indexonlyscan = off; hnsw.ef_search = 1; hnsw.iterative_scan = off",
];

/// Works while sessions of a database begin with these.
pub(crate) fn with_settings(database: &Database<'_>, settings: &str, work: impl FnOnce()) {
    for setting in settings.split("; ") {
        // pgvector's are known once it is loaded.
        database.execute(&format!("SELECT '[1]'::public.vector; ALTER DATABASE {} SET {setting}", database.name));
    }
    work();
    database.execute(&format!("ALTER DATABASE {} RESET ALL", database.name));
}

/// Also as a prepared statement that is executed twenty times, and with the worst settings that the database may have.
fn every_size_and_scope_is_answered_in_its_way_whatever_is_set(server: &TestServer) -> Verdict {
    let database = filled(server);
    let cases = [
        ("search_in_repository('large', $1::text::public.vector)", "repo_name = 'large'", "hnsw"),
        ("search_in_repository('middle', $1::text::public.vector)", "repo_name = 'middle'", "exact"),
        ("search_in_repository('large', $1::text::public.vector, recall => 'exact')", "repo_name = 'large'", "exact"),
        (
            "search_in_repositories('{large,middle}', $1::text::public.vector)",
            "repo_name IN ('large', 'middle')",
            "exact",
        ),
        ("search_across($1::text::public.vector)", "true", "halfvec"),
        ("search_across($1::text::public.vector, recall => 'exact')", "true", "exact"),
    ];
    let oracles = cases.map(|(_, condition, _)| nearest_each(&database, condition, 10, &NUMBERS));
    let check = |when: &str| {
        for ((call, _, way), oracle) in cases.iter().zip(&oracles) {
            let found = recall(&database, call, oracle, way);
            let least = if *way == "exact" { 100 } else { 97 };
            assert!(found >= least, "{found} of 100 by {call}, {when}");
        }
    };
    check("as it is set");
    for settings in SETTINGS {
        with_settings(&database, settings, || check(settings));
    }
    database.with(async |connection| {
        sqlx::raw_sql(
            "PREPARE search (text, text) AS SELECT count(*), min(way) FROM db_service.search_in_repository($1, $2::public.vector)",
        )
        .execute(&mut *connection)
        .await
        .unwrap();
        let vector = vector(connection, 7).await;
        for turn in 0..20 {
            for (repository, count, way) in [("large", 10_i64, "hnsw"), ("small3", 5, "exact")] {
                let row = sqlx::query(AssertSqlSafe(format!("EXECUTE search ('{repository}', '{vector}')")));
                let row = row.fetch_one(&mut *connection).await.unwrap();
                assert_eq!((row.get::<i64, _>(0), row.get::<String, _>(1).as_str()), (count, way), "turn {turn}");
            }
        }
    });
    Passed
}

/// As many rows as qualify, and the right ones, however few those are.
fn every_filter_keeps_its_promise(server: &TestServer) -> Verdict {
    let database = filled(server);
    let vector = "$1::text::public.vector";
    for (filter, condition) in [
        ("path_prefix => 'lib/'", "path LIKE 'lib/%'"),
        ("path_prefix => 'lib/file1'", "path LIKE 'lib/file1%'"),
        ("language => 'elixir'", "path LIKE 'lib/%'"),
        ("language => 'cobol'", "false"),
        ("metadata => '{\"tenth\": true}'", "metadata @> '{\"tenth\": true}'"),
        ("metadata => '{\"rare\": true}'", "metadata @> '{\"rare\": true}'"),
        ("model => 'm'", "true"),
        ("model => 'nobody'", "false"),
        ("path_prefix => 'src/', language => 'elixir'", "false"),
    ] {
        for (scope, within) in [
            (format!("search_in_repository('large', {vector}, "), "repo_name = 'large'"),
            (format!("search_in_repository('small7', {vector}, "), "repo_name = 'small7'"),
            (
                format!("search_in_repositories('{{large,small7,nobody}}', {vector}, "),
                "repo_name IN ('large', 'small7')",
            ),
            (format!("search_across({vector}, "), "true"),
        ] {
            let oracle = nearest(&database, &format!("{within} AND {condition}"), 10, 77);
            let (rows, way) = found(&database, &format!("{scope}{filter})"), 77);
            assert_eq!(rows.len(), oracle.len(), "{scope}{filter} by {way}");
            let right = rows.iter().filter(|row| oracle.contains(row)).count();
            assert!(right + 1 >= rows.len(), "{right} of {} by {way}: {scope}{filter}", rows.len());
            let exact = found(&database, &format!("{scope}{filter}, recall => 'exact')"), 77);
            assert_eq!(exact.0, oracle, "{scope}{filter}");
        }
    }
    let (rows, _) = found(&database, &format!("search_across({vector}, 10000)"), 77);
    assert_eq!(rows, nearest(&database, "true", 10000, 77), "all of them");
    Passed
}

/// By the codes in each form; what was written since they were folded is among it.
fn what_most_rows_pass_is_found_by_the_codes(server: &TestServer) -> Verdict {
    let database = filled(server);
    for form in forms_of_codes(server) {
        database.execute(&format!("UPDATE db_service.codes SET form = '{form}'"));
        migrations(&database.url_text(), &[]).succeeds();
        database.execute(&format!(
            "INSERT INTO embeddings (repo_name, path, model, content_hash, embedding, metadata)
             SELECT 'fresh', 'src/' || '{form}', 'm', sha256(''), {VECTOR}, '{{\"tenth\": false}}' FROM (VALUES (77)) fresh (g)"
        ));
        for (filter, condition) in [
            ("language => 'rust'", "path LIKE 'src/%' AND repo_name <> 'fresh'"),
            ("metadata => '{\"tenth\": false}'", "metadata @> '{\"tenth\": false}'"),
            ("model => 'm', path_prefix => 'src/'", "path LIKE 'src/%'"),
        ] {
            let (rows, way) = found(&database, &format!("search_across($1::text::public.vector, {filter})"), 77);
            let oracle = nearest(&database, condition, 10, 77);
            assert_eq!((rows.len(), way.as_str()), (10, form), "{filter}");
            let right = rows.iter().filter(|row| oracle.contains(row)).count();
            assert!(right >= 9, "{right} of 10: {filter} by {form}: {rows:#?} {oracle:#?}");
            let is_fresh = rows[0].ends_with("0.000000") && rows.iter().any(|row| row.contains(&format!("src/{form}")));
            assert!(is_fresh || filter.contains("language"), "{filter} by {form}: {rows:#?}");
        }
    }
    Passed
}

fn models_and_languages_may_be_enumerations(server: &TestServer) -> Verdict {
    let database = Database::at(server, Stage::Ecto);
    database.execute(
        "CREATE TYPE lang AS ENUM ('rust', 'elixir');
         CREATE TYPE model AS ENUM ('m', 'n');
         ALTER TABLE code_files ALTER COLUMN language TYPE lang USING language::lang;
         ALTER TABLE embeddings ALTER COLUMN model TYPE model USING model::model",
    );
    migrations(&database.url_text(), &[]).succeeds();
    database.execute(&format!(
        "INSERT INTO embeddings (repo_name, path, model, content_hash, embedding)
         SELECT 'r', 'file' || g, CASE g WHEN 3 THEN 'n' ELSE 'm' END::model, sha256('x'), {VECTOR} FROM generate_series(1, 3) g;
         UPDATE embeddings SET model = 'm' WHERE path = 'file2';
         INSERT INTO code_files (repo_name, file_path, language, content, content_hash, size_bytes)
         SELECT repo_name, path, 'rust', '', sha256(''), 0 FROM embeddings WHERE path <> 'file2'"
    ));
    let found = |scope: &str| {
        let search = format!("{scope}(SELECT {VECTOR} FROM (VALUES (1)) n (g)), model => 'm', language => 'rust')");
        database.text(&format!("SELECT string_agg(path, ' ') FROM db_service.{search}"))
    };
    assert_eq!(found("search_across("), "file1");
    assert_eq!(found("search_in_repository('r', "), "file1");
    Passed
}

fn what_no_search_can_mean_is_refused(server: &TestServer) -> Verdict {
    let database = Database::at(server, Stage::All);
    let good = "array_fill(0.5, ARRAY[768])::public.vector";
    for (arguments, says) in [
        ("'[1,2,3]'".to_owned(), "a vector of 768 dimensions, and was given one of 3"),
        ("NULL".to_owned(), "a vector of 768 dimensions, and was given none"),
        ("array_fill(0, ARRAY[768])::public.vector".to_owned(), "a vector of zeros is equally far from everything"),
        (format!("{good}, 0"), "from 1 to 10000, and was 0"),
        (format!("{good}, 100000"), "from 1 to 10000, and was 100000"),
        (format!("{good}, NULL"), "from 1 to 10000, and was null"),
        (format!("{good}, recall => 'best'"), "'exact', and was 'best'"),
        ("'[NaN]'".to_owned(), "NaN not allowed in vector"),
        ("'[Infinity]'".to_owned(), "infinite value not allowed in vector"),
    ] {
        for scope in ["search_across(", "search_in_repository('r', ", "search_in_repositories('{r}', "] {
            let error = database.error(&format!("SELECT * FROM db_service.{scope}{arguments})"));
            assert!(error.contains(says), "{scope}{arguments}: {error}");
        }
    }
    for scope in [
        "search_across(",
        "search_in_repository('r', ",
        "search_in_repository(NULL, ",
        "search_in_repositories('{}', ",
        "search_in_repositories(NULL, ",
    ] {
        assert_eq!(database.text(&format!("SELECT count(*)::text FROM db_service.{scope}{good})")), "0", "{scope}");
    }
    Passed
}

fn vectors_of_two_models_are_not_compared(server: &TestServer) -> Verdict {
    let database = Database::at(server, Stage::All);
    let insert = |model: &str, path: &str| {
        database.execute(&format!(
            "INSERT INTO embeddings (repo_name, path, model, content_hash, embedding)
             SELECT 'r', '{path}' || g, '{model}', sha256('x'), {VECTOR} FROM generate_series(1, 3) g"
        ));
    };
    let search = format!(
        "SELECT string_agg(path, ' ') FROM db_service.search_across((SELECT {VECTOR} FROM (VALUES (1)) n (g)), 3"
    );
    insert("one", "a");
    assert!(database.text(&format!("{search})")).starts_with("a1 "));
    insert("two", "b");
    let error = database.error(&format!("{search})"));
    assert!(error.contains("from more than one model"), "{error}");
    assert!(database.text(&format!("{search}, model => 'two')")).starts_with("b1 "));
    database.execute("DELETE FROM embeddings WHERE model = 'one'");
    assert!(database.text(&format!("{search})")).starts_with("b1 "), "one that is gone asks for nothing");
    Passed
}

fn rows_without_a_direction_are_never_found(server: &TestServer) -> Verdict {
    let database = Database::at(server, Stage::All);
    database.execute(&format!(
        "INSERT INTO embeddings (repo_name, path, model, content_hash, embedding)
         SELECT 'r', 'zeros', 'm', sha256('x'), array_fill(0, ARRAY[768])::public.vector
         UNION ALL SELECT 'r', 'huge', 'm', sha256('x'), (SELECT array_agg(1e30 * sin(i)) FROM generate_series(1, 768) i)::public.vector
         UNION ALL SELECT 'r', 'some', 'm', sha256('x'), {VECTOR} FROM (VALUES (1)) n (g)"
    ));
    for scope in ["search_across(", "search_in_repository('r', "] {
        for recall in ["fast", "exact"] {
            let paths = format!(
                "SELECT string_agg(path, ' ' ORDER BY path) FROM db_service.{scope}(SELECT {VECTOR} FROM (VALUES (2)) n (g)), recall => '{recall}')"
            );
            assert_eq!(database.text(&paths), "huge some", "{scope} {recall}");
        }
    }
    Passed
}

fn settings_are_as_they_were_afterwards(server: &TestServer) -> Verdict {
    let database = filled(server);
    database.with(async |connection| {
        let settings = "SELECT string_agg(name || '=' || setting, ' ' ORDER BY name) FROM pg_settings
                        WHERE name LIKE 'enable%' OR name LIKE 'hnsw.%' OR name IN ('plan_cache_mode', 'search_path', 'jit')";
        let mut transaction = sqlx::Connection::begin(connection).await.unwrap();
        sqlx::raw_sql("SET hnsw.ef_search = 33; SET enable_sort = off").execute(&mut *transaction).await.unwrap();
        let vector = vector(&mut transaction, 1).await;
        let before: String = sqlx::query_scalar(settings).fetch_one(&mut *transaction).await.unwrap();
        for call in ["search_across($1::text::public.vector)", "search_in_repository('large', $1::text::public.vector)", "search_across($1::text::public.vector, language => 'rust')"] {
            let sql = format!("SELECT way FROM db_service.{call}");
            sqlx::query(AssertSqlSafe(sql)).bind(&vector).fetch_all(&mut *transaction).await.unwrap();
            let after: String = sqlx::query_scalar(settings).fetch_one(&mut *transaction).await.unwrap();
            assert_eq!(after, before, "{call}");
        }
    });
    Passed
}
