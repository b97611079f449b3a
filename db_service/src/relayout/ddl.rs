//! The statements of a relayout, as values: built here, run elsewhere.
//!
//! The new form of a table is built as a *shadow*: the whole tree of a partitioned table, or a plain table, in the schema
//! [`NEW`], under the table's own name and with its own names for indexes and constraints. The swap is then two
//! `SET SCHEMA` and nothing is renamed. Leaves live in schemas of their own from the start, see [`Leaf::schema`].

use super::definition::{Constraint, Definition, Trigger};
use super::shape::{Leaf, Shape};
use crate::quote::{identifier, literal};

/// Where the new form waits for the swap.
pub(crate) const NEW: &str = "db_service_new";
/// Where the old form waits to be dropped.
pub(crate) const OLD: &str = "db_service_old";

const CAPTURE: &str = "singularity_relayout_capture";
const TRUNCATE: &str = "singularity_relayout_truncate";
const STALE: &str = "singularity_relayout_stale";

/// `"public"."code_files"`.
pub(crate) fn qualified(schema: &str, table: &str) -> String {
    format!("{}.{}", identifier(schema), identifier(table))
}

/// The log of the keys that writers have changed.
pub(crate) fn log(table: &str) -> String {
    qualified("db_service", &format!("relayout_log_{table}"))
}

fn function(purpose: &str, table: &str) -> String {
    format!("{}()", qualified("db_service", &format!("relayout_{purpose}_{table}")))
}

/// Comma-separated, quoted, each with a prefix (`"new."`).
pub(crate) fn list<'a>(prefix: &str, names: impl IntoIterator<Item = &'a String>) -> String {
    names.into_iter().map(|name| format!("{prefix}{}", identifier(name))).collect::<Vec<_>>().join(", ")
}

/// The empty new form, without keys and indexes: these are built when the rows are there.
pub(crate) fn shadow(table: &str, definition: &Definition, shape: &Shape) -> Vec<String> {
    let (source, root) = (qualified("public", table), qualified(NEW, table));
    let like = "INCLUDING DEFAULTS INCLUDING CONSTRAINTS INCLUDING GENERATED INCLUDING STORAGE INCLUDING COMPRESSION \
                INCLUDING COMMENTS";
    // Only a job that somebody has deleted from the journal can have left one.
    let mut statements =
        vec![format!("CREATE SCHEMA IF NOT EXISTS {NEW}"), format!("DROP TABLE IF EXISTS {root} CASCADE")];
    let partition = match shape {
        Shape::Plain => String::new(),
        Shape::Hash { key, .. } => format!(" PARTITION BY HASH ({})", identifier(key)),
    };
    statements.push(format!("CREATE TABLE {root} (LIKE {source} {like}){partition}"));
    for column in &definition.columns {
        if let Some(target) = column.statistics {
            statements.push(format!("ALTER TABLE {root} ALTER {} SET STATISTICS {target}", identifier(&column.name)));
        }
    }
    for leaf in shape.leaves() {
        let name = qualified(&leaf.schema(), table);
        statements.push(format!("CREATE SCHEMA IF NOT EXISTS {}", identifier(&leaf.schema())));
        statements.push(format!(
            "CREATE TABLE {name} PARTITION OF {root} FOR VALUES WITH (MODULUS {}, REMAINDER {})",
            leaf.modulus, leaf.remainder
        ));
        for column in definition.columns.iter().filter(|column| column.inline) {
            statements.push(format!("ALTER TABLE {name} ALTER {} SET STORAGE PLAIN", identifier(&column.name)));
        }
    }
    statements.push(format!("ALTER TABLE {root} OWNER TO {}", identifier(&definition.owner)));
    if let Some(comment) = &definition.comment {
        statements.push(format!("COMMENT ON TABLE {root} IS {}", literal(comment)));
    }
    statements.extend(grants(&root, definition));
    statements
}

/// A key of one relation; a root takes the leaves' as its own, names and all.
pub(crate) fn add_constraint(relation: &str, constraint: &Constraint) -> String {
    format!("ALTER TABLE {relation} ADD CONSTRAINT {} {}", identifier(&constraint.name), constraint.definition)
}

fn grants<'a>(relation: &'a str, definition: &'a Definition) -> impl Iterator<Item = String> + 'a {
    definition.grants.iter().map(move |grant| {
        let column = grant.column.as_ref().map(|column| format!(" ({})", identifier(column))).unwrap_or_default();
        let option = if grant.grantable { " WITH GRANT OPTION" } else { "" };
        let grantee = grant.grantee.as_deref().unwrap_or("PUBLIC");
        format!("GRANT {}{column} ON {relation} TO {grantee}{option}", grant.privilege)
    })
}

