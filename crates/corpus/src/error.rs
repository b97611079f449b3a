//! What can keep a corpus from being read or loaded.

use std::io;
use std::path::PathBuf;

use terminal::{Exit, Failure};

use crate::DIMENSIONS;

/// An error of this crate.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Cargo has unpacked nothing here.
    #[error("there are no sources of crates{}", .0.as_ref().map(|it| format!(" in `{}`", it.display())).unwrap_or_default())]
    NoRegistry(Option<PathBuf>),
    /// A folder that is to hold repositories cannot be listed.
    #[error("cannot read the folder `{}`", .folder.display())]
    Folder {
        /// Which.
        folder: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A file of vectors, or of their names, cannot be read.
    #[error("cannot read `{}`", .file.display())]
    File {
        /// Which.
        file: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A file is no npy file, or a broken one.
    #[error("`{}` is no npy file", .file.display())]
    NoNpy {
        /// Which.
        file: PathBuf,
        /// What is wrong.
        #[source]
        source: io::Error,
    },
    /// Its numbers are of a kind that is not read.
    #[error("`{}` holds numbers of type `{found}`, not half or single floats", .file.display())]
    Numbers {
        /// Which.
        file: PathBuf,
        /// As NumPy writes it.
        found: String,
    },
    /// Its numbers are not vectors of the length that is stored.
    #[error("`{}` holds {found}, not rows of {DIMENSIONS} numbers in C order", .file.display())]
    Shape {
        /// Which.
        file: PathBuf,
        /// Its shape: `13000 × 384 numbers`.
        found: String,
    },
    /// The names are not as they should be.
    #[error("`{}` is no list of `[repository, path, bytes]`", .file.display())]
    Rows {
        /// Which.
        file: PathBuf,
        /// What is wrong.
        #[source]
        source: serde_json::Error,
    },
    /// There are more vectors than names, or fewer.
    #[error("`{}` holds {vectors} vectors, and `{}` names {names}", .vectors_file.display(), .names_file.display())]
    Count {
        /// The npy file.
        vectors_file: PathBuf,
        /// The JSON file.
        names_file: PathBuf,
        /// Rows of the one.
        vectors: u64,
        /// Rows of the other.
        names: u64,
    },
    /// A table to load into is missing.
    #[error("database `{0}` has no tables `code_files` and `embeddings`")]
    NoTables(String),
    /// A connection or a statement failed.
    #[error(transparent)]
    Database(#[from] database::Error),
}

impl From<database::ConnectError> for Error {
    fn from(error: database::ConnectError) -> Self {
        Self::Database(error.into())
    }
}

impl Failure for Error {
    fn hint(&self) -> Option<String> {
        match self {
            Self::NoRegistry(_) => Some("name a folder of source files with `--path <FOLDER>`".into()),
            Self::Numbers { .. } => Some("save them with `numpy.save(file, vectors.astype(numpy.float32))`".into()),
            Self::Shape { .. } => Some(format!(
                "the column `embeddings.embedding` has {DIMENSIONS} dimensions: use a model that has as many, and save with `numpy.save`"
            )),
            Self::Rows { .. } => Some(r#"write one row a vector: `[["serde", "src/lib.rs#1", 1560], …]`"#.into()),
            Self::Count { .. } => Some("both files belong together, row by row: write them anew".into()),
            Self::NoTables(_) => Some("set it up first: `cargo xtask db-setup --database-url <URL>`".into()),
            Self::Database(error) => error.hint(),
            Self::Folder { .. } | Self::File { .. } | Self::NoNpy { .. } => None,
        }
    }

    fn causes(&self) -> Vec<String> {
        match self {
            Self::Database(error) => error.causes(),
            _ => terminal::failure::chain(std::error::Error::source(self)),
        }
    }

    fn exit(&self) -> Exit {
        match self {
            Self::Database(error) => error.exit(),
            Self::NoRegistry(_) | Self::Folder { .. } => Exit::Usage,
            _ => Exit::Failed,
        }
    }
}
