//! What a table's definition is made of.

use database::Relation;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Column {
    pub(crate) name: String,
    #[serde(rename = "type")]
    pub(crate) data_type: String,
    /// None is that of the type.
    pub(crate) collation: Option<String>,
    pub(crate) comment: Option<String>,
    pub(crate) not_null: bool,
    pub(crate) default: Option<String>,
    pub(crate) generated: bool,
    /// Of an identity column.
    pub(crate) identity_sequence: Option<IdentitySequence>,
    pub(crate) statistics: Option<i32>,
    /// `n_distinct` and its like.
    pub(crate) options: Vec<String>,
    /// `p`, `e`, `m`, `x`, as in `pg_attribute.attstorage`.
    pub(crate) storage: String,
    pub(crate) compression: Option<String>,
    /// Of a vector, the bytes of a value.
    pub(crate) vector_bytes: Option<i32>,
    /// Those that belong to it.
    pub(crate) sequences: Vec<Relation>,
}

/// What numbers an identity column.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct IdentitySequence {
    pub(crate) name: Relation,
    /// `ALWAYS` or `BY DEFAULT`.
    pub(crate) generated: String,
    /// As `CREATE SEQUENCE` takes them.
    pub(crate) options: String,
    pub(crate) start: i64,
    pub(crate) unlogged: bool,
    pub(crate) comment: Option<String>,
    /// The owner has all rights and nobody else has any.
    pub(crate) is_private: bool,
    pub(crate) grants: Vec<Grant>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Constraint {
    pub(crate) name: String,
    /// `p`, `u`, `c`, `f`, `x`, `n`, as in `pg_constraint.contype`.
    pub(crate) kind: String,
    pub(crate) definition: String,
    pub(crate) columns: Option<Vec<String>>,
    pub(crate) validated: bool,
    /// Tables below this one have it too.
    pub(crate) inherited: bool,
    /// Of a foreign key.
    pub(crate) references: Option<Relation>,
    pub(crate) comment: Option<String>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of the catalog by itself")]
pub(crate) struct Index {
    pub(crate) name: String,
    pub(crate) unique: bool,
    /// Key columns; an expression is none.
    pub(crate) columns: Option<Vec<String>>,
    /// It comes with a constraint.
    pub(crate) constraint: bool,
    pub(crate) valid: bool,
    /// `CLUSTER` sorts by it.
    pub(crate) clustered: bool,
    pub(crate) method: String,
    pub(crate) comment: Option<String>,
    /// Storage parameters, which its definition holds as well.
    pub(crate) options: Vec<String>,
    pub(crate) tablespace: Option<String>,
    /// Statistics targets of expressions, by their position.
    pub(crate) statistics: Vec<(i16, i32)>,
    /// From `USING` on.
    pub(crate) definition: String,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of the catalog by itself")]
pub(crate) struct Trigger {
    pub(crate) name: String,
    pub(crate) definition: String,
    /// `O`, `D`, `R` or `A`, as in `pg_trigger.tgenabled`.
    pub(crate) enabled: String,
    pub(crate) for_each_row: bool,
    /// It runs before a row is written.
    pub(crate) may_change_row: bool,
    pub(crate) transition_tables: bool,
    /// Made by `CREATE CONSTRAINT TRIGGER`.
    pub(crate) constraint: bool,
    /// Of its function.
    pub(crate) language: String,
    /// Of its function, where it may change a row.
    pub(crate) source: Option<String>,
    pub(crate) comment: Option<String>,
}

/// A policy of row security.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Policy {
    pub(crate) name: String,
    /// From `AS` on.
    pub(crate) definition: String,
    pub(crate) comment: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ExtendedStatistics {
    pub(crate) name: Relation,
    pub(crate) owner: String,
    /// What stands between its name and the table's.
    pub(crate) definition: String,
    pub(crate) target: Option<i32>,
    pub(crate) comment: Option<String>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Grant {
    /// Quoted; none is PUBLIC.
    pub(crate) grantee: Option<String>,
    /// Quoted.
    pub(crate) grantor: String,
    pub(crate) privilege: String,
    pub(crate) grantable: bool,
    pub(crate) column: Option<String>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Publication {
    pub(crate) name: String,
    /// `table`, `schema` or `all`: what makes the table a part of it.
    pub(crate) scope: String,
    /// It has a row filter or a column list.
    pub(crate) filtered: bool,
    /// Changes of leaves are sent under the table's name.
    pub(crate) via_root: bool,
}

impl Index {
    /// Its build holds a graph or a sample of vectors in memory.
    pub(crate) fn is_vector(&self) -> bool {
        matches!(self.method.as_str(), "hnsw" | "ivfflat")
    }
}
