//! Source files and their vectors as rows of `code_files` and `embeddings`, and loading them.
//!
//! A [`Source`] is read in [batches](batch::Batch) of bounded size and loaded by [`load()`], in parallel. Loading the same
//! again changes nothing.
//!
//! | Module | Holds |
//! |---|---|
//! | [`repository`] | which folders are repositories, and their names |
//! | [`file`](mod@file) | the text files of a repository |
//! | [`language`] | a file's language, by its name |
//! | [`part`] | the pieces of a file that get a vector each |
//! | [`features`] | a vector made of a text's words, the same on every machine |
//! | [`embedded`] | vectors that a model has made, from a file |
//! | [`left_out`] | what is not loaded, by reason |
//! | [`source`], [`batch`] | all of these, as rows |
//! | [`load`](mod@load) | the rows, into a database |
//! | [`difference`] | which rows a database lacks |
//!
//! How the crates belong together, and what always holds: `docs/architecture.md`.
#![warn(missing_docs)]

pub mod batch;
mod copy;
pub mod difference;
pub mod embedded;
mod error;
pub mod features;
pub mod file;
pub mod language;
pub mod left_out;
pub mod load;
mod noise;
pub mod part;
mod reading;
pub mod repository;
pub mod source;

pub use error::Error;
pub use left_out::{LeftOut, Reason};
pub use load::{Loaded, load};
pub use reading::Given;
pub use repository::Repository;
pub use source::Source;

/// Dimensions of every vector: those of the column `embeddings.embedding`.
pub const DIMENSIONS: usize = 768;
