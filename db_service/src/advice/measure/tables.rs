//! What holds rows, and in how many bytes.

use relayout::layout::Leaf;
use relayout::layout::planner::Policy;
use sqlx::PgConnection;

use crate::advice::measured::{Codes, LeafSize, Repository, Statistics, Table};
use crate::advice::unknown::Unknown;
use crate::sizing;
use crate::subject::codes::Form;

/// A plain table, a leaf, a part of one; or what is above these, and holds nothing.
#[derive(Clone, Debug)]
struct Part {
    root: String,
    is_below: bool,
    is_parent: bool,
    size: LeafSize,
    vector_indexes: Vec<String>,
    is_inline: bool,
}

pub(super) struct Parts(Vec<Part>);

impl Parts {
    /// The sizes of the files, or those that the server has noted.
    pub(super) async fn read(connection: &mut PgConnection, by_files: bool) -> Result<Self, sqlx::Error> {
        let rows = sqlx::query_file!("queries/advice/tables.sql", by_files).fetch_all(connection).await?;
        let mut parts = Vec::new();
        for row in rows {
            let leaf = row.modulus.zip(row.remainder);
            let table_bytes = row.table_bytes.unsigned_abs();
            let (rows, is_guessed) = match row.rows {
                Some(rows) => (rows.unsigned_abs(), false),
                None if row.has_pages => (guessed(&row.root, table_bytes), true),
                None => (0, false),
            };
            let size = LeafSize {
                leaf: leaf.map(|(modulus, remainder)| Leaf::new(modulus.cast_unsigned(), remainder.cast_unsigned())),
                rows,
                is_guessed,
                parts: 1,
                table_bytes,
                index_bytes: row.index_bytes.unsigned_abs(),
                vector_index_bytes: row.vector_index_bytes.unsigned_abs(),
                primary_key_bytes: row.primary_key_bytes.unsigned_abs(),
            };
            parts.push(Part {
                root: row.root,
                is_below: row.is_below,
                is_parent: row.is_parent,
                size,
                vector_indexes: row.vector_indexes,
                is_inline: row.is_inline,
            });
        }
        Ok(Self(parts))
    }

    /// One of those that grow, its parts by path counted as the leaf that they are of.
    pub(super) fn table(
        &self,
        name: &'static str,
        declared: Option<u32>,
        policy: Policy,
        repositories: Result<Vec<Repository>, Unknown>,
    ) -> Option<Table> {
        self.of(name).next()?;
        let mut leaves: Vec<LeafSize> = Vec::new();
        for part in self.holding(name) {
            match leaves.iter_mut().find(|leaf| leaf.leaf.is_some() && leaf.leaf == part.size.leaf) {
                Some(leaf) => *leaf = sum(*leaf, part.size),
                None => leaves.push(part.size),
            }
        }
        let is_inline = self.holding(name).all(|part| part.is_inline);
        Some(Table { name, leaves, declared, policy, is_inline, repositories })
    }

    /// Those that searches use, by the index that is there.
    pub(super) fn codes(&self) -> Option<Codes> {
        let Part { size, vector_indexes, .. } = self.of("embedding_codes").next()?;
        let is_there = |form: &Form| form.index().is_some_and(|index| vector_indexes.iter().any(|name| name == index));
        let form = [Form::Halfvec, Form::Bits, Form::Vchordrq].into_iter().find(is_there);
        Some(Codes {
            form: form.unwrap_or(Form::None),
            rows: size.rows,
            table_bytes: size.table_bytes,
            vector_index_bytes: size.vector_index_bytes,
            primary_key_bytes: size.primary_key_bytes,
        })
    }

    pub(super) fn statistics(&self) -> Option<Statistics> {
        let name = "rag_performance_stats";
        self.of(name).next()?;
        Some(Statistics {
            rows: self.holding(name).map(|part| part.size.rows).sum(),
            bytes: self.holding(name).map(|part| part.size.table_bytes + part.size.index_bytes).sum(),
            is_in_parts: self.of(name).any(|part| part.is_parent || part.is_below),
        })
    }

