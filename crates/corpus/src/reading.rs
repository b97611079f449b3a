//! Reading a source: its rows in batches, as they come.

use std::collections::HashSet;

use sha2::{Digest as _, Sha256};

use crate::batch::{Batch, FileRow, VectorRow};
use crate::embedded::Embedded;
use crate::error::Error;
use crate::features;
use crate::file::{self, SourceFile};
use crate::left_out::{LeftOut, Reason};
use crate::noise;
use crate::part;
use crate::repository::Repositories;

/// What a source has given.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Given {
    /// Repositories that have rows.
    pub repositories: u64,
    /// What was left out.
    pub left_out: LeftOut,
}

pub(crate) struct Reading<S> {
    pub(crate) sink: S,
    pub(crate) batch: Batch,
    /// Vectors that may still come.
    pub(crate) left: u64,
    pub(crate) copies: u32,
}

impl<S: FnMut(Batch) -> bool> Reading<S> {
    pub(crate) fn files(&mut self, repositories: Repositories) -> Given {
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
                left_out.add(Reason::NoWords);
                continue;
            };
            let content_hash = Sha256::digest(part.text).into();
            let repository = repository.clone();
            self.push(VectorRow { repository, path: part.path, content_hash, vector });
        }
        let (content_hash, language) = (Sha256::digest(&file.content).into(), crate::language::of(&file.path));
        let SourceFile { path, content } = file;
        self.batch.files.push(FileRow { repository, path, content, content_hash, language });
    }

    pub(crate) fn vectors(&mut self, embedded: Embedded) -> Result<Given, Error> {
        let (mut repositories, mut left_out) = (HashSet::new(), LeftOut::default());
        for row in embedded.rows() {
            if self.left == 0 {
                break;
            }
            match row? {
                Ok(row) => {
                    if !repositories.contains(&row.repository) {
                        repositories.insert(row.repository.clone());
                    }
                    self.push(row);
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

    /// A vector and its copies, as far as there is room for them.
    fn push(&mut self, row: VectorRow) {
        let copies = (1..=self.copies).map(|number| noise::beside(&row, number));
        let before = self.batch.vectors.len();
        let left = usize::try_from(self.left).unwrap_or(usize::MAX);
        self.batch.vectors.extend(copies.take(left.saturating_sub(1)));
        self.batch.vectors.insert(before, row);
        self.left -= (self.batch.vectors.len() - before) as u64;
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
