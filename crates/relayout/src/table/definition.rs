//! A table's logical definition: what every layout of it has in common.

use database::Relation;
use database::quote::{columns, identifier};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sqlx::PgConnection;
use sqlx::types::Json;

use super::kept_trigger::KeptTrigger;
use super::parts::{Column, Constraint, ExtendedStatistics, Grant, Index, Policy, Publication, Trigger};

/// What Ecto has declared, as the catalog tells it. Two of them are equal if nobody altered the table in between.
///
/// A job of an older version has noted less: it reads as another definition, and is given up.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of the catalog by itself")]
pub(crate) struct Definition {
    pub(crate) owner: String,
    pub(crate) comment: Option<String>,
    pub(crate) kind: String,
    pub(crate) persistence: String,
    /// None is `heap`.
    pub(crate) access_method: Option<String>,
    pub(crate) tablespace: Option<String>,
    pub(crate) of_type: Option<String>,
    pub(crate) row_security: bool,
    pub(crate) forces_row_security: bool,
    pub(crate) has_rules: bool,
    /// Storage parameters, those of its TOAST table with `toast.`.
    pub(crate) options: Vec<String>,
    pub(crate) replica_identity: String,
    pub(crate) inherits: bool,
    /// Changes arrive from another server.
    pub(crate) is_subscribed: bool,
    pub(crate) security_labels: i64,
    /// It belongs to this one.
    pub(crate) extension: Option<String>,
    pub(crate) columns: Vec<Column>,
    pub(crate) constraints: Vec<Constraint>,
    pub(crate) referenced_by: Vec<String>,
    pub(crate) indexes: Vec<Index>,
    pub(crate) triggers: Vec<Trigger>,
    /// Those of the layer, which it has while it is in leaves.
    pub(crate) kept_triggers: Vec<KeptTrigger>,
    pub(crate) policies: Vec<Policy>,
    pub(crate) extended_statistics: Vec<ExtendedStatistics>,
    /// The owner has all rights and nobody else has any, but on columns.
    pub(crate) is_private: bool,
    pub(crate) grants: Vec<Grant>,
    pub(crate) publications: Vec<Publication>,
}

/// One field, and what of it is on one side only.
fn difference(field: &str, old: &Value, new: &Value) -> String {
    let field = field.replace('_', " ");
    let (Value::Array(old), Value::Array(new)) = (old, new) else { return format!("{field}: {old} became {new}") };
    let only = |these: &[Value], those: &[Value]| {
        let only: Vec<String> = these.iter().filter(|it| !those.contains(it)).map(ToString::to_string).collect();
        if only.is_empty() { "nothing".to_owned() } else { only.join(", ") }
    };
    format!("{field}: {} became {}", only(old, new), only(new, old))
}

impl Definition {
    /// Reads it; none if there is no such table.
    pub(crate) async fn read(connection: &mut PgConnection, relation: &Relation) -> Result<Option<Self>, sqlx::Error> {
        let document = sqlx::query_file_scalar!("queries/definition.sql", relation.to_string());
        Ok(document.fetch_optional(connection).await?.map(|Json(definition)| definition))
    }

    /// In what the new form of a table differs from it; nothing where all was carried over.
    pub(crate) fn differences(&self, new: &Self) -> Vec<String> {
        // The kind is what was to be changed; foreign keys come when their rows were read; the layer's own triggers go with
        // the leaves.
        let alike = |it: &Self| Self {
            kind: String::new(),
            kept_triggers: Vec::new(),
            constraints: it.constraints.iter().filter(|constraint| constraint.kind != "f").cloned().collect(),
            ..it.clone()
        };
        let (old, new) = (alike(self), &alike(new));
        let (Ok(Value::Object(old)), Ok(Value::Object(new))) = (serde_json::to_value(&old), serde_json::to_value(new))
        else {
            return vec!["the definition".to_owned()];
        };
        let differs = |(field, value): (&String, &Value)| {
            let found = new.get(field).unwrap_or(&Value::Null);
            (found != value).then(|| difference(field, value, found))
        };
        old.iter().filter_map(differs).collect()
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

    /// Constraints on single rows that every row fulfils.
    pub(crate) fn checks(&self) -> impl Iterator<Item = &Constraint> {
        self.constraints.iter().filter(|constraint| constraint.kind == "c" && constraint.validated)
    }

    /// Constraints on single rows that some rows may not fulfil; only what is written from now on has to.
    pub(crate) fn unchecked(&self) -> impl Iterator<Item = &Constraint> {
        self.constraints.iter().filter(|constraint| constraint.kind == "c" && !constraint.validated)
    }

    /// Foreign keys that lead out.
    pub(crate) fn foreign_keys(&self) -> impl Iterator<Item = &Constraint> {
        self.constraints.iter().filter(|constraint| constraint.kind == "f")
    }

    /// Something besides the primary key is unique.
    pub(crate) fn has_other_unique(&self) -> bool {
        let primary = self.constraints.iter().find(|constraint| constraint.kind == "p").map(|it| &it.name);
        self.indexes.iter().any(|index| index.unique && Some(&index.name) != primary)
    }

    /// The columns whose values leaves keep in their own pages: vectors, as many as leave room for the rest of the row.
    /// Reading one from TOAST takes five times as long.
    pub(crate) fn inline_columns(&self) -> impl Iterator<Item = &Column> {
        const ROOM: i32 = 4096;
        let mut room = ROOM;
        self.columns.iter().filter(move |column| match column.vector_bytes {
            Some(bytes) if bytes <= room => {
                room -= bytes;
                true
            }
            _ => false,
        })
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_not_carried_over_is_named() {
        let publication = |name: &str| Publication { name: name.into(), ..Publication::default() };
        let old = Definition {
            kind: "r".into(),
            row_security: false,
            publications: vec![publication("a"), publication("b")],
            ..Definition::default()
        };
        assert_eq!(old.differences(&Definition { kind: "p".into(), ..old.clone() }), Vec::<String>::new());
        let new = Definition { row_security: true, publications: vec![publication("a")], ..old.clone() };
        assert_eq!(
            old.differences(&new),
            [
                "row security: false became true",
                r#"publications: {"name":"b","scope":"","filtered":false,"via_root":false} became nothing"#
            ]
        );
    }

    #[test]
    fn vectors_are_kept_inline_while_there_is_room() {
        let column = |name: &str, bytes| Column { name: name.into(), vector_bytes: bytes, ..Column::default() };
        let definition = Definition {
            columns: vec![column("a", Some(3080)), column("b", Some(3080)), column("c", Some(264)), column("d", None)],
            ..Definition::default()
        };
        let inline: Vec<&str> = definition.inline_columns().map(|column| column.name.as_str()).collect();
        assert_eq!(inline, ["a", "c"]);
    }
}
