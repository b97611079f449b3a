//! `db_service::cache`: an answer holds until something changes, comes from where it is said to, and never fails for the cache.

use std::time::{Duration, Instant};

use ::database::DatabaseUrl;
use db_service::cache::{Cache, Options, Origin, Question, Reads};
use db_service::search::{self, Query, Scope};
use sqlx::PgPool;
use sqlx::postgres::PgPoolOptions;

use crate::Verdict::{self, Passed};
use crate::command::{block_on, migrations};
use crate::database::{Database, Stage};
use crate::oracle::filled;
use crate::role::Role;
use crate::server::TestServer;
use crate::versions::{INSERT, row};

crate::tests![
    an_answer_says_where_it_came_from_and_holds_until_a_change,
    a_change_during_the_computation_is_not_hidden,
    what_is_cheap_is_not_kept,
    a_cache_that_does_not_work_costs_no_answer,
    where_versions_are_not_kept_nothing_is,
    what_is_known_of_versions_is_never_older_than_allowed,
    roles_do_not_share_answers,
    a_search_through_the_cache_finds_the_same,
];

/// Everything is kept, and versions are read each time.
pub(crate) const ALWAYS: Options = Options {
    bytes: 1 << 20,
    lifetime: Duration::from_mins(10),
    at_least: Duration::ZERO,
    version_age: Duration::ZERO,
    patience: Duration::from_secs(30),
};

pub(crate) fn pool(database: &Database<'_>) -> PgPool {
    PgPoolOptions::new().max_connections(8).connect_lazy_with(database.url.for_sqlx())
}

/// The files of a repository, one after the other: what is computed in these tests.
pub(crate) async fn files(pool: &PgPool, repository: &str) -> Result<String, sqlx::Error> {
    sqlx::query_scalar(
        "SELECT COALESCE(string_agg(file_path, ' ' ORDER BY file_path), '') FROM code_files WHERE repo_name = $1",
    )
    .bind(repository)
    .fetch_one(pool)
    .await
}

pub(crate) fn about(repository: &str) -> Question {
    Question::new("files", Reads::repository(repository)).with(repository)
}

pub(crate) async fn asked(cache: &Cache<String>, pool: &PgPool, repository: &str) -> (String, Origin) {
    let answer = cache.get(about(repository), async || files(pool, repository).await).await.unwrap();
    (answer.value.to_string(), answer.origin)
}

pub(crate) async fn write(pool: &PgPool, repository: &str, path: &str) {
    let insert = format!("{INSERT} {}", row(repository, path));
    sqlx::raw_sql(sqlx::AssertSqlSafe(insert)).execute(pool).await.unwrap();
}

fn an_answer_says_where_it_came_from_and_holds_until_a_change(server: &TestServer) -> Verdict {
    use Origin::{Database as Shared, Memory, Tables};
    let database = Database::at(server, Stage::All);
    block_on(async {
        let pool = pool(&database);
        let [one, other] = [0, 1].map(|_| Cache::new(pool.clone(), ALWAYS));
        let is = |files: &str, origin| (files.to_owned(), origin);
        assert_eq!(asked(&one, &pool, "a").await, is("", Tables));
        write(&pool, "a", "1").await;
        assert_eq!(asked(&one, &pool, "a").await, is("1", Tables));
        assert_eq!(asked(&one, &pool, "a").await, is("1", Memory));
        assert_eq!(asked(&other, &pool, "a").await, is("1", Shared));
        assert_eq!(asked(&other, &pool, "a").await, is("1", Memory));
        write(&pool, "b", "1").await;
        assert_eq!(asked(&one, &pool, "a").await, is("1", Memory), "of another repository");
        write(&pool, "a", "2").await;
        assert_eq!(asked(&other, &pool, "a").await, is("1 2", Tables));
        assert_eq!(asked(&one, &pool, "a").await, is("1 2", Shared));
        let all = || Question::new("all", Reads::Everything);
        let count = async || sqlx::query_scalar("SELECT count(*)::text FROM code_files").fetch_one(&pool).await;
        for (number, origin) in [("3", Tables), ("3", Memory)] {
            let answer = one.get(all(), count).await.unwrap();
            assert_eq!((answer.value.as_str(), answer.origin), (number, origin));
        }
        write(&pool, "c", "1").await;
        assert_eq!(one.get(all(), count).await.unwrap().origin, Tables);
        let tally = one.tally();
        assert_eq!((tally.memory, tally.database, tally.tables, tally.failures), (3, 1, 4, 0));
        pool.close().await;
    });
    Passed
}

