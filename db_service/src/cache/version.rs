//! The versions of what a question reads.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use sqlx::PgPool;

use super::question::{Question, Reads, push};

/// Read from the database, or known for as long as is allowed.
#[derive(Debug)]
pub(super) struct Versions {
    pool: PgPool,
    /// How old what is known may be.
    age: Duration,
    known: Mutex<HashMap<Reads, Known>>,
    /// One looks at a time; the others find out from it.
    looking: tokio::sync::Mutex<()>,
}

#[derive(Clone, Debug)]
struct Known {
    versions: Option<Arc<[u8]>>,
    /// Before they were read.
    since: Instant,
}

/// More are not remembered.
const MOST: usize = 10_000;

impl Versions {
    pub(super) fn new(pool: PgPool, age: Duration) -> Self {
        Self { pool, age, known: Mutex::default(), looking: tokio::sync::Mutex::default() }
    }

    /// The role that asks and the versions of what is read, as a part of a key; none while versions are not kept.
    pub(super) async fn of(&self, question: &Question) -> Result<Option<Arc<[u8]>>, sqlx::Error> {
        if self.age.is_zero() {
            return self.read(question.reads()).await;
        }
        if let Some(known) = self.known(question.reads()) {
            return Ok(known.versions);
        }
        let _looking = self.looking.lock().await;
        if let Some(known) = self.known(question.reads()) {
            return Ok(known.versions);
        }
        let since = Instant::now();
        let versions = self.read(question.reads()).await?;
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= MOST {
            known.retain(|_, it| it.since.elapsed() < self.age);
        }
        if known.len() < MOST {
            known.insert(question.reads().clone(), Known { versions: versions.clone(), since });
        }
        Ok(versions)
    }

    fn known(&self, reads: &Reads) -> Option<Known> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.get(reads).filter(|it| it.since.elapsed() < self.age).cloned()
    }

    /// By one statement, so that all are of one moment.
    async fn read(&self, reads: &Reads) -> Result<Option<Arc<[u8]>>, sqlx::Error> {
        let repositories = match reads {
            Reads::Repositories(repositories) => Some(repositories.as_slice()),
            Reads::Everything => None,
        };
        let read = sqlx::query_file!("queries/versions.sql", repositories).fetch_one(&self.pool).await?;
        let Some(versions) = read.versions else { return Ok(None) };
        let mut bytes = Vec::with_capacity(64);
        push(&mut bytes, read.role.as_bytes());
        if let Reads::Repositories(repositories) = reads {
            for name in repositories {
                push(&mut bytes, name.as_bytes());
            }
        }
        bytes.extend(versions.iter().flat_map(|version| version.to_le_bytes()));
        Ok(Some(bytes.into()))
    }
}
