//! The change log: which rows writers touch while a job is on its way.

use database::quote::identifier;
use database::statement::LockMode::{AccessExclusive, ShareRowExclusive};
use database::{Relation, Statement, statement};
use sqlx::PgConnection;

use crate::job::Tree;
use crate::table::definition::Definition;

/// The triggers that write to the log: of each kind its name, what fires it, and the row whose key it logs.
const CAPTURES: [(&str, &str, &str); 3] = [
    ("singularity_relayout_capture", "INSERT OR UPDATE", NEW_ROW),
    ("singularity_relayout_deleted", "DELETE", OLD_ROW),
    ("singularity_relayout_moved", "UPDATE", OLD_ROW),
];
const NEW_ROW: &str = "new";
const OLD_ROW: &str = "old";
const TRUNCATE: &str = "singularity_relayout_truncate";

/// The log of the keys that writers have changed.
pub(crate) fn log(table: &str) -> Relation {
    Relation::new("db_service", format!("relayout_log_{table}"))
}

/// A function of a trigger, as `EXECUTE FUNCTION` and `DROP FUNCTION` take it.
pub(crate) fn function(purpose: &str, table: &str) -> String {
    format!("{}()", Relation::new("db_service", format!("relayout_{purpose}_{table}")))
}

/// The log, and the triggers on `trees` that write to it.
///
/// Only keys are logged, and the row is read again when the log is drained: a trigger that mirrored the row itself would
/// leave deleted rows behind, see `docs/decisions`. `ENABLE ALWAYS`: loads with `session_replication_role = replica` count
/// as well. `SECURITY DEFINER`: writers need no right in `db_service`. A function of one statement that names everything in
/// full needs no `SET search_path`, which would double its cost; it has no operator that the path could lead elsewhere, so
/// what there is to compare is in the trigger's `WHEN`, which is resolved when the trigger is made.
pub(crate) fn install(table: &str, definition: &Definition, trees: &[Tree]) -> Vec<Statement> {
    let (log, key) = (log(table), definition.key());
    let columns = definition
        .columns
        .iter()
        .filter(|column| key.contains(&column.name))
        .map(|column| format!("{} {} NOT NULL", identifier(&column.name), column.data_type))
        .collect::<Vec<_>>()
        .join(", ");
    let truncate = function("truncate", table);
    let why = "the log of the keys that writers change";
    let mut statements = vec![Statement::new(why, format!("CREATE TABLE {log} ({columns})"))];
    statements.extend(functions(table, definition, "writes a key to it", ""));
    let sql = format!(
        "CREATE FUNCTION {truncate} RETURNS trigger LANGUAGE plpgsql SET search_path = '' AS $$
             BEGIN
                 RAISE EXCEPTION 'cannot truncate % while its layout is being changed', TG_RELID::pg_catalog.regclass
                     USING ERRCODE = 'object_in_use',
                           HINT = 'Use DELETE, or wait until `migrations status` shows no job.';
             END $$"
    );
    statements.push(Statement::new("a row trigger does not see TRUNCATE", sql));
    statements.extend(triggers(table, definition, trees));
    statements
}

/// The functions that write a key to the log and do `then` what else is asked.
pub(crate) fn functions(table: &str, definition: &Definition, why: &'static str, then: &str) -> Vec<Statement> {
    let (log, names) = (log(table), definition.key_columns(""));
    let of = |row| {
        let sql = format!(
            "CREATE OR REPLACE FUNCTION {} RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
             BEGIN
                 INSERT INTO {log} ({names}) VALUES ({});{then}
                 RETURN NULL;
             END $$",
            function(row, table),
            definition.key_columns(&format!("{row}."))
        );
        Statement::new(why, sql)
    };
    [NEW_ROW, OLD_ROW].map(of).into()
}

/// The triggers that write to the log, and those that refuse what they do not see.
pub(crate) fn triggers(table: &str, definition: &Definition, trees: &[Tree]) -> Vec<Statement> {
    let truncate = function("truncate", table);
    let (old, new) = (definition.key_columns("old."), definition.key_columns("new."));
    let moved = format!("WHEN (({old}) IS DISTINCT FROM ({new}))");
    let mut statements = Vec::new();
    for tree in trees {
        for (name, events, row) in CAPTURES {
            let when = if events == "UPDATE" { moved.as_str() } else { "" };
            let sql = format!(
                "CREATE TRIGGER {name} AFTER {events} ON {} FOR EACH ROW {when} EXECUTE FUNCTION {}",
                tree.root,
                function(row, table)
            );
            statements.push(
                Statement::new("from now on writers log the keys that they change", sql)
                    .locking(ShareRowExclusive, &tree.root),
            );
        }
        for relation in tree.all() {
            let sql = format!(
                "CREATE TRIGGER {TRUNCATE} BEFORE TRUNCATE ON {relation} FOR EACH STATEMENT EXECUTE FUNCTION {truncate}"
            );
            statements
                .push(Statement::new("from now on TRUNCATE is refused", sql).locking(ShareRowExclusive, relation));
            let names = CAPTURES.map(|(name, ..)| name).into_iter().chain([TRUNCATE]);
            let always = names.map(|name| format!("ENABLE ALWAYS TRIGGER {name}")).collect::<Vec<_>>().join(", ");
            let sql = format!("ALTER TABLE ONLY {relation} {always}");
            let why = "loads with session_replication_role = replica count as well";
            statements.push(Statement::new(why, sql).locking(ShareRowExclusive, relation));
        }
    }
    statements
}

/// Takes them off again. `DROP TRIGGER` locks a table's leaves before the table, and writers lock the table first: so all
/// of it is locked in their order before, or both would wait for each other.
pub(crate) fn drop_capture(table: &str, trees: &[Tree]) -> Vec<Statement> {
    let public = Relation::public(table);
    let lock = format!("LOCK TABLE {public} IN ACCESS EXCLUSIVE MODE");
    let why = "locked in the order in which writers lock";
    let mut statements = vec![Statement::new(why, lock).locking(AccessExclusive, &public)];
    let drop = |name: &str, relation: &Relation| {
        let sql = format!("DROP TRIGGER IF EXISTS {name} ON {relation}");
        Statement::new("writers log no more", sql).locking(AccessExclusive, relation)
    };
    for tree in trees {
        statements.extend(CAPTURES.map(|(name, ..)| drop(name, &tree.root)));
        statements.extend(tree.all().map(|relation| drop(TRUNCATE, relation)));
    }
    statements
}

/// Drops the log and the functions of the triggers.
pub(crate) fn drop_log(table: &str) -> Vec<Statement> {
    let functions = [NEW_ROW, OLD_ROW, "truncate"];
    let functions = functions.map(|purpose| format!("DROP FUNCTION IF EXISTS {}", function(purpose, table)));
    let log = format!("DROP TABLE IF EXISTS {}", log(table));
    std::iter::once(log).chain(functions).map(|sql| Statement::new("the log goes", sql)).collect()
}

/// Puts the log on a plain table, for measuring what it costs: in a transaction that is rolled back.
///
/// # Errors
/// When a statement fails.
pub async fn install_for_measuring(transaction: &mut PgConnection, table: &Relation) -> Result<(), sqlx::Error> {
    let Some(definition) = Definition::read(transaction, table).await? else { return Err(sqlx::Error::RowNotFound) };
    let trees = [Tree { root: table.clone(), below: Vec::new() }];
    let schema = Statement::new("where the log is", "CREATE SCHEMA IF NOT EXISTS db_service");
    statement::execute(transaction, &[vec![schema], install(&table.name, &definition, &trees)].concat()).await
}
