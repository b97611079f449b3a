//! What was measured, as a value: advice is made from it and from nothing else.

use std::time::Duration;

use relayout::layout::Leaf;
use relayout::layout::planner::Policy;

use super::threshold::{self, DEFAULT_BUFFERS};
use super::unknown::Unknown;
use crate::subject::codes::Form;

/// What the one who asks knows, and no server can say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// Memory of the machine, in bytes.
    pub memory: Option<u64>,
    /// How many search at once.
    pub users: Option<u32>,
    /// How long a search may take.
    pub latency: Duration,
}

impl Wanted {
    /// What the layer is made for.
    pub const ORDINARY: Self = Self { memory: None, users: None, latency: threshold::WANTED };
}

/// A database, by its catalogs and statistics.
#[derive(Clone, Debug, PartialEq)]
pub struct Measured {
    /// What was said.
    pub wanted: Wanted,
    /// The server's memory, as far as settings tell.
    pub settings: Settings,
    /// All of the database.
    pub database_bytes: u64,
    /// Other sessions that were connected to it at this moment.
    pub sessions: u32,
    /// It only replays another's changes.
    pub is_standby: bool,
    /// What searches have taken so far.
    pub searches: Result<Searches, Unknown>,
    /// pgvector and its kin.
    pub extensions: Extensions,
    /// What is declared in `db_service`.
    pub layer: Layer,
    /// None where there is no such table.
    pub embeddings: Option<Table>,
    /// The same.
    pub code_files: Option<Table>,
    /// The vectors once more, for searches across repositories.
    pub codes: Option<Codes>,
    /// `rag_performance_stats`.
    pub statistics: Option<Statistics>,
    /// Bytes of cached results; none where there is no cache.
    pub cached_bytes: Option<u64>,
    /// Versions of repositories are kept, by which results are cached.
    pub keeps_versions: bool,
    /// Sizes are those that the server has noted: somebody altered a table meanwhile.
    pub is_noted: bool,
}

/// Settings that are about memory, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// `shared_buffers`.
    pub shared_buffers: u64,
    /// `effective_cache_size`.
    pub effective_cache_size: u64,
    /// Somebody has set it.
    pub is_cache_size_set: bool,
    /// `maintenance_work_mem`.
    pub maintenance_work_mem: u64,
    /// `max_parallel_maintenance_workers`.
    pub parallel_builders: u32,
}

/// What was said of the layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layer {
    /// Its migrations have not been applied.
    Absent,
    /// It is there, and this role may not read what is declared.
    Hidden,
    /// It is there.
    There,
}

/// Extensions, each with its version where it is installed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Extensions {
    /// pgvector.
    pub vector: Option<String>,
    /// What the server has files of.
    pub vector_offered: Option<String>,
    /// VectorChord.
    pub vchord: Option<String>,
    /// `TimescaleDB`.
    pub timescaledb: Option<String>,
    /// Citus.
    pub citus: Option<String>,
}

/// What searches took.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Searches {
    /// How many there were.
    pub calls: u64,
    /// On average.
    pub mean: Duration,
    /// On average, of the slowest statement.
    pub slowest: Duration,
    /// Statements of others that this role may not see.
    pub hidden: u64,
}

/// A table that grows.
#[derive(Clone, Debug, PartialEq)]
pub struct Table {
    /// Its name, in `public`.
    pub name: &'static str,
    /// What holds its rows: itself, or its leaves.
    pub leaves: Vec<LeafSize>,
    /// How many leaves are declared; none where that is not known.
    pub declared: Option<u32>,
    /// How large leaves should be.
    pub policy: Policy,
    /// The vectors are in the rows, not out of line.
    pub is_inline: bool,
    /// The largest ones.
    pub repositories: Result<Vec<Repository>, Unknown>,
}

/// What holds rows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LeafSize {
    /// Which; none for a plain table.
    pub leaf: Option<Leaf>,
    /// By the server's statistics, else by its bytes.
    pub rows: u64,
    /// Nobody has counted them: by its bytes.
    pub is_guessed: bool,
    /// Into how many parts it is split by path; 1 is one table.
    pub parts: u32,
    /// Of the rows.
    pub table_bytes: u64,
    /// Of all its indexes.
    pub index_bytes: u64,
    /// Of those, the vector indexes'.
    pub vector_index_bytes: u64,
    /// Of those, the primary key's.
    pub primary_key_bytes: u64,
}

