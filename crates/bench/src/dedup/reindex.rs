//! A repository that has not changed: compared as a whole, and file by file.

use std::hint::black_box;
use std::time::{Duration, Instant};

use db_service::dedup::{ContentHash, Kept, Repository};
use sqlx::PgPool;

use super::ground::{FILES, REPOSITORY, SCRATCH, content};
use crate::error::Error;
use crate::percentile::median;

#[derive(Clone, Copy, Debug)]
pub(super) struct Reindexed {
    /// By the library.
    pub(super) at_once: Duration,
    /// By the function for other languages.
    pub(super) by_function: Duration,
    /// One question a file.
    pub(super) one_by_one: Duration,
}

const ROUNDS: u32 = 5;

pub(super) async fn measure(pool: &PgPool) -> Result<Reindexed, Error> {
    let failed = |doing: &'static str| database::Error::sql(doing, SCRATCH);
    let files: Vec<(String, ContentHash)> =
        (1..=FILES).map(|number| (format!("src/file{number}.rs"), ContentHash::of(content(number)))).collect();
    let [mut at_once, mut by_function, mut one_by_one] = [const { Vec::new() }; 3];
    for _ in 0..ROUNDS {
        let started = Instant::now();
        let stored = Repository::read(pool, REPOSITORY, Kept::Files).await?;
        let changes = stored.compare(files.iter().map(|(path, hash)| (path, *hash)));
        at_once.push(started.elapsed());
        if !changes.is_empty() || changes.unchanged != FILES as usize {
            return Err(Error::Failed("files have changed that nobody has written"));
        }

        let started = Instant::now();
        let (paths, hashes): (Vec<&str>, Vec<&[u8]>) =
            files.iter().map(|(path, hash)| (path.as_str(), &hash.as_bytes()[..])).unzip();
        let count = sqlx::query_scalar::<_, i64>("SELECT count(*) FROM db_service.changed_files($1, $2, $3)");
        let count = count.bind(REPOSITORY).bind(paths).bind(hashes).fetch_one(pool).await;
        if count.map_err(failed("compare files"))? != 0 {
            return Err(Error::Failed("files have changed that nobody has written"));
        }
        by_function.push(started.elapsed());

        let mut connection = pool.acquire().await.map_err(failed("connect"))?;
        let started = Instant::now();
        for (path, hash) in &files {
            let stored = sqlx::query_scalar::<_, Vec<u8>>(
                "SELECT content_hash FROM public.code_files WHERE repo_name = $1 AND file_path = $2",
            );
            let stored = stored.bind(REPOSITORY).bind(path).fetch_optional(&mut *connection).await;
            black_box(stored.map_err(failed("look a file up"))?.is_some_and(|stored| stored == hash.as_bytes()));
        }
        one_by_one.push(started.elapsed());
    }
    Ok(Reindexed {
        at_once: median(&mut at_once),
        by_function: median(&mut by_function),
        one_by_one: median(&mut one_by_one),
    })
}
