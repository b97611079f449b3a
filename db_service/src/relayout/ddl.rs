//! The statements of a relayout, as values: built here, run elsewhere.
//!
//! The new form is built as a *shadow*, the root of a partitioned table or a plain table, in the schema [`NEW`], under the
//! table's own name and with its own names for indexes and constraints. Nothing is ever renamed. A swap of whole tables
//! is two `SET SCHEMA`; a swap of leaves detaches the new ones from the shadow and attaches them to the table. Leaves live
//! in schemas of their own from the start, see [`Leaf::schema`].

use super::capture;
use super::definition::{Constraint, Definition, Index};
use super::job::Job;
use super::shape::{Leaf, Shape};
use crate::quote::{identifier, literal};

/// Where the new form waits for the swap.
pub(crate) const NEW: &str = "db_service_new";
/// Where the old form waits to be dropped.
pub(crate) const OLD: &str = "db_service_old";

/// Holds while a leaf is not attached yet, see [`fits`].
const FITS: &str = "singularity_relayout_fits";

/// `"public"."code_files"`.
pub(crate) fn qualified(schema: &str, table: &str) -> String {
    format!("{}.{}", identifier(schema), identifier(table))
}

/// Comma-separated, quoted, each with a prefix (`"new."`).
pub(crate) fn list<'a>(prefix: &str, names: impl IntoIterator<Item = &'a String>) -> String {
    names.into_iter().map(|name| format!("{prefix}{}", identifier(name))).collect::<Vec<_>>().join(", ")
}

/// The empty new form, without keys and indexes: these are built when the rows are there.
pub(crate) fn shadow(job: &Job) -> Vec<String> {
    let (table, definition) = (&job.table, &job.definition);
    let (source, root) = (qualified("public", table), qualified(NEW, table));
    let like = "INCLUDING DEFAULTS INCLUDING CONSTRAINTS INCLUDING GENERATED INCLUDING STORAGE INCLUDING COMPRESSION \
                INCLUDING COMMENTS";
    // Only a job that somebody has deleted from the journal can have left one.
    let mut statements =
        vec![format!("CREATE SCHEMA IF NOT EXISTS {NEW}"), format!("DROP TABLE IF EXISTS {root} CASCADE")];
    let partition = match &job.target {
        Shape::Plain => String::new(),
        Shape::Hash { key, .. } => format!(" PARTITION BY HASH ({})", identifier(key)),
    };
    statements.push(format!("CREATE TABLE {root} (LIKE {source} {like}){partition}"));
    for column in &definition.columns {
        if let Some(target) = column.statistics {
            statements.push(format!("ALTER TABLE {root} ALTER {} SET STATISTICS {target}", identifier(&column.name)));
        }
    }
    let owner = identifier(&definition.owner);
    if let Shape::Hash { key, path_key, .. } = &job.target {
        for leaf in job.new_leaves() {
            statements.extend(create_leaf(leaf, table, path_key));
            let name = qualified(&leaf.schema(), table);
            statements.push(format!("ALTER TABLE {name} OWNER TO {owner}"));
            if job.exchanged().is_some() {
                statements.push(format!("ALTER TABLE {name} ADD CONSTRAINT {FITS} CHECK ({})", fits(job, leaf, key)));
            }
        }
    }
    for relation in job.targets().iter().filter(|_| job.target != Shape::Plain) {
        for column in definition.columns.iter().filter(|column| column.inline) {
            statements.push(format!("ALTER TABLE {relation} ALTER {} SET STORAGE PLAIN", identifier(&column.name)));
        }
    }
    statements.push(format!("ALTER TABLE {root} OWNER TO {owner}"));
    if let Some(comment) = &definition.comment {
        statements.push(format!("COMMENT ON TABLE {root} IS {}", literal(comment)));
    }
    statements.extend(grants(&root, definition));
    statements
}

/// A leaf below the shadow, and its parts below it.
fn create_leaf(leaf: Leaf, table: &str, path_key: &str) -> Vec<String> {
    let name = qualified(&leaf.schema(), table);
    let below = format!("PARTITION OF {} {}", qualified(NEW, table), leaf.bound());
    let mut statements = vec![format!("CREATE SCHEMA IF NOT EXISTS {}", identifier(&leaf.schema()))];
    if leaf.paths == 1 {
        statements.push(format!("CREATE TABLE {name} {below}"));
        return statements;
    }
    statements.push(format!("CREATE TABLE {name} {below} PARTITION BY HASH ({})", identifier(path_key)));
    for (part, schema) in leaf.storage().iter().enumerate() {
        let part = Leaf::new(leaf.paths, u32::try_from(part).unwrap_or(u32::MAX));
        statements.push(format!("CREATE SCHEMA IF NOT EXISTS {}", identifier(schema)));
        statements.push(format!("CREATE TABLE {} PARTITION OF {name} {}", qualified(schema, table), part.bound()));
    }
    statements
}