/// A repository, as far as ANALYZE has noted it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Repository {
    /// Its name.
    pub name: String,
    /// Its partition hash, from which its leaf follows.
    pub hash: u64,
    /// Its rows.
    pub rows: u64,
}

/// `db_service.embedding_codes`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Codes {
    /// How they are indexed.
    pub form: Form,
    /// Their rows.
    pub rows: u64,
    /// Of the rows.
    pub table_bytes: u64,
    /// Of the vector index.
    pub vector_index_bytes: u64,
    /// Of the primary key.
    pub primary_key_bytes: u64,
}

/// `rag_performance_stats`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Statistics {
    /// Its rows.
    pub rows: u64,
    /// All of it.
    pub bytes: u64,
    /// It is kept in parts by time: weeks, or chunks.
    pub is_in_parts: bool,
}

/// What the size of the memory rests on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Basis {
    /// It was said.
    Said,
    /// `effective_cache_size`, which somebody has set.
    CacheSize,
    /// Four times `shared_buffers`, a quarter being where people begin.
    Buffers,
}

impl Measured {
    /// Memory of the machine, in bytes, and what that rests on; none where the settings are as they were installed.
    #[must_use]
    pub fn memory(&self) -> Option<(u64, Basis)> {
        let Settings { shared_buffers, effective_cache_size, is_cache_size_set, .. } = self.settings;
        let by_buffers =
            (shared_buffers != DEFAULT_BUFFERS).then(|| (shared_buffers.saturating_mul(4), Basis::Buffers));
        let by_cache = is_cache_size_set.then_some((effective_cache_size, Basis::CacheSize));
        let guessed = by_buffers.into_iter().chain(by_cache).max_by_key(|(bytes, _)| *bytes);
        self.wanted.memory.map(|bytes| (bytes, Basis::Said)).or(guessed)
    }

    /// Bytes of both tables that grow, with their indexes.
    #[must_use]
    pub fn searched_bytes(&self) -> u64 {
        [&self.embeddings, &self.code_files].into_iter().flatten().map(Table::bytes).sum()
    }

    /// Rows of `embeddings`.
    #[must_use]
    pub fn vectors(&self) -> u64 {
        self.embeddings.as_ref().map(Table::rows).unwrap_or_default()
    }

    /// Bytes of what every search goes through: vector indexes and the keys beside them.
    #[must_use]
    pub fn hot(&self) -> u64 {
        let of_table = self.embeddings.as_ref().map(Table::hot).unwrap_or_default();
        let of_codes = self.codes.map(|codes| codes.vector_index_bytes + codes.primary_key_bytes);
        of_table + of_codes.unwrap_or_default()
    }
}

impl Table {
    /// Rows of all leaves.
    #[must_use]
    pub fn rows(&self) -> u64 {
        self.leaves.iter().map(|leaf| leaf.rows).sum()
    }

    /// Bytes with indexes.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.leaves.iter().map(|leaf| leaf.table_bytes + leaf.index_bytes).sum()
    }

    /// Bytes of its vector indexes and its primary key.
    #[must_use]
    pub fn hot(&self) -> u64 {
        self.leaves.iter().map(|leaf| leaf.vector_index_bytes + leaf.primary_key_bytes).sum()
    }

    /// It is one table.
    #[must_use]
    pub fn is_plain(&self) -> bool {
        self.leaves.len() < 2 && self.leaves.iter().all(|leaf| leaf.leaf.is_none())
    }

    /// The leaf that holds most, or the plain table.
    #[must_use]
    pub fn largest(&self) -> LeafSize {
        self.leaves.iter().copied().max_by_key(|leaf| (leaf.rows, leaf.table_bytes)).unwrap_or_default()
    }

    /// `about 15000000 rows`, or that this is a guess.
    pub(super) fn about(&self) -> String {
        let guessed =
            if self.leaves.iter().any(|leaf| leaf.is_guessed) { ", by its bytes: it was never analyzed" } else { "" };
        format!("about {} rows{guessed}", self.rows())
    }
}
