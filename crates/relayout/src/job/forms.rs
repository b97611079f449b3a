//! The relations of a job: what it copies from, what it builds, and what writers write to meanwhile.
//!
//! The new form is built as a *shadow*, the root of a partitioned table or a plain table, in the schema [`NEW`], under the
//! table's own name and with its own names for indexes and constraints. Nothing is ever renamed. A swap of whole tables
//! is two `SET SCHEMA`; a swap of leaves detaches the new ones from the shadow and attaches them to the table. Leaves live
//! in schemas of their own from the start, see [`Part::schema`].

use database::Relation;

use super::journal::Job;
use crate::layout::{Part, Shape};

/// Where the new form waits for the swap.
pub(crate) const NEW: &str = "db_service_new";
/// Where the old form waits to be dropped.
pub(crate) const OLD: &str = "db_service_old";

/// A relation with all that is below it. Row triggers on it reach these by themselves; a switch to `ALWAYS` and triggers
/// on `TRUNCATE` do not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Tree {
    pub(crate) root: Relation,
    pub(crate) below: Vec<Relation>,
}

impl Tree {
    pub(crate) fn all(&self) -> impl Iterator<Item = &Relation> {
        std::iter::once(&self.root).chain(&self.below)
    }
}

impl Job {
    /// The table.
    pub(crate) fn public(&self) -> Relation {
        Relation::public(&self.table)
    }

    /// Its new form, before the swap.
    pub(crate) fn shadow(&self) -> Relation {
        Relation::new(NEW, &self.table)
    }

    /// Its old form, after a swap of whole tables.
    pub(crate) fn old(&self) -> Relation {
        Relation::new(OLD, &self.table)
    }

    /// The leaves that others take the place of, and those others; none where the whole table is exchanged.
    pub(crate) fn exchanged(&self) -> Option<(Vec<Part>, Vec<Part>)> {
        let (source, target) = (&self.source, &self.target);
        let is_plain = source.parts().is_empty() || target.parts().is_empty();
        (!is_plain).then(|| (source.parts_without(target), target.parts_without(source)))
    }

    /// The leaves that it builds.
    pub(crate) fn new_leaves(&self) -> Vec<Part> {
        self.exchanged().map_or_else(|| self.target.parts(), |(_, new)| new)
    }

    /// The tables that hold the rows to be copied, before the swap.
    pub(crate) fn sources(&self) -> Vec<Relation> {
        let leaves = self.exchanged().map_or_else(|| self.source.parts(), |(old, _)| old);
        if leaves.is_empty() { vec![self.public()] } else { self.storage(&leaves) }
    }

    /// The tables that take the rows, before the swap.
    pub(crate) fn targets(&self) -> Vec<Relation> {
        let leaves = self.new_leaves();
        if leaves.is_empty() { vec![self.shadow()] } else { self.storage(&leaves) }
    }

    /// Old and new form to be compared after the swap.
    pub(crate) fn compared(&self) -> (Vec<Relation>, Vec<Relation>) {
        match self.exchanged() {
            Some((old, new)) => (self.storage(&old), self.storage(&new)),
            None => (vec![self.old()], vec![self.public()]),
        }
    }

    /// What writers write to before the swap.
    pub(crate) fn old_trees(&self) -> Vec<Tree> {
        self.trees(&self.source, self.exchanged().map(|(old, _)| old))
    }

    /// What they write to after it, as far as the job has made it.
    pub(crate) fn new_trees(&self) -> Vec<Tree> {
        self.trees(&self.target, self.exchanged().map(|(_, new)| new))
    }

    fn trees(&self, shape: &Shape, exchanged: Option<Vec<Part>>) -> Vec<Tree> {
        let parts = |leaf: &Part| if leaf.paths() > 1 { self.storage(&[*leaf]) } else { Vec::new() };
        let root = |leaf: &Part| leaf.of(&self.table);
        if let Some(leaves) = exchanged {
            return leaves.iter().map(|leaf| Tree { root: root(leaf), below: parts(leaf) }).collect();
        }
        let below = shape.parts().iter().flat_map(|leaf| [vec![root(leaf)], parts(leaf)].concat()).collect();
        vec![Tree { root: self.public(), below }]
    }

    fn storage(&self, leaves: &[Part]) -> Vec<Relation> {
        leaves.iter().flat_map(|leaf| leaf.storage_of(&self.table)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::super::example::job;
    use super::*;
    use crate::layout::{Leaf, Week};

    #[test]
    fn a_whole_table_is_exchanged_or_some_leaves_are() {
        let even = |count| Shape::even("repo_name", "path", count);
        let first = job(Shape::Plain, even(2));
        assert_eq!(first.exchanged(), None);
        assert_eq!(first.sources(), [Relation::new("public", "t")]);
        assert_eq!(first.targets(), [Relation::new("leaf_2_0", "t"), Relation::new("leaf_2_1", "t")]);
        let leaf = Leaf::new(2, 1);
        let by_path = Leaf { paths: 2, ..leaf };
        let split = job(even(2), even(2).with(&[leaf], &[by_path]));
        assert_eq!(split.sources(), [Relation::new("leaf_2_1", "t")]);
        assert_eq!(
            split.compared().1,
            [Relation::new("leaf_2_1_paths_2_0", "t"), Relation::new("leaf_2_1_paths_2_1", "t")]
        );
        assert_eq!(split.new_trees()[0].root, Relation::new("leaf_2_1_paths_2", "t"));
        assert_eq!(split.old_trees()[0].below, []);
    }

    #[test]
    fn what_is_of_no_week_is_exchanged_by_more_weeks() {
        let weeks = |last, now: &Shape| Shape::weeks("path", (2970..=last).map(Week::new).collect(), now);
        let first = weeks(2970, &Shape::Plain);
        let more = job(first.clone(), weeks(2971, &first));
        assert_eq!(more.sources(), [Relation::new("leaf_rest_20261207", "t")]);
        assert_eq!(
            more.targets(),
            [Relation::new("leaf_week_20261214", "t"), Relation::new("leaf_rest_20261214", "t")]
        );
        assert_eq!(job(first, Shape::Plain).targets(), [Relation::new("db_service_new", "t")]);
    }
}
