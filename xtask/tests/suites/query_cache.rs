//! The cache of results in the database: what is stored is found until it expires or its generation is emptied.

use sqlx::Connection as _;

use crate::Verdict::{self, Passed};
use crate::database::{Database, Stage};
use crate::server::TestServer;

crate::tests![
    what_is_stored_is_found_in_every_generation,
    what_has_expired_is_not_found,
    a_reader_that_stays_is_not_waited_for,
    reading_writes_nothing,
    a_crash_or_a_call_empties_it,
];

fn found(database: &Database<'_>, key: &str) -> String {
    database.text(&format!("SELECT COALESCE(convert_from(db_service.cache_get('{key}'), 'UTF8'), 'none')"))
}

fn what_is_stored_is_found_in_every_generation(server: &TestServer) -> Verdict {
    let database = Database::at(server, Stage::All);
    let put = |value: &str| database.execute(&format!("SELECT db_service.cache_put('k', '{value}', '1 hour')"));
    assert_eq!(found(&database, "k"), "none");
    put("first");
    put("second");
    assert_eq!(found(&database, "k"), "second");
    for turn in 0..2 {
        assert!(database.truth("SELECT db_service.cache_rotate()"));
        assert_eq!(found(&database, "k"), "second", "after {turn} more");
    }
    put("third");
    assert!(database.truth("SELECT db_service.cache_rotate()"));
    assert_eq!(found(&database, "k"), "third", "the newest one of two");
    for _ in 0..2 {
        assert!(database.truth("SELECT db_service.cache_rotate()"));
    }
    assert_eq!(found(&database, "k"), "none", "its generation was emptied");
    Passed
}

fn what_has_expired_is_not_found(server: &TestServer) -> Verdict {
    let database = Database::at(server, Stage::All);
    database.execute("SELECT db_service.cache_put('k', 'v', '0 s'), db_service.cache_put('l', 'v', '1 hour')");
    assert_eq!((found(&database, "k"), found(&database, "l")), ("none".into(), "v".into()));
    // A transaction that has begun before does not see it either.
    database.with(async |connection| {
        let mut transaction = connection.begin().await.unwrap();
        sqlx::raw_sql("SELECT now(); SELECT db_service.cache_put('m', 'v', '1 ms'); SELECT pg_sleep(0.01)")
            .execute(&mut *transaction)
            .await
            .unwrap();
        let value: Option<Vec<u8>> =
            sqlx::query_scalar("SELECT db_service.cache_get('m')").fetch_one(&mut *transaction).await.unwrap();
        assert_eq!(value, None);
    });
    Passed
}

fn a_reader_that_stays_is_not_waited_for(server: &TestServer) -> Verdict {
    let database = Database::at(server, Stage::All);
    database.execute("SELECT db_service.cache_put('k', 'v', '1 hour')");
    database.with(async |reader| {
        let mut transaction = reader.begin().await.unwrap();
        sqlx::raw_sql("SELECT db_service.cache_get('k')").execute(&mut *transaction).await.unwrap();
        // Others have runtimes of their own.
        std::thread::scope(|scope| {
            let beside = scope.spawn(|| {
                assert!(!database.truth("SELECT db_service.cache_rotate()"), "not now");
                assert_eq!(found(&database, "k"), "v", "others go on");
                assert_eq!(database.text("SELECT current::text FROM db_service.cache_generation"), "0");
                assert!(database.error("SELECT db_service.forget_results()").contains("lock timeout"));
            });
            beside.join().unwrap();
        });
        transaction.rollback().await.unwrap();
    });
    assert!(database.truth("SELECT db_service.cache_rotate()"));
    Passed
}

fn reading_writes_nothing(server: &TestServer) -> Verdict {
    let database = Database::at(server, Stage::All);
    database.execute("SELECT db_service.cache_put('k', 'v', '1 hour')");
    database.with(async |connection| {
        let mut reader = connection.begin_with("BEGIN READ ONLY").await.unwrap();
        let read = "SELECT db_service.cache_get('k') IS NOT NULL AND db_service.version_of('a') IS NOT NULL AND pg_current_xact_id_if_assigned() IS NULL";
        assert!(sqlx::query_scalar::<_, bool>(read).fetch_one(&mut *reader).await.unwrap());
    });
    Passed
}

fn a_crash_or_a_call_empties_it(server: &TestServer) -> Verdict {
    let database = Database::at(server, Stage::All);
    let unlogged = "SELECT count(*) = 3 FROM pg_class WHERE relnamespace = 'db_service'::regnamespace AND relname ~ '^cache_[0-2]$' AND relpersistence = 'u'";
    assert!(database.truth(unlogged), "the server empties such tables after a crash");
    database.execute("SELECT db_service.cache_put('k', 'v', '1 hour'); SELECT db_service.forget_results()");
    assert_eq!(found(&database, "k"), "none");
    Passed
}
