//! How many bytes, how much memory and how much time so many vectors take. Pure: the formula of `docs/sizing.md`, with which a
//! suite compares what a server needs, and another the page.
//!
//! Sizes are those of indexes that were built from what is there, as a change of layout builds them. One that grew row by row has
//! pages that are less full.

mod page;
mod time;

use page::{Graph, Row, documents, repeated_keys};

use crate::subject::codes::Form;

pub use time::{BUILT_A_SECOND, build_time};

/// Numbers in a vector.
const DIMENSIONS: u64 = 768;
/// The index of `embeddings.embedding`, as Ecto declares it.
const OF_LEAVES: Graph = Graph { vector: 8 + 4 * DIMENSIONS, m: 16 };
/// Those of the codes, as [`Form`] defines them.
const OF_HALVES: Graph = Graph { vector: 8 + 2 * DIMENSIONS, m: 24 };
const OF_SIGNS: Graph = Graph { vector: 8 + DIMENSIONS / 8, m: 16 };
/// What VectorChord's index takes for a vector: 92 MB for 50,800, as measured. Its form is its own.
const VCHORDRQ: u64 = 1900;
/// Hundredths of the memory that indexes may fill: the rest is for sessions, rows, and the system.
const FOR_INDEXES: u64 = 75;
/// A SHA-256.
const HASH: u64 = 32;

/// Lines of code for each vector, since a part has 60 lines and the last of a file fewer; and for each file. The crates of a
/// registry have 55 and 336, this project 51 and 106.
const LINES_A_VECTOR: u64 = 50;
const LINES_A_FILE: u64 = 220;
/// Bytes of a line, its end included.
const BYTES_A_LINE: u64 = 38;
/// In hundredths, what a byte of source code takes once it is compressed: 29 in those crates, 43 in this project, whose files are
/// smaller.
const COMPRESSED: u64 = 35;
/// What a file takes besides, of pages that no row and no part of a content fills.
const UNFILLED: u64 = 375;

/// How much there is to be stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Amount {
    /// Rows of `embeddings`.
    pub vectors: u64,
    /// Rows of `code_files`.
    pub files: u64,
    /// The sum of their sizes.
    pub content_bytes: u64,
    /// Leaves of each table; 1 is a plain one.
    pub leaves: u64,
    /// Bytes of a repository's name, of a path and of a model's name, on average.
    pub names: (u64, u64, u64),
    /// Keys of a row's metadata, on average.
    pub metadata_keys: u64,
}

impl Amount {
    /// So many lines of source code, in parts of 60 lines.
    #[must_use]
    pub fn of_lines(lines: u64) -> Self {
        Self {
            vectors: lines / LINES_A_VECTOR,
            files: lines / LINES_A_FILE,
            content_bytes: lines * BYTES_A_LINE,
            leaves: 16,
            names: (15, 28, 20),
            metadata_keys: 0,
        }
    }

    /// So many vectors, and the files that have so many.
    #[must_use]
    pub fn of_vectors(vectors: u64) -> Self {
        Self { vectors, ..Self::of_lines(vectors * LINES_A_VECTOR) }
    }
}

/// What a table takes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stored {
    /// Its rows, with what is kept out of line.
    pub rows: u64,
    /// The index of its vectors.
    pub vector_index: u64,
    /// The index of its primary key.
    pub primary_key: u64,
    /// All its other indexes.
    pub other_indexes: u64,
}

impl Stored {
    /// All of it.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.rows + self.vector_index + self.primary_key + self.other_indexes
    }

    /// What every search goes through, and so has to be in memory.
    #[must_use]
    pub fn hot(&self) -> u64 {
        self.vector_index + self.primary_key
    }
}

/// What the tables take that grow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sizes {
    /// `embeddings`, its vectors inline as leaves have them.
    pub embeddings: Stored,
    /// `code_files`.
    pub code_files: Stored,
    /// `db_service.embedding_codes`.
    pub codes: Stored,
}

impl Sizes {
    /// Of what is to be stored, the codes in this form.
    #[must_use]
    pub fn of(amount: &Amount, form: Form) -> Self {
        Self { embeddings: embeddings(amount), code_files: code_files(amount), codes: codes(amount, form) }
    }

    /// Disk, without WAL and without what a change of layout takes beside it.
    #[must_use]
    pub fn disk(&self) -> u64 {
        self.embeddings.bytes() + self.code_files.bytes() + self.codes.bytes()
    }

    /// Memory for what every search goes through.
    #[must_use]
    pub fn hot(&self) -> u64 {
        self.embeddings.hot() + self.codes.hot()
    }
}

fn embeddings(amount: &Amount) -> Stored {
    let &Amount { names: (repository, path, model), metadata_keys, .. } = amount;
    let row = Row::default().text(repository).text(path).long().text(model).text(HASH).vector(4 * DIMENSIONS);
    let row = row.text(metadata(metadata_keys)).long();
    let key = Row::default().text(repository).text(path);
    let in_leaves = |of_leaf: &dyn Fn(u64) -> u64| amount.in_leaves(amount.vectors, of_leaf);
    Stored {
        rows: in_leaves(&|rows| row.table(rows)),
        vector_index: in_leaves(&|rows| OF_LEAVES.bytes(rows)),
        primary_key: in_leaves(&|rows| key.keys(rows)),
        other_indexes: in_leaves(&|rows| {
            Row::default().long().keys(rows)
                + Row::default().text(HASH).keys(rows)
                + repeated_keys(rows)
                + documents(rows, metadata_keys)
        }),
    }
}