/// The log, and the triggers on `relations` that write to it.
///
/// Only keys are logged, and the row is read again when the log is drained: a trigger that mirrored the row itself would
/// leave deleted rows behind, see `docs/decisions`. `ENABLE ALWAYS`: loads with `session_replication_role = replica` count
/// as well. `SECURITY DEFINER`: writers need no right in `db_service`.
pub(crate) fn capture(table: &str, definition: &Definition, relation: &str, leaves: &[String]) -> Vec<String> {
    let (log, key) = (log(table), definition.key());
    let columns = definition
        .columns
        .iter()
        .filter(|column| key.contains(&column.name))
        .map(|column| format!("{} {} NOT NULL", identifier(&column.name), column.data_type))
        .collect::<Vec<_>>()
        .join(", ");
    let (names, old, new) = (list("", key), list("OLD.", key), list("NEW.", key));
    let capture = function("capture", table);
    let truncate = function("truncate", table);
    let mut statements = vec![
        format!("CREATE TABLE {log} ({columns})"),
        format!(
            "CREATE FUNCTION {capture} RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
             BEGIN
                 IF TG_OP <> 'DELETE' THEN
                     INSERT INTO {log} ({names}) VALUES ({new});
                 END IF;
                 IF TG_OP = 'DELETE' OR TG_OP = 'UPDATE' AND ({old}) IS DISTINCT FROM ({new}) THEN
                     INSERT INTO {log} ({names}) VALUES ({old});
                 END IF;
                 RETURN NULL;
             END $$"
        ),
        format!(
            "CREATE FUNCTION {truncate} RETURNS trigger LANGUAGE plpgsql SET search_path = '' AS $$
             BEGIN
                 RAISE EXCEPTION 'cannot truncate % while its layout is being changed', TG_RELID::pg_catalog.regclass
                     USING ERRCODE = 'object_in_use',
                           HINT = 'Use DELETE, or wait until `migrations status` shows no job.';
             END $$"
        ),
    ];
    statements.extend(capture_triggers(table, relation, leaves));
    statements
}

/// Row triggers on a partitioned table reach its leaves by themselves; a switch to `ALWAYS` and `TRUNCATE` do not.
fn capture_triggers(table: &str, relation: &str, leaves: &[String]) -> Vec<String> {
    let (capture, truncate) = (function("capture", table), function("truncate", table));
    let mut statements = vec![format!(
        "CREATE TRIGGER {CAPTURE} AFTER INSERT OR UPDATE OR DELETE ON {relation} FOR EACH ROW EXECUTE FUNCTION {capture}"
    )];
    let all = || std::iter::once(relation).chain(leaves.iter().map(String::as_str));
    for relation in all() {
        statements.push(format!(
            "CREATE TRIGGER {TRUNCATE} BEFORE TRUNCATE ON {relation} FOR EACH STATEMENT EXECUTE FUNCTION {truncate}"
        ));
    }
    for relation in all() {
        statements.push(format!("ALTER TABLE ONLY {relation} ENABLE ALWAYS TRIGGER {CAPTURE}"));
        statements.push(format!("ALTER TABLE ONLY {relation} ENABLE ALWAYS TRIGGER {TRUNCATE}"));
    }
    statements
}

/// One index of one relation; a root takes the leaves' as its own afterwards, see [`attach_indexes`].
pub(crate) fn create_index(relation: &str, is_root: bool, index: &super::definition::Index) -> String {
    format!(
        "CREATE {}INDEX {} ON {}{relation} {}",
        if index.unique { "UNIQUE " } else { "" },
        identifier(&index.name),
        if is_root { "ONLY " } else { "" },
        index.definition
    )
}

/// The root's keys and indexes, made of those of its leaves.
pub(crate) fn attach_indexes(table: &str, definition: &Definition, leaves: &[Leaf]) -> Vec<String> {
    let root = qualified(NEW, table);
    let mut statements = Vec::new();
    if !leaves.is_empty() {
        statements.extend(definition.keys().map(|key| add_constraint(&root, key)));
    }
    for index in definition.secondary_indexes() {
        if !leaves.is_empty() {
            statements.push(create_index(&root, true, index));
            statements.extend(leaves.iter().map(|leaf| {
                format!(
                    "ALTER INDEX {} ATTACH PARTITION {}",
                    qualified(NEW, &index.name),
                    qualified(&leaf.schema(), &index.name)
                )
            }));
        }
    }
    for index in &definition.indexes {
        if let Some(comment) = &index.comment {
            statements.push(format!("COMMENT ON INDEX {} IS {}", qualified(NEW, &index.name), literal(comment)));
        }
    }
    statements
}