/// What lets `ATTACH PARTITION` believe that the rows belong here, instead of reading them all under its lock.
///
/// It believes a `CHECK` that equals the partition's own condition after simplification. That condition calls
/// `satisfies_hash_partition` with no collation (`get_qual_for_hash` in `src/backend/partitioning/partbounds.c`), and
/// no plain call with a text can be written so: it takes the column's. But where branches of a `CASE` disagree about the
/// collation there is none; and the branches that are never taken are gone after simplification.
fn fits(job: &Job, leaf: Leaf, key: &str) -> String {
    let kind = job.definition.column(key).map(|column| column.data_type.as_str()).unwrap_or_default();
    let key = identifier(key);
    let value = if kind == "text" || kind.starts_with("character") {
        format!(
            "CASE WHEN true THEN {key} WHEN false THEN CAST('c'::pg_catalog.name AS {kind}) \
             ELSE CAST('posix'::db_service.text_posix AS {kind}) END"
        )
    } else {
        key
    };
    let root = literal(&qualified("public", &job.table));
    format!(
        "pg_catalog.satisfies_hash_partition({root}::pg_catalog.regclass::pg_catalog.oid, {}, {}, {value})",
        leaf.modulus, leaf.remainder
    )
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

/// One index of one relation; a root takes the leaves' as its own afterwards, see [`attach_indexes`].
pub(crate) fn create_index(relation: &str, is_root: bool, index: &Index) -> String {
    format!(
        "CREATE {}INDEX {} ON {}{relation} {}",
        if index.unique { "UNIQUE " } else { "" },
        identifier(&index.name),
        if is_root { "ONLY " } else { "" },
        index.definition
    )
}

/// The keys and indexes of everything that is partitioned, made of those of what is below it.
pub(crate) fn attach_indexes(job: &Job) -> Vec<String> {
    let (table, definition, leaves) = (&job.table, &job.definition, job.new_leaves());
    let mut statements = Vec::new();
    for leaf in leaves.iter().filter(|leaf| leaf.paths > 1) {
        statements.extend(indexes_from_below(&leaf.schema(), &leaf.storage(), table, definition));
    }
    // Where only leaves are exchanged, the shadow's root holds them together for the copy and goes.
    if job.exchanged().is_some() {
        return statements;
    }
    if !leaves.is_empty() {
        let below: Vec<String> = leaves.iter().map(|leaf| leaf.schema()).collect();
        statements.extend(indexes_from_below(NEW, &below, table, definition));
    }
    for index in &definition.indexes {
        if let Some(comment) = &index.comment {
            statements.push(format!("COMMENT ON INDEX {} IS {}", qualified(NEW, &index.name), literal(comment)));
        }
    }
    statements
}

fn indexes_from_below(schema: &str, below: &[String], table: &str, definition: &Definition) -> Vec<String> {
    let root = qualified(schema, table);
    let mut statements: Vec<String> = definition.keys().map(|key| add_constraint(&root, key)).collect();
    for index in definition.secondary_indexes() {
        statements.push(create_index(&root, true, index));
        statements.extend(below.iter().map(|below| {
            format!("ALTER INDEX {} ATTACH PARTITION {}", qualified(schema, &index.name), qualified(below, &index.name))
        }));
    }
    statements
}

/// The heart of the swap. The lock is held, and the log is empty.
pub(crate) fn swap(job: &Job) -> Vec<String> {
    let mut statements = capture::drop_capture(&job.table, &job.old_trees());
    match (job.exchanged(), &job.target) {
        (Some((old, new)), _) => statements.extend(swap_leaves(job, &old, &new)),
        _ => statements.extend(swap_tables(job)),
    }
    statements.extend(capture::triggers(&job.table, &job.definition, &job.new_trees()));
    statements.extend(capture::refuse_older_snapshots(&job.table));
    statements
}

fn swap_leaves(job: &Job, old: &[Leaf], new: &[Leaf]) -> Vec<String> {
    let (public, shadow) = (qualified("public", &job.table), qualified(NEW, &job.table));
    let mut statements = Vec::new();
    for leaf in old {
        statements.push(format!("ALTER TABLE {public} DETACH PARTITION {}", qualified(&leaf.schema(), &job.table)));
    }
    for leaf in new {
        let name = qualified(&leaf.schema(), &job.table);
        statements.push(format!("ALTER TABLE {shadow} DETACH PARTITION {name}"));
        statements.push(format!("ALTER TABLE {public} ATTACH PARTITION {name} {}", leaf.bound()));
        statements.push(format!("ALTER TABLE {name} DROP CONSTRAINT {FITS}"));
    }
    statements.push(format!("DROP TABLE {shadow}"));
    statements
}

fn swap_tables(job: &Job) -> Vec<String> {
    let definition = &job.definition;
    let (public, new) = (qualified("public", &job.table), qualified(NEW, &job.table));
    let mut statements = vec![format!("CREATE SCHEMA IF NOT EXISTS {OLD}")];
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
    statements.extend(definition.triggers.iter().flat_map(|trigger| capture::user_trigger(&public, trigger)));
    statements
}

/// Drops the old form, after a job's end.
pub(crate) fn clean(job: &Job) -> Vec<String> {
    let old = match job.exchanged() {
        Some((old, _)) => old.iter().map(|leaf| qualified(&leaf.schema(), &job.table)).collect(),
        None => vec![qualified(OLD, &job.table)],
    };
    let mut statements: Vec<String> = old.iter().map(|name| format!("DROP TABLE IF EXISTS {name}")).collect();
    statements.extend(capture::drop_log(&job.table));
    statements.push(drop_empty_schemas());
    statements
}

/// Drops the new form, before the swap: the table is as it was.
pub(crate) fn abandon(job: &Job) -> Vec<String> {
    let mut statements = capture::drop_capture(&job.table, &job.old_trees());
    statements.push(format!("DROP TABLE IF EXISTS {}", qualified(NEW, &job.table)));
    statements.extend(capture::drop_log(&job.table));
    statements.push(drop_empty_schemas());
    statements
}

/// Drops the schemas of the engine that nothing lives in any more.
fn drop_empty_schemas() -> String {
    format!(
        r"DO $do$
        DECLARE schema name;
        BEGIN
            FOR schema IN SELECT n.nspname FROM pg_catalog.pg_namespace n
                          WHERE (n.nspname ~ '^leaf_[0-9]+_[0-9]+(_paths_[0-9]+(_[0-9]+)?)?$' OR n.nspname IN ('{NEW}', '{OLD}'))
                            AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_class c WHERE c.relnamespace = n.oid)
            LOOP
                EXECUTE pg_catalog.format('DROP SCHEMA %I', schema);
            END LOOP;
        END $do$"
    )
}

