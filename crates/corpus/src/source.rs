//! Where rows come from.

use std::collections::HashSet;

use sha2::{Digest as _, Sha256};
use terminal::activity::{Count, Unit};

use crate::batch::{Batch, FileRow, VectorRow};
use crate::embedded::Embedded;
use crate::error::Error;
use crate::features;
use crate::file::{self, SourceFile};
use crate::left_out::LeftOut;
use crate::part;
use crate::repository::Repositories;

/// Rows to load, not read yet.
#[derive(Debug)]
pub struct Source {
    origin: Origin,
    model: String,
    /// Vectors, at most.
    limit: Option<u64>,
}

#[derive(Debug)]
enum Origin {
    Files(Repositories),
    Vectors(Box<Embedded>),
}

/// What a source has given.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Given {
    /// Repositories that have rows.
    pub repositories: u64,
    /// What was left out.
    pub left_out: LeftOut,
}

impl Source {
    /// The files of these repositories, with vectors made of their words ([`features`]).
    #[must_use]
    pub fn files(repositories: Repositories) -> Self {
        Self { origin: Origin::Files(repositories), model: features::MODEL.to_owned(), limit: None }
    }

    /// Vectors that `model` has made; there are no files to them.
    #[must_use]
    pub fn vectors(embedded: Embedded, model: &str) -> Self {
        Self { origin: Origin::Vectors(Box::new(embedded)), model: model.to_owned(), limit: None }
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
                Count::of(Unit::Rows, embedded.count().min(limit.unwrap_or(u64::MAX)))
            }
        }
    }

    /// Hands over all rows in batches, until `sink` wants no more.
    ///
    /// # Errors
    /// [`Error::File`] if the vectors cannot be read.
    pub fn read(self, sink: impl FnMut(Batch) -> bool) -> Result<Given, Error> {
        let mut reading = Reading { sink, batch: Batch::default(), left: self.limit.unwrap_or(u64::MAX) };
        match self.origin {
            Origin::Files(repositories) => Ok(reading.files(repositories)),
            Origin::Vectors(embedded) => reading.vectors(*embedded),
        }
    }
}

struct Reading<S> {
    sink: S,
    batch: Batch,
    /// Vectors that may still come.
    left: u64,
}

impl<S: FnMut(Batch) -> bool> Reading<S> {
    fn files(&mut self, repositories: Repositories) -> Given {
        let mut given = Given { repositories: 0, left_out: repositories.left_out };
        'all: for repository in repositories.all {
            let mut has_rows = false;
            for file in file::of(&repository) {
                if self.left == 0 {
                    break;
                }
                match file {
                    Ok(file) => {
                        given.repositories += u64::from(!has_rows);
                        has_rows = true;
                        self.take(&repository.name, file, &mut given.left_out);
                        if !self.passes_on(false) {
                            break 'all;
                        }
                    }
                    Err(reason) => given.left_out.add(reason),
                }
            }
        }
        self.passes_on(true);
        given
    }

    fn take(&mut self, repository: &str, file: SourceFile, left_out: &mut LeftOut) {
        let repository = repository.to_owned();
        for part in part::of(&file.path, &file.content) {
            if self.left == 0 {
                break;
            }
            let Some(vector) = features::vector(part.text) else {
                left_out.add(crate::Reason::NoWords);
                continue;
            };
            self.left -= 1;
            let content_hash = Sha256::digest(part.text).into();
            let repository = repository.clone();
            self.batch.vectors.push(VectorRow { repository, path: part.path, content_hash, vector });
        }
        let (content_hash, language) = (Sha256::digest(&file.content).into(), crate::language::of(&file.path));
        let SourceFile { path, content } = file;
        self.batch.files.push(FileRow { repository, path, content, content_hash, language });
    }

    fn vectors(&mut self, embedded: Embedded) -> Result<Given, Error> {
        let (mut repositories, mut left_out) = (HashSet::new(), LeftOut::default());
        for row in embedded.rows() {
            if self.left == 0 {
                break;
            }
            match row? {
                Ok(row) => {
                    self.left -= 1;
                    if !repositories.contains(&row.repository) {
                        repositories.insert(row.repository.clone());
                    }
                    self.batch.vectors.push(row);
                    if !self.passes_on(false) {
                        break;
                    }
                }
                Err(reason) => left_out.add(reason),
            }
        }
        self.passes_on(true);
        Ok(Given { repositories: repositories.len() as u64, left_out })
    }

    /// Whether more is wanted.
    fn passes_on(&mut self, is_last: bool) -> bool {
        if self.batch.is_full() || is_last && !self.batch.is_empty() {
            (self.sink)(std::mem::take(&mut self.batch))
        } else {
            true
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
        let mut batches = Vec::new();
        let source = Source::files(Repositories::in_folder(root).unwrap()).limit(limit);
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
