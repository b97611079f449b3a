//! The journal: one row a job, moved from phase to phase in the transaction that does the phase's work.

use std::fmt;

use serde_json::Value;
use sqlx::PgConnection;

use super::capture::Tree;
use super::ddl::{NEW, OLD, qualified};
use super::definition::Definition;
use super::layout::Layout;
use super::shape::{Leaf, Shape};

/// How far a job has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    /// It is in the journal.
    Planned,
    /// The empty new form is there.
    Shadow,
    /// Writers log the keys that they change.
    Capturing,
    /// Rows are being copied.
    Backfilling,
    /// Indexes are being built.
    Indexing,
    /// The log is being drained, and the lock for the swap asked for.
    CatchingUp,
    /// The new form has taken the table's place; both are being compared.
    Swapped,
    /// They were found equal.
    Verified,
    /// The old form is gone.
    Cleaned,
    /// It was given up before the swap, and what it had made is gone.
    Abandoned,
}

impl Phase {
    const ALL: [Self; 10] = [
        Self::Planned,
        Self::Shadow,
        Self::Capturing,
        Self::Backfilling,
        Self::Indexing,
        Self::CatchingUp,
        Self::Swapped,
        Self::Verified,
        Self::Cleaned,
        Self::Abandoned,
    ];

    /// As the journal has it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Planned => "planned",
            Self::Shadow => "shadow",
            Self::Capturing => "capturing",
            Self::Backfilling => "backfilling",
            Self::Indexing => "indexing",
            Self::CatchingUp => "catching_up",
            Self::Swapped => "swapped",
            Self::Verified => "verified",
            Self::Cleaned => "cleaned",
            Self::Abandoned => "abandoned",
        }
    }

    fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|phase| phase.name() == name)
    }
}

impl fmt::Display for Phase {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

/// An unfinished job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Job {
    pub(crate) id: i64,
    pub(crate) table: String,
    /// The layout that it found.
    pub(crate) source: Shape,
    /// The layout that it builds.
    pub(crate) target: Shape,
    /// The table as it was found.
    pub(crate) definition: Definition,
    pub(crate) phase: Phase,
}

impl Job {
    /// The one on its way for this table, if there is one.
    pub(crate) async fn unfinished(connection: &mut PgConnection, table: &str) -> Result<Option<Self>, sqlx::Error> {
        let row = sqlx::query_file!("queries/unfinished_job.sql", table).fetch_optional(connection).await?;
        let Some(row) = row else { return Ok(None) };
        Ok(Some(Self {
            id: row.id,
            table: table.to_owned(),
            source: decode(row.source)?,
            target: decode(row.target)?,
            definition: decode(row.definition)?,
            phase: Phase::parse(&row.phase)
                .ok_or_else(|| sqlx::Error::Decode(format!("unknown phase `{}`", row.phase).into()))?,
        }))
    }

    /// Writes a new one.
    pub(crate) async fn plan(
        connection: &mut PgConnection,
        layout: &Layout,
        definition: Definition,
    ) -> Result<Self, sqlx::Error> {
        let (table, source) = (layout.table.clone(), layout.actual.clone());
        let target = source.step_towards(&layout.desired);
        let id = sqlx::query_scalar!(
            "INSERT INTO db_service.relayout_job (table_name, source, target, definition) VALUES ($1, $2, $3, $4) RETURNING id",
            table,
            encode(&source)?,
            encode(&target)?,
            encode(&definition)?
        )
        .fetch_one(connection)
        .await?;
        Ok(Self { id, table, source, target, definition, phase: Phase::Planned })
    }

    /// Whether it leads to the layout that is declared by now.
    pub(crate) fn leads_to(&self, desired: &Shape) -> bool {
        self.source.step_towards(desired) == self.target
    }

    /// The leaves that others take the place of, and those others; none where the whole table is exchanged.
    pub(crate) fn exchanged(&self) -> Option<(Vec<Leaf>, Vec<Leaf>)> {
        let (Shape::Hash { leaves: old, .. }, Shape::Hash { leaves: new, .. }) = (&self.source, &self.target) else {
            return None;
        };
        let without = |all: &[Leaf], other: &[Leaf]| all.iter().filter(|leaf| !other.contains(leaf)).copied().collect();
        Some((without(old, new), without(new, old)))
    }

    /// The leaves that it builds.
    pub(crate) fn new_leaves(&self) -> Vec<Leaf> {
        self.exchanged().map_or_else(|| self.target.leaves().to_vec(), |(_, new)| new)
    }