#[cfg(test)]
mod tests {
    use super::super::job::tests::job;
    use super::*;

    fn even(count: u32) -> Shape {
        Shape::even("repo_name", "path", count)
    }

    #[test]
    fn rows_are_copied_into_leaves_without_keys() {
        let statements = shadow(&job(Shape::Plain, even(2)));
        assert!(!statements.iter().any(|statement| statement.contains("PRIMARY KEY")));
        assert!(statements[2].ends_with(r#"PARTITION BY HASH ("repo_name")"#), "{}", statements[2]);
        assert_eq!(
            attach_indexes(&job(Shape::Plain, even(2))),
            [r#"ALTER TABLE "db_service_new"."t" ADD CONSTRAINT "t_pkey" PRIMARY KEY (repo_name, path)"#]
        );
    }

    #[test]
    fn a_plain_table_has_no_leaves() {
        let job = job(even(2), Shape::Plain);
        assert!(!shadow(&job).iter().any(|statement| statement.contains("PARTITION")));
        assert_eq!(attach_indexes(&job), Vec::<String>::new());
    }

    #[test]
    fn a_split_touches_one_leaf_only() {
        let leaf = Leaf::new(2, 1);
        let job = job(even(2), even(2).with(&[leaf], &leaf.split(2)));
        let statements = swap(&job);
        let of = |word: &str| statements.iter().filter(|statement| statement.contains(word)).count();
        assert_eq!((of("DETACH PARTITION"), of("ATTACH PARTITION \"leaf_4")), (3, 2));
        assert!(!statements.iter().any(|statement| statement.contains("leaf_2_0")), "{statements:#?}");
        assert_eq!(clean(&job)[0], r#"DROP TABLE IF EXISTS "leaf_2_1"."t""#);
    }
}
