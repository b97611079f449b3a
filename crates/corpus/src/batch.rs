//! Rows, as many as are loaded in one transaction.

/// A row of `code_files`.
#[derive(Clone, Debug, PartialEq)]
pub struct FileRow {
    /// `repo_name`.
    pub repository: String,
    /// `file_path`.
    pub path: String,
    /// The text; `size_bytes` is its length.
    pub content: String,
    /// SHA-256 of the content.
    pub content_hash: [u8; 32],
    /// By the file's name.
    pub language: Option<&'static str>,
}

/// A row of `embeddings`.
#[derive(Clone, Debug, PartialEq)]
pub struct VectorRow {
    /// `repo_name`.
    pub repository: String,
    /// The file's path, with `#` and the part where it has several.
    pub path: String,
    /// SHA-256 of the text that the vector stands for; of the vector, where there is only that.
    pub content_hash: [u8; 32],
    /// [`DIMENSIONS`](crate::DIMENSIONS) finite numbers, not all zero.
    pub vector: Vec<f32>,
}

/// Whole files with all their vectors.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Batch {
    /// Rows of `code_files`.
    pub files: Vec<FileRow>,
    /// Rows of `embeddings`.
    pub vectors: Vec<VectorRow>,
}

/// Bytes of contents and vectors from which on a batch is full. Several are in memory at once.
const FULL: u64 = 1 << 20;

impl Batch {
    /// Bytes of its contents.
    #[must_use]
    pub fn content_bytes(&self) -> u64 {
        self.files.iter().map(|file| file.content.len() as u64).sum()
    }

    /// Bytes of its vectors.
    #[must_use]
    pub fn vector_bytes(&self) -> u64 {
        self.vectors.iter().map(|row| (row.vector.len() * size_of::<f32>()) as u64).sum()
    }

    /// Enough for a transaction.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.content_bytes() + self.vector_bytes() >= FULL
    }

    /// There is nothing in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.files.is_empty() && self.vectors.is_empty()
    }
}
