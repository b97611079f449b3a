//! What is asked, and the key under which its answer lies.

use sha2::{Digest as _, Sha256};

/// Something that is computed from the rows of repositories.
#[derive(Clone, Debug)]
pub struct Question {
    /// All parts, each behind its length.
    bytes: Vec<u8>,
    reads: Reads,
}

/// Whose rows an answer depends on.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Reads {
    /// Those of these repositories, in the order of their names, each once.
    Repositories(Vec<String>),
    /// Those of all.
    Everything,
}

impl Reads {
    /// Those of one repository.
    #[must_use]
    pub fn repository(name: impl Into<String>) -> Self {
        Self::Repositories(vec![name.into()])
    }

    /// Those of some.
    #[must_use]
    pub fn repositories(names: impl IntoIterator<Item = impl Into<String>>) -> Self {
        let mut names: Vec<String> = names.into_iter().map(Into::into).collect();
        names.sort_unstable();
        names.dedup();
        Self::Repositories(names)
    }
}

impl Question {
    /// `kind` names what is computed, and in which way: where the computation changes, so does its name.
    #[must_use]
    pub fn new(kind: &str, reads: Reads) -> Self {
        let mut question = Self { bytes: Vec::with_capacity(64), reads };
        question.push(kind.as_bytes());
        question
    }

    /// Something else that the answer depends on. The order counts.
    #[must_use]
    pub fn with(mut self, parameter: impl AsRef<[u8]>) -> Self {
        self.push(parameter.as_ref());
        self
    }

    /// The same, where it may be absent; which is another answer than an empty one.
    #[must_use]
    pub fn with_optional(self, parameter: Option<impl AsRef<[u8]>>) -> Self {
        match parameter {
            Some(parameter) => self.with([1]).with(parameter),
            None => self.with([0]),
        }
    }

    pub(super) fn reads(&self) -> &Reads {
        &self.reads
    }

    pub(super) fn key(mut self, versions: &[u8]) -> Key {
        self.push(versions);
        Key(self.bytes.into())
    }

    fn push(&mut self, part: &[u8]) {
        push(&mut self.bytes, part);
    }
}

/// A part behind its length: however bytes are cut into parts, they are others.
pub(super) fn push(bytes: &mut Vec<u8>, part: &[u8]) {
    bytes.extend((part.len() as u64).to_le_bytes());
    bytes.extend(part);
}

/// A question and the versions of what it reads.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Key(Box<[u8]>);

impl Key {
    /// In the database: no two that are known have one digest.
    pub(super) fn digest(&self) -> [u8; 32] {
        Sha256::digest(&self.0).into()
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(question: Question) -> Key {
        question.key(b"1")
    }

    #[test]
    fn what_is_asked_otherwise_has_another_key() {
        let new = || Question::new("search", Reads::Everything);
        assert_eq!(key(new().with("a")), key(new().with("a")));
        let keys = [
            key(new()),
            key(new().with("")),
            key(new().with("ab").with("c")),
            key(new().with("a").with("bc")),
            key(new().with_optional(None::<&str>)),
            key(new().with_optional(Some(""))),
            new().key(b"2"),
            key(Question::new("searc", Reads::Everything).with("h")),
        ];
        for (number, one) in keys.iter().enumerate() {
            assert!(keys[..number].iter().all(|other| one != other && one.digest() != other.digest()), "{number}");
        }
    }

    #[test]
    fn repositories_are_read_once_each_in_whatever_order_they_are_named() {
        assert_eq!(Reads::repositories(["b", "a", "b"]), Reads::Repositories(vec!["a".into(), "b".into()]));
    }
}
