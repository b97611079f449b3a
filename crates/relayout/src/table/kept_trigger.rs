//! A trigger of the layer's own: on a table while it is in leaves, and on all that is below it, since a write straight to a leaf
//! fires only the leaf's.

use database::quote::identifier;
use database::statement::LockMode::{AccessExclusive, ShareRowExclusive};
use database::{Relation, Statement};
use serde::{Deserialize, Serialize};

/// What says how its kind begins is in `db_service.kept_trigger`: all of them come after the event, for each statement.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct KeptTrigger {
    pub(crate) name: String,
    /// `INSERT`, `UPDATE`, `DELETE` or `TRUNCATE`.
    pub(crate) event: String,
    /// In full, with parentheses.
    pub(crate) function: String,
}

impl KeptTrigger {
    /// The names of its transition tables, of old rows and of new ones.
    pub(crate) fn transition_tables(&self) -> (Option<&'static str>, Option<&'static str>) {
        match self.event.as_str() {
            "INSERT" => (None, Some("new_rows")),
            "DELETE" => (Some("old_rows"), None),
            "UPDATE" => (Some("old_rows"), Some("new_rows")),
            _ => (None, None),
        }
    }

    fn create(&self, relation: &Relation) -> Statement {
        let (old, new) = self.transition_tables();
        let old = old.map(|name| format!("OLD TABLE AS {name} ")).unwrap_or_default();
        let new = new.map(|name| format!("NEW TABLE AS {name} ")).unwrap_or_default();
        let referencing = if self.event == "TRUNCATE" { "" } else { "REFERENCING " };
        let (name, Self { event, function, .. }) = (identifier(&self.name), self);
        let sql = format!(
            "CREATE OR REPLACE TRIGGER {name} AFTER {event} ON {relation} {referencing}{old}{new}FOR EACH STATEMENT EXECUTE FUNCTION {function}"
        );
        Statement::new("a trigger of the layer's own", sql).locking(ShareRowExclusive, relation)
    }
}

/// Puts them on one relation, whatever is there under their names.
pub(crate) fn put_on<'a>(relation: &Relation, triggers: impl Iterator<Item = &'a KeptTrigger>) -> Vec<Statement> {
    let triggers: Vec<&KeptTrigger> = triggers.collect();
    if triggers.is_empty() {
        return Vec::new();
    }
    let always = triggers.iter().map(|it| format!("ENABLE ALWAYS TRIGGER {}", identifier(&it.name)));
    let sql = format!("ALTER TABLE ONLY {relation} {}", always.collect::<Vec<_>>().join(", "));
    let always = Statement::new("loads with session_replication_role = replica count as well", sql);
    let creates = triggers.iter().map(|it| it.create(relation));
    creates.chain([always.locking(ShareRowExclusive, relation)]).collect()
}

/// Takes those of these names off one relation.
pub(crate) fn take_off<'a>(relation: &Relation, names: impl Iterator<Item = &'a String>) -> Vec<Statement> {
    let drop = |name: &String| {
        let sql = format!("DROP TRIGGER {} ON {relation}", identifier(name));
        Statement::new("a trigger of the layer's own goes", sql).locking(AccessExclusive, relation)
    };
    names.map(drop).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trigger(event: &str) -> KeptTrigger {
        KeptTrigger { name: "k".into(), event: event.into(), function: "f.g()".into() }
    }

    #[test]
    fn a_trigger_sees_the_rows_of_its_event() {
        let sql = |event: &str| trigger(event).create(&Relation::public("t")).sql;
        assert_eq!(
            sql("UPDATE"),
            r#"CREATE OR REPLACE TRIGGER "k" AFTER UPDATE ON "public"."t" REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION f.g()"#
        );
        assert_eq!(
            sql("TRUNCATE"),
            r#"CREATE OR REPLACE TRIGGER "k" AFTER TRUNCATE ON "public"."t" FOR EACH STATEMENT EXECUTE FUNCTION f.g()"#
        );
    }

    #[test]
    fn what_is_put_on_fires_always() {
        let triggers = [trigger("INSERT"), trigger("DELETE")];
        let statements = put_on(&Relation::public("t"), triggers.iter());
        assert_eq!(statements.len(), 3);
        assert!(statements[2].sql.ends_with(r#"ENABLE ALWAYS TRIGGER "k", ENABLE ALWAYS TRIGGER "k""#));
        assert_eq!(put_on(&Relation::public("t"), [].iter()), []);
    }
}