fn a_change_during_the_computation_is_not_hidden(server: &TestServer) -> Verdict {
    let database = Database::at(server, Stage::All);
    block_on(async {
        let pool = pool(&database);
        let [one, other] = [0, 1].map(|_| Cache::new(pool.clone(), ALWAYS));
        // Read before the change, and stored after it.
        let computed = one.get(about("a"), async || {
            let before = files(&pool, "a").await;
            write(&pool, "a", "1").await;
            before
        });
        assert_eq!(*computed.await.unwrap().value, "");
        for cache in [&one, &other] {
            assert_eq!(asked(cache, &pool, "a").await.0, "1");
        }
        pool.close().await;
    });
    Passed
}

fn what_is_cheap_is_not_kept(server: &TestServer) -> Verdict {
    let database = Database::at(server, Stage::All);
    block_on(async {
        let pool = pool(&database);
        let cache = Cache::new(pool.clone(), Options { at_least: Duration::from_hours(1), ..ALWAYS });
        for _ in 0..2 {
            assert_eq!(asked(&cache, &pool, "a").await.1, Origin::Tables);
        }
        pool.close().await;
    });
    let stored = "SELECT NOT EXISTS (SELECT FROM db_service.cache_0)";
    assert!(database.truth(stored));
    Passed
}

fn a_cache_that_does_not_work_costs_no_answer(server: &TestServer) -> Verdict {
    let database = Database::at(server, Stage::All);
    for (spoil, origin) in [
        // What another program has stored, or a newer one of ours, or half of it.
        ("UPDATE db_service.cache_0 SET value = '\\x02ff'", Origin::Tables),
        ("UPDATE db_service.cache_0 SET value = substr(value, 1, 2)", Origin::Tables),
        ("UPDATE db_service.cache_0 SET expires_at = now()", Origin::Tables),
        ("SELECT db_service.forget_results()", Origin::Tables),
        ("SELECT db_service.cache_rotate()", Origin::Database),
        ("DROP TABLE db_service.cache_1", Origin::Tables),
        ("DROP FUNCTION db_service.version_of_all(), db_service.version_of(text)", Origin::Tables),
    ] {
        block_on(async {
            let pool = pool(&database);
            asked(&Cache::new(pool.clone(), ALWAYS), &pool, "a").await;
            sqlx::raw_sql(spoil).execute(&pool).await.unwrap();
            let cache = Cache::new(pool.clone(), ALWAYS);
            assert_eq!(asked(&cache, &pool, "a").await, (String::new(), origin), "{spoil}");
            let fails = spoil.starts_with("DROP");
            assert_eq!(cache.tally().failures > 0, fails, "{spoil}");
            pool.close().await;
        });
    }
    Passed
}

fn where_versions_are_not_kept_nothing_is(server: &TestServer) -> Verdict {
    let database = Database::at(server, Stage::All);
    migrations(&database.url_text(), &["revert", "--table", "code_files", "--yes"]).succeeds();
    block_on(async {
        let pool = pool(&database);
        let cache = Cache::new(pool.clone(), ALWAYS);
        for path in ["1", "2"] {
            write(&pool, "a", path).await;
            assert_eq!(asked(&cache, &pool, "a").await.1, Origin::Tables);
            assert_eq!(asked(&cache, &pool, "a").await.1, Origin::Tables);
        }
        assert_eq!(cache.tally().failures, 0);
        pool.close().await;
    });
    Passed
}

