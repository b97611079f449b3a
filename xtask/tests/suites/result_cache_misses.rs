//! `db_service::cache`, where many ask for the same at once: one computes, and nobody gets what is older than the own write.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use db_service::cache::Cache;
use futures_util::future::{join, join_all};
use tokio::sync::Notify;

use crate::Verdict::{self, Passed};
use crate::command::block_on;
use crate::database::{Database, Stage};
use crate::result_cache::{ALWAYS, about, asked, files, pool, write};
use crate::server::TestServer;

crate::tests![
    who_has_written_waits_for_nothing_older,
    many_equal_misses_are_computed_once,
    a_computation_that_fails_or_is_dropped_wakes_the_next,
];

fn who_has_written_waits_for_nothing_older(server: &TestServer) -> Verdict {
    let database = Database::at(server, Stage::All);
    block_on(async {
        let pool = pool(&database);
        let [one, other] = [0, 1].map(|_| Cache::new(pool.clone(), ALWAYS));
        let (has_read, may_end) = (Notify::new(), Notify::new());
        let slow = one.get(about("a"), async || {
            let before = files(&pool, "a").await;
            has_read.notify_one();
            may_end.notified().await;
            before
        });
        let writer = async {
            has_read.notified().await;
            write(&pool, "a", "1").await;
            // In the same process and in another one, while the older one is still being computed.
            let found = join(asked(&one, &pool, "a"), asked(&other, &pool, "a")).await;
            may_end.notify_one();
            found
        };
        let (slow, (here, elsewhere)) = join(slow, writer).await;
        assert_eq!((slow.unwrap().value.as_str(), here.0.as_str(), elsewhere.0.as_str()), ("", "1", "1"));
        assert_eq!(asked(&one, &pool, "a").await.0, "1", "what was stored last is not what is found");
        pool.close().await;
    });
    Passed
}

/// In four caches, each with a memory of its own, as four processes have.
fn many_equal_misses_are_computed_once(server: &TestServer) -> Verdict {
    let database = Database::at(server, Stage::All);
    block_on(async {
        let (ours, theirs) = (pool(&database), pool(&database));
        let caches = [0, 1, 2, 3].map(|_| Cache::new(ours.clone(), ALWAYS));
        let computed = AtomicU32::new(0);
        let ask = async |cache: &Cache<String>| {
            let compute = async || {
                computed.fetch_add(1, Ordering::Relaxed);
                tokio::time::sleep(Duration::from_millis(50)).await;
                files(&theirs, "a").await
            };
            cache.get(about("a"), compute).await.unwrap().value.to_string()
        };
        let all = join_all((0..1000).map(|number| ask(&caches[number % 4]))).await;
        assert_eq!((computed.into_inner(), all.len()), (1, 1000));
        let tallies = caches.each_ref().map(Cache::tally);
        assert_eq!(tallies.iter().map(|it| it.tables).sum::<u64>(), 1, "{tallies:?}");
        assert_eq!(tallies.iter().map(|it| it.database).sum::<u64>(), 3, "{tallies:?}");
        ours.close().await;
        theirs.close().await;
    });
    Passed
}

fn a_computation_that_fails_or_is_dropped_wakes_the_next(server: &TestServer) -> Verdict {
    let database = Database::at(server, Stage::All);
    block_on(async {
        let pool = pool(&database);
        let [one, other] = [0, 1].map(|_| Cache::new(pool.clone(), ALWAYS));
        let (begun, may_fail) = (Notify::new(), Notify::new());
        let failing = one.get(about("a"), async || {
            begun.notify_one();
            may_fail.notified().await;
            Err::<String, _>(sqlx::Error::WorkerCrashed)
        });
        let waiting = async {
            begun.notified().await;
            let both = join(asked(&one, &pool, "a"), asked(&other, &pool, "a"));
            may_fail.notify_one();
            both.await
        };
        let (failed, (here, elsewhere)) = join(failing, waiting).await;
        assert!(failed.is_err() && here.0.is_empty() && elsewhere.0.is_empty());
        // Dropped in the midst of it, as where a client has gone.
        write(&pool, "a", "1").await;
        let never = one.get(about("a"), async || std::future::pending::<Result<String, sqlx::Error>>().await);
        assert!(tokio::time::timeout(Duration::from_millis(100), never).await.is_err());
        assert_eq!(join(asked(&one, &pool, "a"), asked(&other, &pool, "a")).await.0.0, "1");
        pool.close().await;
    });
    Passed
}