fn code_files(amount: &Amount) -> Stored {
    let &Amount { names: (repository, path, _), metadata_keys, .. } = amount;
    // The content itself is counted by its bytes; what is out of line leaves a pointer of 18.
    let row = Row::default().text(repository).text(path).long().text(6).text(18).text(HASH).integer();
    let row = row.text(metadata(metadata_keys)).long().long();
    let key = Row::default().text(repository).text(path);
    let in_leaves = |of_leaf: &dyn Fn(u64) -> u64| amount.in_leaves(amount.files, of_leaf);
    Stored {
        rows: in_leaves(&|rows| row.table(rows)) + amount.content_bytes * COMPRESSED / 100 + amount.files * UNFILLED,
        vector_index: 0,
        primary_key: in_leaves(&|rows| key.keys(rows)),
        other_indexes: in_leaves(&|rows| {
            Row::default().long().keys(rows)
                + Row::default().text(HASH).keys(rows)
                + repeated_keys(rows)
                + documents(rows, metadata_keys)
        }),
    }
}

fn codes(amount: &Amount, form: Form) -> Stored {
    let &Amount { vectors, names: (repository, path, model), .. } = amount;
    let vector_index = match form {
        Form::None => return Stored::default(),
        Form::Halfvec => OF_HALVES.bytes(vectors),
        Form::Bits => OF_SIGNS.bytes(vectors),
        Form::Vchordrq => vectors * VCHORDRQ,
    };
    let key = Row::default().text(repository).text(path);
    let rows = key.text(model).vector(2 * DIMENSIONS).table(vectors);
    Stored { rows, vector_index, primary_key: key.keys(vectors), other_indexes: 0 }
}

impl Amount {
    /// So many rows in equal shares.
    fn in_leaves(&self, rows: u64, of_leaf: &dyn Fn(u64) -> u64) -> u64 {
        let leaves = self.leaves.max(1);
        leaves * of_leaf(rows / leaves)
    }
}

/// A document of short strings.
fn metadata(keys: u64) -> u64 {
    4 + 24 * keys
}

/// The memory of a machine that keeps so many bytes of indexes in it, beside all else.
#[must_use]
pub fn memory_for(hot: u64) -> u64 {
    hot / FOR_INDEXES * 100
}

/// What the graph of so many vectors of one leaf takes while it is built; where less is there, it is built many times slower.
#[must_use]
pub fn leaf_build_memory(vectors: u64) -> u64 {
    OF_LEAVES.memory(vectors)
}

/// The same for the index of the codes.
#[must_use]
pub fn codes_build_memory(vectors: u64, form: Form) -> u64 {
    match form {
        Form::Halfvec => OF_HALVES.memory(vectors),
        Form::Bits => OF_SIGNS.memory(vectors),
        // Its centres are sought in a sample.
        Form::Vchordrq | Form::None => 0,
    }
}

/// What the statistics of so many searches take, with their indexes.
#[must_use]
pub fn statistics(searches: u64) -> u64 {
    let row = Row::default().long().long().text(20).text(14).long().integer().byte();
    row.table(searches)
        + Row::default().long().long().keys(searches)
        + Row::default().long().keys(searches)
        + Row::default().text(20).long().keys(searches)
        + Row::default().text(14).long().keys(searches)
}

/// What so many cached results of so many bytes take in the database.
#[must_use]
pub fn cached(results: u64, bytes_each: u64) -> u64 {
    Row::default().text(HASH).text(bytes_each).long().long().table(results) + Row::default().text(HASH).keys(results)
}

/// About how many vectors are in a table of so many bytes, where nothing else says it.
#[must_use]
pub fn vectors_in(table_bytes: u64) -> u64 {
    table_bytes / (page::PAGE / 2)
}

/// The same of files.
#[must_use]
pub fn files_in(table_bytes: u64) -> u64 {
    // A row and its content.
    table_bytes / (180 + UNFILLED + LINES_A_FILE * BYTES_A_LINE * COMPRESSED / 100)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_vector_takes_what_was_measured() {
        let sizes = Sizes::of(&Amount::of_vectors(1_000_000), Form::Halfvec);
        let each = |bytes: u64| bytes / 1_000_000;
        assert_eq!((each(sizes.embeddings.rows), each(sizes.embeddings.vector_index)), (4096, 4096));
        assert_eq!((each(sizes.codes.rows), each(sizes.codes.vector_index)), (2048, 2048));
        let bits = Sizes::of(&Amount::of_vectors(1_000_000), Form::Bits);
        assert_eq!(each(bits.codes.vector_index), 390);
        assert_eq!(Sizes::of(&Amount::of_vectors(1_000_000), Form::None).codes, Stored::default());
    }

    #[test]
    fn hot_is_what_searches_go_through() {
        let amount = Amount::of_lines(750_000_000);
        assert_eq!(amount.vectors, 15_000_000);
        let (halfvec, bits) = (Sizes::of(&amount, Form::Halfvec), Sizes::of(&amount, Form::Bits));
        assert!(bits.hot() < halfvec.hot() && halfvec.hot() < halfvec.disk());
        assert_eq!(halfvec.disk() - bits.disk(), halfvec.hot() - bits.hot());
    }

    #[test]
    fn vectors_are_guessed_from_their_bytes() {
        let rows = Sizes::of(&Amount { leaves: 1, ..Amount::of_vectors(12_345) }, Form::None).embeddings.rows;
        assert!(vectors_in(rows).abs_diff(12_345) <= 10, "{}", vectors_in(rows));
    }

    #[test]
    fn nothing_takes_next_to_nothing() {
        let sizes = Sizes::of(&Amount::of_vectors(0), Form::Bits);
        assert_eq!(sizes.embeddings.rows, 0);
        assert!(sizes.disk() < 3_000_000, "{}", sizes.disk());
        assert_eq!(leaf_build_memory(0), 0);
    }
}