/// The bound of what another process may see late, measured.
fn what_is_known_of_versions_is_never_older_than_allowed(server: &TestServer) -> Verdict {
    const AGE: Duration = Duration::from_millis(200);
    let database = Database::at(server, Stage::All);
    block_on(async {
        let pool = pool(&database);
        let cache = Cache::new(pool.clone(), Options { version_age: AGE, ..ALWAYS });
        let (mut stale, mut latest) = (0, Duration::ZERO);
        for round in 0..5 {
            let before = asked(&cache, &pool, "a").await.0;
            write(&pool, "a", &format!("{round}")).await;
            let written = Instant::now();
            loop {
                // Before the question: what is known when it is asked may be as old as is allowed.
                let since = written.elapsed();
                if asked(&cache, &pool, "a").await.0 != before {
                    break;
                }
                assert!(since <= AGE, "{since:?} after the change it is still not seen");
                (stale, latest) = (stale + 1, latest.max(since));
            }
        }
        eprintln!("of another process: seen {latest:?} after a change, {AGE:?} allowed");
        assert!(stale > 0, "versions were read each time");
        pool.close().await;
    });
    Passed
}

fn roles_do_not_share_answers(server: &TestServer) -> Verdict {
    let role = Role::new(server);
    let database = Database::at(server, Stage::All);
    database.execute(&format!(
        "GRANT USAGE ON SCHEMA db_service TO {role};
         GRANT EXECUTE ON FUNCTION db_service.cache_get(bytea), db_service.cache_put(bytea, bytea, interval) TO {role};
         GRANT SELECT ON code_files TO {role};
         ALTER TABLE code_files ENABLE ROW LEVEL SECURITY",
        role = role.name
    ));
    let theirs = DatabaseUrl::parse(&role.url(&database)).unwrap();
    block_on(async {
        let (ours, theirs) = (pool(&database), PgPoolOptions::new().connect_lazy_with(theirs.for_sqlx()));
        write(&ours, "a", "1").await;
        assert_eq!(asked(&Cache::new(ours.clone(), ALWAYS), &ours, "a").await.0, "1");
        let cache = Cache::new(theirs.clone(), ALWAYS);
        assert_eq!(asked(&cache, &theirs, "a").await, (String::new(), Origin::Tables), "it may see no row");
        assert_eq!(cache.tally().failures, 0);
        ours.close().await;
        theirs.close().await;
    });
    Passed
}

fn a_search_through_the_cache_finds_the_same(server: &TestServer) -> Verdict {
    let database = filled(server);
    block_on(async {
        let pool = pool(&database);
        let cache = Cache::new(pool.clone(), ALWAYS);
        let vector: Vec<f32> = (0..768_u16).map(|it| f32::from(it % 7) - 3.0).collect();
        for scope in [
            Scope::Repository("large".into()),
            Scope::Repositories(vec!["small1".into(), "middle".into()]),
            Scope::Everywhere,
        ] {
            let query = Query::new(vector.clone(), scope);
            let uncached = search::search(&pool, &query).await.unwrap();
            for origin in [Origin::Tables, Origin::Memory] {
                let answer = search::cached(&cache, &pool, &query).await.unwrap();
                assert_eq!((&*answer.value, answer.origin), (&uncached, origin));
            }
            let elsewhere = search::cached(&Cache::new(pool.clone(), ALWAYS), &pool, &query).await.unwrap();
            assert_eq!((&*elsewhere.value, elsewhere.origin), (&uncached, Origin::Database));
            for other in [query.clone().nearest(3), query.clone().path_prefix("src/"), query.clone().path_prefix("")] {
                assert_eq!(search::cached(&cache, &pool, &other).await.unwrap().origin, Origin::Tables);
            }
        }
        assert!(search::cached(&cache, &pool, &Query::new(vec![0.0; 768], Scope::Everywhere)).await.is_err());
        pool.close().await;
    });
    Passed
}
