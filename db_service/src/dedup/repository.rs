//! What of one repository is stored, path by path.

use std::collections::HashMap;

use futures_util::TryStreamExt as _;
use sqlx::{PgExecutor, Row as _};

use super::changes::{Changes, Stored, compare};
use super::error::Error;
use super::hash::ContentHash;

/// What is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kept<'a> {
    /// Files, of `code_files`.
    Files,
    /// Vectors that a model has made, of `embeddings`. What another one has made counts as changed.
    Vectors {
        /// The model's name.
        model: &'a str,
    },
}

/// Every path of a repository with the hash of its content, as they were at one moment.
///
/// It takes about 100 bytes of memory a path.
#[derive(Clone, Debug)]
pub struct Repository {
    stored: HashMap<Box<str>, Stored>,
}

impl Repository {
    /// Reads one: by one statement, row by row, from one leaf.
    ///
    /// # Errors
    /// When there is no connection, or the role may not read the table.
    pub async fn read(executor: impl PgExecutor<'_>, name: &str, kept: Kept<'_>) -> Result<Self, Error> {
        const FILES: &str = "SELECT f.file_path::text, f.content_hash FROM public.code_files f WHERE f.repo_name = $1";
        const VECTORS: &str = "SELECT e.path::text, CASE WHEN e.model::text = $2 THEN e.content_hash END FROM public.embeddings e WHERE e.repo_name = $1";
        let query = match kept {
            Kept::Files => sqlx::query(FILES).bind(name),
            Kept::Vectors { model } => sqlx::query(VECTORS).bind(name).bind(model),
        };
        let mut rows = query.fetch(executor);
        let mut stored = HashMap::new();
        while let Some(row) = rows.try_next().await? {
            let (path, hash): (&str, Option<&[u8]>) = (row.try_get(0)?, row.try_get(1)?);
            // Another length is none that could be equal.
            let hash = hash.and_then(|bytes| ContentHash::try_from(bytes).ok());
            stored.insert(path.into(), Stored { hash, was_given: false });
        }
        Ok(Self { stored })
    }

    /// How many paths.
    #[must_use]
    pub fn len(&self) -> usize {
        self.stored.len()
    }

    /// Whether nothing is stored of it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.stored.is_empty()
    }

    /// The hash that is stored for a path.
    #[must_use]
    pub fn hash(&self, path: &str) -> Option<ContentHash> {
        self.stored.get(path)?.hash
    }

    /// What is to be done so that it holds what is given, and nothing else. Pure.
    ///
    /// What is given is read once, and handed back by its own paths: a `PathBuf`'s text, an index entry with `AsRef<str>`. Of a
    /// path that comes more than once, the last counts.
    #[must_use]
    pub fn compare<P: AsRef<str>>(self, given: impl IntoIterator<Item = (P, ContentHash)>) -> Changes<P> {
        compare(self.stored, given)
    }
}
