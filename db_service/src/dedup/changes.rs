//! What is to be done about a repository whose files may have changed.

use std::collections::HashMap;

use super::hash::ContentHash;

/// A plan: what an indexer has to do so that the database holds what it was given, and no more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Changes<P> {
    /// Paths that are not stored.
    pub new: Vec<P>,
    /// Paths that are stored with another content.
    pub changed: Vec<P>,
    /// Paths that are stored and were not given, by name.
    pub gone: Vec<String>,
    /// How many are stored as they were given: nothing is to be done about them.
    pub unchanged: usize,
}

impl<P> Changes<P> {
    /// Whether there is nothing to do.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.new.is_empty() && self.changed.is_empty() && self.gone.is_empty()
    }

    /// What has to be read, embedded and written.
    pub fn to_write(&self) -> impl Iterator<Item = &P> {
        self.new.iter().chain(&self.changed)
    }
}

/// What is stored under a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stored {
    /// None: with something that does not count, a vector of another model say, whatever its content.
    pub(super) hash: Option<ContentHash>,
    pub(super) was_given: bool,
}

/// Compares what is given with what is stored, and takes that as read.
///
/// A path that comes again is compared with what was given before it: whoever does what the plan says, in its order, ends with
/// the last.
pub(super) fn compare<P: AsRef<str>>(
    mut stored: HashMap<Box<str>, Stored>,
    given: impl IntoIterator<Item = (P, ContentHash)>,
) -> Changes<P> {
    let mut changes = Changes { new: Vec::new(), changed: Vec::new(), gone: Vec::new(), unchanged: 0 };
    for (path, hash) in given {
        let now = Stored { hash: Some(hash), was_given: true };
        if let Some(there) = stored.get_mut(path.as_ref()) {
            let before = std::mem::replace(there, now);
            if before.hash != now.hash {
                changes.changed.push(path);
            } else if !before.was_given {
                changes.unchanged += 1;
            }
        } else {
            stored.insert(path.as_ref().into(), now);
            changes.new.push(path);
        }
    }
    let gone = stored.into_iter().filter(|(_, stored)| !stored.was_given);
    changes.gone = gone.map(|(path, _)| path.into_string()).collect();
    changes.gone.sort_unstable();
    changes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stored(rows: &[(&str, Option<&str>)]) -> HashMap<Box<str>, Stored> {
        let row = |(path, content): &(&str, Option<&str>)| {
            ((*path).into(), Stored { hash: content.map(ContentHash::of), was_given: false })
        };
        rows.iter().map(row).collect()
    }

    fn given<'a>(files: &[(&'a str, &str)]) -> Vec<(&'a str, ContentHash)> {
        files.iter().map(|(path, content)| (*path, ContentHash::of(content))).collect()
    }

    #[test]
    fn each_path_is_new_changed_gone_or_unchanged() {
        let stored = stored(&[("a", Some("1")), ("b", Some("2")), ("z", Some("3")), ("c", Some("3")), ("d", None)]);
        let changes = compare(stored, given(&[("a", "1"), ("b", "3"), ("d", "1"), ("e", "1")]));
        assert_eq!((changes.new.as_slice(), changes.changed.as_slice()), (&["e"][..], &["b", "d"][..]));
        assert_eq!((changes.gone.as_slice(), changes.unchanged), (&["c".to_owned(), "z".to_owned()][..], 1));
        assert_eq!(changes.to_write().copied().collect::<Vec<_>>(), ["e", "b", "d"]);
        assert!(!changes.is_empty());
    }

    #[test]
    fn of_a_path_that_comes_again_the_last_stays() {
        let again = [("a", "1"), ("a", "2"), ("b", "1"), ("b", "1"), ("a", "2"), ("a", "1")];
        let changes = compare(stored(&[("a", Some("1"))]), given(&again));
        assert_eq!((changes.new.as_slice(), changes.changed.as_slice()), (&["b"][..], &["a", "a"][..]));
        assert_eq!((changes.gone.len(), changes.unchanged), (0, 1));
    }

    #[test]
    fn where_nothing_is_stored_all_is_new_and_where_nothing_is_given_all_is_gone() {
        assert!(compare::<&str>(stored(&[]), []).is_empty());
        assert_eq!(compare(stored(&[]), given(&[("a", "1")])).new, ["a"]);
        assert_eq!(compare::<&str>(stored(&[("a", Some("1"))]), []).gone, ["a"]);
    }
}