/// Everything of the swap that is known before the lock is held.
///
/// The function `stale` refuses writes by transactions whose snapshot is older than the swap: they would see the new
/// table without the rows that were copied last. With SQLSTATE 40001, which whoever uses such isolation retries anyway.
pub(crate) fn swap(table: &str, definition: &Definition, new_leaves: &[String]) -> Vec<String> {
    let (public, new) = (qualified("public", table), qualified(NEW, table));
    // It becomes part of a format string.
    let stale = function("stale", table);
    let stale_in_format = stale.replace('%', "%%");
    let mut statements = vec![format!("CREATE SCHEMA IF NOT EXISTS {OLD}")];
    statements.extend(drop_triggers(&public));
    let owned = || definition.columns.iter().filter_map(|column| Some((&column.name, column.sequence.as_ref()?)));
    // What belongs to a column moves with its table.
    statements.extend(owned().map(|(_, sequence)| format!("ALTER SEQUENCE {sequence} OWNED BY NONE")));
    for publication in &definition.publications {
        statements.push(format!("ALTER PUBLICATION {} DROP TABLE {public}", identifier(&publication.name)));
    }
    for trigger in &definition.triggers {
        // The function stays, and the trigger with it on the old table would be one too many after a drain.
        statements.push(format!("DROP TRIGGER {} ON {public}", identifier(&trigger.name)));
    }
    statements.push(format!("ALTER TABLE {public} SET SCHEMA {OLD}"));
    statements.push(format!("ALTER TABLE {new} SET SCHEMA public"));
    statements.extend(
        owned().map(|(column, sequence)| format!("ALTER SEQUENCE {sequence} OWNED BY {public}.{}", identifier(column))),
    );
    for publication in &definition.publications {
        statements.push(format!("ALTER PUBLICATION {} ADD TABLE {public}", identifier(&publication.name)));
    }
    statements.extend(definition.triggers.iter().flat_map(|trigger| user_trigger(&public, trigger)));
    statements.extend(capture_triggers(table, &public, new_leaves));
    statements.push(format!(
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
    ));
    statements.push(format!(
        "CREATE TRIGGER {STALE} BEFORE INSERT OR UPDATE OR DELETE ON {public} FOR EACH STATEMENT EXECUTE FUNCTION {stale}"
    ));
    statements
}

fn user_trigger(relation: &str, trigger: &Trigger) -> Vec<String> {
    let state = match trigger.enabled.as_str() {
        "D" => "DISABLE",
        "R" => "ENABLE REPLICA",
        "A" => "ENABLE ALWAYS",
        _ => return vec![trigger.definition.clone()],
    };
    vec![trigger.definition.clone(), format!("ALTER TABLE {relation} {state} TRIGGER {}", identifier(&trigger.name))]
}

fn drop_triggers(relation: &str) -> [String; 2] {
    [CAPTURE, TRUNCATE].map(|trigger| format!("DROP TRIGGER IF EXISTS {trigger} ON {relation}"))
}

/// Takes our triggers off the table in `public`: ends the reverse log, or an abandoned job's capture.
pub(crate) fn settle(table: &str, leaves: &[String]) -> Vec<String> {
    let public = qualified("public", table);
    let mut statements = Vec::from(drop_triggers(&public));
    statements.extend(leaves.iter().map(|leaf| format!("DROP TRIGGER IF EXISTS {TRUNCATE} ON {leaf}")));
    statements.push(format!("DROP TRIGGER IF EXISTS {STALE} ON {public}"));
    statements
}

/// Drops what a job has made beside the table in `public`: after its end, or to abandon it.
pub(crate) fn clean(table: &str, schema: &str) -> Vec<String> {
    let mut statements = vec![
        format!("DROP TABLE IF EXISTS {}", qualified(schema, table)),
        format!("DROP TABLE IF EXISTS {}", log(table)),
    ];
    for purpose in ["capture", "truncate", "stale"] {
        statements.push(format!("DROP FUNCTION IF EXISTS {}", function(purpose, table)));
    }
    statements
}

/// Drops the schemas of the engine that nothing lives in any more.
pub(crate) fn drop_empty_schemas() -> [String; 1] {
    [format!(
        r"DO $do$
        DECLARE schema name;
        BEGIN
            FOR schema IN SELECT n.nspname FROM pg_catalog.pg_namespace n
                          WHERE (n.nspname ~ '^leaf_[0-9]+_[0-9]+$' OR n.nspname IN ('{NEW}', '{OLD}'))
                            AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_class c WHERE c.relnamespace = n.oid)
            LOOP
                EXECUTE pg_catalog.format('DROP SCHEMA %I', schema);
            END LOOP;
        END $do$"
    )]
}

#[cfg(test)]
mod tests {
    use super::super::preflight::tests::table;
    use super::*;

    #[test]
    fn rows_are_copied_into_leaves_without_keys() {
        let statements = shadow("t", &table(), &Shape::even("repo_name", 2));
        assert!(!statements.iter().any(|statement| statement.contains("PRIMARY KEY")));
        let attached = attach_indexes("t", &table(), Shape::even("repo_name", 2).leaves());
        assert_eq!(
            attached,
            [r#"ALTER TABLE "db_service_new"."t" ADD CONSTRAINT "t_pkey" PRIMARY KEY (repo_name, path)"#]
        );
        assert!(statements[2].ends_with(r#"PARTITION BY HASH ("repo_name")"#), "{}", statements[2]);
    }

    #[test]
    fn a_plain_table_has_no_leaves() {
        let statements = shadow("t", &table(), &Shape::Plain);
        assert!(!statements.iter().any(|statement| statement.contains("PARTITION")));
        assert_eq!(attach_indexes("t", &table(), &[]), Vec::<String>::new());
    }
}
