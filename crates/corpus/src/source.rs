//! Where rows come from.

use terminal::activity::{Count, Unit};

use crate::batch::Batch;
use crate::embedded::Embedded;
use crate::error::Error;
use crate::features;
use crate::file;
use crate::reading::{Given, Reading};
use crate::repository::Repositories;

/// Rows to load, not read yet.
#[derive(Debug)]
pub struct Source {
    origin: Origin,
    model: String,
    /// Vectors, at most.
    limit: Option<u64>,
    /// Beside each vector.
    copies: u32,
}

#[derive(Debug)]
enum Origin {
    Files(Repositories),
    Vectors(Box<Embedded>),
}

impl Source {
    /// The files of these repositories, with vectors made of their words ([`features`]).
    #[must_use]
    pub fn files(repositories: Repositories) -> Self {
        Self { origin: Origin::Files(repositories), model: features::MODEL.to_owned(), limit: None, copies: 0 }
    }

    /// Vectors that `model` has made; there are no files to them.
    #[must_use]
    pub fn vectors(embedded: Embedded, model: &str) -> Self {
        Self { origin: Origin::Vectors(Box::new(embedded)), model: model.to_owned(), limit: None, copies: 0 }
    }

    /// Under another model's name.
    #[must_use]
    pub fn model(self, model: &str) -> Self {
        Self { model: model.to_owned(), ..self }
    }

    /// No more than so many vectors, the first ones.
    #[must_use]
    pub fn limit(self, vectors: Option<u64>) -> Self {
        Self { limit: vectors, ..self }
    }

    /// With so many others beside each vector, which differ from it a little: more of the same kind than there is.
    #[must_use]
    pub fn copies(self, copies: u32) -> Self {
        Self { copies, ..self }
    }

    /// The model that its vectors have.
    #[must_use]
    pub fn model_name(&self) -> &str {
        &self.model
    }

    /// How much there is, in what progress is counted in: bytes of files, or vectors. Reads folders, no files.
    #[must_use]
    pub fn count(&self) -> Count {
        match (&self.origin, self.limit) {
            (Origin::Files(_), Some(limit)) => Count::about(Unit::Rows, 0, limit),
            (Origin::Files(repositories), None) => {
                Count::about(Unit::Bytes, 0, repositories.all.iter().map(file::bytes).sum())
            }
            (Origin::Vectors(embedded), limit) => {
                let all = embedded.count().saturating_mul(1 + u64::from(self.copies));
                Count::of(Unit::Rows, all.min(limit.unwrap_or(u64::MAX)))
            }
        }
    }

    /// Hands over all rows in batches, until `sink` wants no more.
    ///
    /// # Errors
    /// [`Error::File`] if the vectors cannot be read.
    pub fn read(self, sink: impl FnMut(Batch) -> bool) -> Result<Given, Error> {
        let left = self.limit.unwrap_or(u64::MAX);
        let mut reading = Reading { sink, batch: Batch::default(), left, copies: self.copies };
        match self.origin {
            Origin::Files(repositories) => Ok(reading.files(repositories)),
            Origin::Vectors(embedded) => reading.vectors(*embedded),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::*;
    use crate::left_out::Reason;

    fn read(root: &Path, limit: Option<u64>) -> (Given, Vec<Batch>) {
        read_all(Source::files(Repositories::in_folder(root).unwrap()).limit(limit))
    }

    fn read_all(source: Source) -> (Given, Vec<Batch>) {
        let mut batches = Vec::new();
        let given = source.read(|batch| {
            batches.push(batch);
            true
        });
        (given.unwrap(), batches)
    }

    fn folder() -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        let write = |path: &str, content: &str| {
            let path = folder.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, content).unwrap();
        };
        write("a-1.0.0/src/lib.rs", &"fn word() {}\n".repeat(100));
        write("a-1.0.0/data.txt", "1 2 3");
        write("b/empty.rs", "");
        write("b/x.ex", "defmodule X do\nend\n");
        folder
    }

    #[test]
    fn files_have_a_row_and_their_parts_a_vector() {
        let folder = folder();
        let (given, batches) = read(folder.path(), None);
        assert_eq!(batches.len(), 1);
        let files: Vec<_> = batches[0].files.iter().map(|it| (&*it.repository, &*it.path, it.language)).collect();
        assert_eq!(
            files,
            [
                ("a", "data.txt", Some("text")),
                ("a", "src/lib.rs", Some("rust")),
                ("b", "empty.rs", Some("rust")),
                ("b", "x.ex", Some("elixir")),
            ]
        );
        let vectors: Vec<_> = batches[0].vectors.iter().map(|it| (&*it.repository, &*it.path)).collect();
        assert_eq!(vectors, [("a", "src/lib.rs#1"), ("a", "src/lib.rs#61"), ("b", "x.ex")]);
        assert_eq!(given.repositories, 2);
        assert_eq!(given.left_out.counts().collect::<Vec<_>>(), [(Reason::NoWords, 1)]);
        assert_eq!(read(folder.path(), None).1, batches, "reading is deterministic");
    }

    #[test]
    fn a_limit_is_kept_to_the_vector() {
        let folder = folder();
        for (limit, vectors, files) in [(0, 0, 0), (1, 1, 2), (2, 2, 2), (3, 3, 4), (9, 3, 4)] {
            let (_, batches) = read(folder.path(), Some(limit));
            assert_eq!(batches.iter().map(|it| it.vectors.len()).sum::<usize>(), vectors, "{limit}");
            assert_eq!(batches.iter().map(|it| it.files.len()).sum::<usize>(), files, "{limit}");
        }
    }

    #[test]
    fn copies_stand_behind_what_they_are_beside_and_count() {
        let folder = folder();
        let source = || Source::files(Repositories::in_folder(folder.path()).unwrap()).copies(2);
        let paths = |source| {
            let (_, batches) = read_all(source);
            batches[0].vectors.iter().map(|it| it.path.clone()).collect::<Vec<_>>()
        };
        let all = paths(source());
        assert_eq!(all.len(), 9);
        assert_eq!(all[..4], ["src/lib.rs#1", "src/lib.rs#1~1", "src/lib.rs#1~2", "src/lib.rs#61"]);
        assert_eq!(paths(source().limit(Some(4))), all[..4]);
    }

    #[test]
    fn batches_are_bounded_and_none_comes_after_the_last_that_was_wanted() {
        let folder = tempfile::tempdir().unwrap();
        for number in 0..12 {
            fs::write(folder.path().join(format!("{number:02}.md")), format!("word {number}\n").repeat(80_000))
                .unwrap();
        }
        let (_, batches) = read(folder.path(), None);
        assert!(batches.len() > 3);
        let mut taken = 0;
        let source = Source::files(Repositories::in_folder(folder.path()).unwrap());
        source
            .read(|_| {
                taken += 1;
                taken < 2
            })
            .unwrap();
        // The last one is what was left over when it was told to stop.
        assert_eq!(taken, 2);
    }
}