    /// Of all generations.
    pub(super) fn cached_bytes(&self) -> Option<u64> {
        let generations = || ["cache_0", "cache_1", "cache_2"].into_iter().flat_map(|name| self.of(name));
        generations().next()?;
        // A generation that is empty has files as well.
        Some(generations().filter(|part| part.size.rows > 0).map(|part| part.size.table_bytes).sum())
    }

    fn of(&self, root: &str) -> impl Iterator<Item = &Part> {
        self.0.iter().filter(move |part| part.root == root)
    }

    fn holding(&self, root: &str) -> impl Iterator<Item = &Part> {
        self.of(root).filter(|part| !part.is_parent)
    }
}

fn sum(one: LeafSize, other: LeafSize) -> LeafSize {
    LeafSize {
        leaf: one.leaf,
        rows: one.rows + other.rows,
        is_guessed: one.is_guessed || other.is_guessed,
        parts: one.parts + other.parts,
        table_bytes: one.table_bytes + other.table_bytes,
        index_bytes: one.index_bytes + other.index_bytes,
        vector_index_bytes: one.vector_index_bytes + other.vector_index_bytes,
        primary_key_bytes: one.primary_key_bytes + other.primary_key_bytes,
    }
}

/// Rows of a table that nobody has counted, as after a load, or on a standby.
fn guessed(root: &str, bytes: u64) -> u64 {
    match root {
        "embeddings" => sizing::vectors_in(bytes),
        "embedding_codes" => 2 * sizing::vectors_in(bytes),
        "code_files" => sizing::files_in(bytes),
        // A row of statistics has a hundred bytes, and no cached result fewer.
        _ => bytes / 100,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(root: &str, leaf: Option<Leaf>, rows: u64) -> Part {
        let size = LeafSize { leaf, rows, parts: 1, table_bytes: rows * 4096, ..LeafSize::default() };
        Part {
            root: root.into(),
            is_below: leaf.is_some(),
            is_parent: false,
            size,
            vector_indexes: Vec::new(),
            is_inline: true,
        }
    }

    #[test]
    fn parts_by_path_are_one_leaf() {
        let (one, other) = (Leaf::new(2, 0), Leaf::new(2, 1));
        let above = Part { is_parent: true, ..part("embeddings", None, 0) };
        let parts = Parts(vec![
            above,
            part("embeddings", Some(one), 10),
            part("embeddings", Some(one), 20),
            part("embeddings", Some(other), 5),
        ]);
        let policy = Policy { leaf_rows: 1, most_leaves: 2 };
        let table = parts.table("embeddings", Some(2), policy, Ok(Vec::new())).unwrap();
        let leaves: Vec<_> = table.leaves.iter().map(|leaf| (leaf.leaf, leaf.rows, leaf.parts)).collect();
        assert_eq!(leaves, [(Some(one), 30, 2), (Some(other), 5, 1)]);
        assert!(!table.is_plain());
        assert!(parts.table("code_files", None, policy, Ok(Vec::new())).is_none());
    }

    #[test]
    fn codes_have_the_form_of_the_index_that_is_there() {
        let form = |names: &[&str]| {
            let vector_indexes = names.iter().map(|name| (*name).to_owned()).collect();
            Parts(vec![Part { vector_indexes, ..part("embedding_codes", None, 1) }]).codes().unwrap().form
        };
        assert_eq!(form(&["embedding_codes_bits"]), Form::Bits);
        assert_eq!(form(&[]), Form::None);
        assert!(Parts(Vec::new()).codes().is_none());
    }

    #[test]
    fn weeks_count_together() {
        let week = Part { is_below: true, ..part("rag_performance_stats", None, 7) };
        let parts = Parts(vec![part("rag_performance_stats", None, 0), week.clone(), week]);
        assert_eq!(parts.statistics().map(|it| (it.rows, it.is_in_parts)), Some((14, true)));
        let plain = Parts(vec![part("rag_performance_stats", None, 3)]);
        assert_eq!(plain.statistics().map(|it| it.is_in_parts), Some(false));
    }
}
