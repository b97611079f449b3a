//! The change log: which rows writers touch while a job is on its way, and who may not write any more.

use super::ddl::{list, qualified};
use super::definition::{Definition, Trigger};
use crate::quote::identifier;

/// The triggers that write to the log: of each kind its name, what fires it, and the row whose key it logs.
const CAPTURES: [(&str, &str, &str); 3] = [
    ("singularity_relayout_capture", "INSERT OR UPDATE", NEW_ROW),
    ("singularity_relayout_deleted", "DELETE", OLD_ROW),
    ("singularity_relayout_moved", "UPDATE", OLD_ROW),
];
const NEW_ROW: &str = "new";
const OLD_ROW: &str = "old";
const TRUNCATE: &str = "singularity_relayout_truncate";
const STALE: &str = "singularity_relayout_stale";

/// A relation with all that is below it. Row triggers on it reach these by themselves; a switch to `ALWAYS` and triggers
/// on `TRUNCATE` do not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Tree {
    pub(crate) root: String,
    pub(crate) below: Vec<String>,
}

impl Tree {
    fn all(&self) -> impl Iterator<Item = &String> {
        std::iter::once(&self.root).chain(&self.below)
    }
}

/// The log of the keys that writers have changed.
pub(crate) fn log(table: &str) -> String {
    qualified("db_service", &format!("relayout_log_{table}"))
}

fn function(purpose: &str, table: &str) -> String {
    format!("{}()", qualified("db_service", &format!("relayout_{purpose}_{table}")))
}

/// The log, and the triggers on `trees` that write to it.
///
/// Only keys are logged, and the row is read again when the log is drained: a trigger that mirrored the row itself would
/// leave deleted rows behind, see `docs/decisions`. `ENABLE ALWAYS`: loads with `session_replication_role = replica` count
/// as well. `SECURITY DEFINER`: writers need no right in `db_service`. A function of one statement that names everything in
/// full needs no `SET search_path`, which would double its cost; it has no operator that the path could lead elsewhere, so
/// what there is to compare is in the trigger's `WHEN`, which is resolved when the trigger is made.
pub(crate) fn install(table: &str, definition: &Definition, trees: &[Tree]) -> Vec<String> {
    let (log, key) = (log(table), definition.key());
    let columns = definition
        .columns
        .iter()
        .filter(|column| key.contains(&column.name))
        .map(|column| format!("{} {} NOT NULL", identifier(&column.name), column.data_type))
        .collect::<Vec<_>>()
        .join(", ");
    let names = list("", key);
    let truncate = function("truncate", table);
    let mut statements = vec![format!("CREATE TABLE {log} ({columns})")];
    for row in [NEW_ROW, OLD_ROW] {
        statements.push(format!(
            "CREATE FUNCTION {} RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
             BEGIN
                 INSERT INTO {log} ({names}) VALUES ({});
                 RETURN NULL;
             END $$",
            function(row, table),
            list(&format!("{row}."), key)
        ));
    }
    statements.push(format!(
        "CREATE FUNCTION {truncate} RETURNS trigger LANGUAGE plpgsql SET search_path = '' AS $$
             BEGIN
                 RAISE EXCEPTION 'cannot truncate % while its layout is being changed', TG_RELID::pg_catalog.regclass
                     USING ERRCODE = 'object_in_use',
                           HINT = 'Use DELETE, or wait until `migrations status` shows no job.';
             END $$"
    ));
    statements.extend(triggers(table, definition, trees));
    statements
}

