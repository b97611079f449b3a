//! A table's logical definition: what every layout of it has in common.

use database::Relation;
use database::quote::{columns, identifier};
use serde::{Deserialize, Serialize};
use sqlx::PgConnection;
use sqlx::types::Json;

/// What Ecto has declared, as the catalog tells it. Two of them are equal if nobody altered the table in between.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of the catalog by itself")]
pub(crate) struct Definition {
    pub(crate) owner: String,
    pub(crate) comment: Option<String>,
    pub(crate) kind: String,
    pub(crate) persistence: String,
    pub(crate) row_security: bool,
    pub(crate) has_rules: bool,
    /// Storage parameters.
    pub(crate) options: Vec<String>,
    pub(crate) replica_identity: String,
    pub(crate) inherits: bool,
    pub(crate) extended_statistics: bool,
    pub(crate) columns: Vec<Column>,
    pub(crate) constraints: Vec<Constraint>,
    pub(crate) referenced_by: Vec<String>,
    pub(crate) indexes: Vec<Index>,
    pub(crate) triggers: Vec<Trigger>,
    pub(crate) grants: Vec<Grant>,
    pub(crate) publications: Vec<Publication>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of the catalog by itself")]
pub(crate) struct Column {
    pub(crate) name: String,
    #[serde(rename = "type")]
    pub(crate) data_type: String,
    pub(crate) not_null: bool,
    pub(crate) default: Option<String>,
    pub(crate) generated: bool,
    pub(crate) identity: bool,
    pub(crate) statistics: Option<i32>,
    /// Leaves keep its values in their own pages.
    pub(crate) inline: bool,
    /// The sequence that belongs to it.
    pub(crate) sequence: Option<Relation>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Constraint {
    pub(crate) name: String,
    /// `p`, `u`, `c`, `f`, `x`, as in `pg_constraint.contype`.
    pub(crate) kind: String,
    pub(crate) definition: String,
    pub(crate) columns: Option<Vec<String>>,
    pub(crate) validated: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Index {
    pub(crate) name: String,
    pub(crate) unique: bool,
    /// Key columns; an expression is none.
    pub(crate) columns: Option<Vec<String>>,
    /// It comes with a constraint.
    pub(crate) constraint: bool,
    pub(crate) valid: bool,
    pub(crate) method: String,
    pub(crate) comment: Option<String>,
    /// From `USING` on.
    pub(crate) definition: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Trigger {
    pub(crate) name: String,
    pub(crate) definition: String,
    /// `O`, `D`, `R` or `A`, as in `pg_trigger.tgenabled`.
    pub(crate) enabled: String,
    pub(crate) transition_tables: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Grant {
    /// Quoted; none is PUBLIC.
    pub(crate) grantee: Option<String>,
    pub(crate) privilege: String,
    pub(crate) grantable: bool,
    pub(crate) column: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Publication {
    pub(crate) name: String,
    /// It has a row filter or a column list.
    pub(crate) filtered: bool,
}

impl Index {
    /// Its build holds a graph or a sample of vectors in memory.
    pub(crate) fn is_vector(&self) -> bool {
        matches!(self.method.as_str(), "hnsw" | "ivfflat")
    }
}

impl Definition {
    /// Reads it; none if there is no such table.
    pub(crate) async fn read(connection: &mut PgConnection, relation: &Relation) -> Result<Option<Self>, sqlx::Error> {
        let document = sqlx::query_file_scalar!("queries/definition.sql", relation.to_string());
        Ok(document.fetch_optional(connection).await?.map(|Json(definition)| definition))
    }

    /// The columns of the primary key, in its order; none if there is none.
    pub(crate) fn key(&self) -> &[String] {
        let primary = self.constraints.iter().find(|constraint| constraint.kind == "p");
        primary.and_then(|constraint| constraint.columns.as_deref()).unwrap_or_default()
    }

    pub(crate) fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.name == name)
    }

    /// The key's columns, comma-separated, each with a prefix (`new.`).
    pub(crate) fn key_columns(&self, prefix: &str) -> String {
        columns(prefix, self.key())
    }

    /// The columns that an `INSERT` names, comma-separated.
    pub(crate) fn copied_columns(&self) -> String {
        columns("", self.stored_columns().map(|column| &column.name))
    }

    /// The key's columns, each as text.
    pub(crate) fn key_as_text(&self) -> String {
        self.key().iter().map(|name| format!("{}::text", identifier(name))).collect::<Vec<_>>().join(", ")
    }

    /// The key's columns, from a parameter that holds one key as an array of texts.
    pub(crate) fn bound_key(&self, parameter: usize) -> String {
        let columns = self.key().iter().filter_map(|name| self.column(name)).enumerate();
        columns
            .map(|(index, column)| format!("(${parameter}::text[])[{}]::{}", index + 1, column.data_type))
            .collect::<Vec<_>>()
            .join(", ")
    }

    /// Those that an `INSERT` names.
    pub(crate) fn stored_columns(&self) -> impl Iterator<Item = &Column> {
        self.columns.iter().filter(|column| !column.generated)
    }

    /// The constraints that an index holds up.
    pub(crate) fn keys(&self) -> impl Iterator<Item = &Constraint> {
        self.constraints.iter().filter(|constraint| matches!(constraint.kind.as_str(), "p" | "u"))
    }

    /// Indexes that come without a constraint, the slowest to build first.
    pub(crate) fn secondary_indexes(&self) -> Vec<&Index> {
        let mut indexes: Vec<&Index> = self.indexes.iter().filter(|index| !index.constraint).collect();
        indexes.sort_by_key(|index| match index.method.as_str() {
            _ if index.is_vector() => 0,
            "gin" => 1,
            _ => 2,
        });
        indexes
    }
}