    /// The tables that hold the rows to be copied, before the swap.
    pub(crate) fn sources(&self) -> Vec<String> {
        let leaves = self.exchanged().map_or_else(|| self.source.leaves().to_vec(), |(old, _)| old);
        if leaves.is_empty() { vec![qualified("public", &self.table)] } else { self.storage(&leaves) }
    }

    /// The schemas of the tables that take the rows, before the swap.
    pub(crate) fn target_schemas(&self) -> Vec<String> {
        let leaves = self.new_leaves();
        if leaves.is_empty() { vec![NEW.to_owned()] } else { leaves.iter().flat_map(|leaf| leaf.storage()).collect() }
    }

    /// Those tables.
    pub(crate) fn targets(&self) -> Vec<String> {
        self.target_schemas().iter().map(|schema| qualified(schema, &self.table)).collect()
    }

    /// Old and new form to be compared after the swap.
    pub(crate) fn compared(&self) -> (Vec<String>, Vec<String>) {
        match self.exchanged() {
            Some((old, new)) => (self.storage(&old), self.storage(&new)),
            None => (vec![qualified(OLD, &self.table)], vec![qualified("public", &self.table)]),
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

    fn trees(&self, shape: &Shape, exchanged: Option<Vec<Leaf>>) -> Vec<Tree> {
        let parts = |leaf: &Leaf| if leaf.paths > 1 { self.storage(&[*leaf]) } else { Vec::new() };
        let root = |leaf: &Leaf| qualified(&leaf.schema(), &self.table);
        if let Some(leaves) = exchanged {
            return leaves.iter().map(|leaf| Tree { root: root(leaf), below: parts(leaf) }).collect();
        }
        let below = shape.leaves().iter().flat_map(|leaf| [vec![root(leaf)], parts(leaf)].concat()).collect();
        vec![Tree { root: qualified("public", &self.table), below }]
    }

    fn storage(&self, leaves: &[Leaf]) -> Vec<String> {
        leaves.iter().flat_map(|leaf| leaf.storage()).map(|schema| qualified(&schema, &self.table)).collect()
    }

    /// Moves it on, inside the transaction that has done the work; fails if somebody else has moved it. The caller sets
    /// [`Job::phase`] once that is committed.
    pub(crate) async fn advance(&self, transaction: &mut PgConnection, to: Phase) -> Result<(), sqlx::Error> {
        let moved = sqlx::query!(
            "UPDATE db_service.relayout_job SET phase = $3, updated_at = now() WHERE id = $1 AND phase = $2",
            self.id,
            self.phase.name(),
            to.name()
        )
        .execute(transaction)
        .await?;
        if moved.rows_affected() == 1 { Ok(()) } else { Err(sqlx::Error::RowNotFound) }
    }
}

fn encode(value: &impl serde::Serialize) -> Result<Value, sqlx::Error> {
    serde_json::to_value(value).map_err(|error| sqlx::Error::Encode(error.into()))
}

pub(crate) fn decode<T: serde::de::DeserializeOwned>(value: Value) -> Result<T, sqlx::Error> {
    serde_json::from_value(value).map_err(|error| sqlx::Error::Decode(error.into()))
}

#[cfg(test)]
pub(crate) mod tests {
    use super::super::preflight::tests::table;
    use super::*;

    pub(crate) fn job(source: Shape, target: Shape) -> Job {
        let (definition, phase) = (table(), Phase::Planned);
        Job { id: 1, table: "t".into(), source, target, definition, phase }
    }

    #[test]
    fn a_phase_is_read_back_as_it_was_written() {
        for phase in Phase::ALL {
            assert_eq!(Phase::parse(phase.name()), Some(phase));
        }
        assert_eq!(Phase::parse("nowhere"), None);
    }

    #[test]
    fn a_whole_table_is_exchanged_or_some_leaves_are() {
        let even = |count| Shape::even("repo_name", "path", count);
        let first = job(Shape::Plain, even(2));
        assert_eq!(first.exchanged(), None);
        assert_eq!(first.sources(), [r#""public"."t""#]);
        assert_eq!(first.targets(), [r#""leaf_2_0"."t""#, r#""leaf_2_1"."t""#]);
        let leaf = Leaf::new(2, 1);
        let by_path = Leaf { paths: 2, ..leaf };
        let split = job(even(2), even(2).with(&[leaf], &[by_path]));
        assert_eq!(split.sources(), [r#""leaf_2_1"."t""#]);
        assert_eq!(split.compared().1, [r#""leaf_2_1_paths_2_0"."t""#, r#""leaf_2_1_paths_2_1"."t""#]);
        assert_eq!(split.new_trees()[0].root, r#""leaf_2_1_paths_2"."t""#);
        assert_eq!(split.old_trees()[0].below, Vec::<String>::new());
    }
}