/// The triggers that write to the log, and those that refuse what they do not see.
pub(crate) fn triggers(table: &str, definition: &Definition, trees: &[Tree]) -> Vec<String> {
    let (truncate, key) = (function("truncate", table), definition.key());
    let moved = format!("WHEN (({}) IS DISTINCT FROM ({}))", list("old.", key), list("new.", key));
    let mut statements = Vec::new();
    for tree in trees {
        for (name, events, row) in CAPTURES {
            let when = if events == "UPDATE" { moved.as_str() } else { "" };
            statements.push(format!(
                "CREATE TRIGGER {name} AFTER {events} ON {} FOR EACH ROW {when} EXECUTE FUNCTION {}",
                tree.root,
                function(row, table)
            ));
        }
        for relation in tree.all() {
            statements.push(format!(
                "CREATE TRIGGER {TRUNCATE} BEFORE TRUNCATE ON {relation} FOR EACH STATEMENT EXECUTE FUNCTION {truncate}"
            ));
            let names = CAPTURES.map(|(name, ..)| name).into_iter().chain([TRUNCATE]);
            let always = names.map(|name| format!("ENABLE ALWAYS TRIGGER {name}")).collect::<Vec<_>>().join(", ");
            statements.push(format!("ALTER TABLE ONLY {relation} {always}"));
        }
    }
    statements
}

/// Takes them off again. `DROP TRIGGER` locks a table's leaves before the table, and writers lock the table first: so all
/// of it is locked in their order before, or both would wait for each other.
pub(crate) fn drop_capture(table: &str, trees: &[Tree]) -> Vec<String> {
    let mut statements = vec![format!("LOCK TABLE {} IN ACCESS EXCLUSIVE MODE", qualified("public", table))];
    for tree in trees {
        let captures = CAPTURES.map(|(name, ..)| format!("DROP TRIGGER IF EXISTS {name} ON {}", tree.root));
        statements.extend(captures);
        statements.extend(tree.all().map(|relation| format!("DROP TRIGGER IF EXISTS {TRUNCATE} ON {relation}")));
    }
    statements
}

/// Refuses writes by transactions whose snapshot is older than the swap that this is part of: they would see the new form
/// without the rows that were copied last. With SQLSTATE 40001, which whoever uses such isolation retries anyway.
pub(crate) fn refuse_older_snapshots(table: &str) -> [String; 2] {
    let stale = function("stale", table);
    // It becomes part of a format string.
    let stale_in_format = stale.replace('%', "%%");
    [
        format!(
            "DO $do$ BEGIN EXECUTE pg_catalog.format($format$
             CREATE OR REPLACE FUNCTION {stale_in_format} RETURNS trigger LANGUAGE plpgsql SET search_path = '' AS $function$
             BEGIN
                 IF NOT pg_catalog.pg_visible_in_snapshot(%L::pg_catalog.xid8, pg_catalog.pg_current_snapshot()) THEN
                     RAISE serialization_failure
                         USING MESSAGE = 'could not serialize access: the layout of the table has changed since this transaction began',
                               HINT = 'Retry the transaction.';
                 END IF;
                 RETURN NULL;
             END $function$ $format$, pg_catalog.pg_current_xact_id()); END $do$"
        ),
        format!(
            "CREATE TRIGGER {STALE} BEFORE INSERT OR UPDATE OR DELETE ON {} FOR EACH STATEMENT EXECUTE FUNCTION {stale}",
            qualified("public", table)
        ),
    ]
}

/// Ends the reverse log, and lets everybody write.
pub(crate) fn settle(table: &str, trees: &[Tree]) -> Vec<String> {
    let mut statements = drop_capture(table, trees);
    statements.push(format!("DROP TRIGGER IF EXISTS {STALE} ON {}", qualified("public", table)));
    statements
}

/// Drops the log and the functions of the triggers.
pub(crate) fn drop_log(table: &str) -> Vec<String> {
    let functions = [NEW_ROW, OLD_ROW, "truncate", "stale"];
    let functions = functions.map(|purpose| format!("DROP FUNCTION IF EXISTS {}", function(purpose, table)));
    std::iter::once(format!("DROP TABLE IF EXISTS {}", log(table))).chain(functions).collect()
}

/// A trigger of the table's own, on its new form.
pub(crate) fn user_trigger(relation: &str, trigger: &Trigger) -> Vec<String> {
    let state = match trigger.enabled.as_str() {
        "D" => "DISABLE",
        "R" => "ENABLE REPLICA",
        "A" => "ENABLE ALWAYS",
        _ => return vec![trigger.definition.clone()],
    };
    vec![trigger.definition.clone(), format!("ALTER TABLE {relation} {state} TRIGGER {}", identifier(&trigger.name))]
}
