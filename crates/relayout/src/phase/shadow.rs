//! The empty new form, without keys and indexes: these are built when the rows are there.

use database::quote::{identifier, literal};
use database::statement::LockMode::AccessShare;
use database::{Relation, Statement};

use super::schemas;
use crate::job::{Job, NEW};
use crate::layout::{Leaf, Part, Shape, Week};
use crate::table::privileges::{self, Privileges};

/// Holds while a leaf is not attached yet, see [`fits`].
pub(super) const FITS: &str = "singularity_relayout_fits";

const WHY: &str = "the new form, empty";

pub(crate) fn statements(job: &Job) -> Vec<Statement> {
    let (definition, root) = (&job.definition, job.shadow());
    let run = |sql: String| Statement::new(WHY, sql);
    let owner = identifier(&definition.owner);
    // Only a job that somebody has deleted from the journal can have left one.
    let mut statements = vec![
        schemas::create(NEW, &definition.owner),
        run(format!("DROP TABLE IF EXISTS {root} CASCADE")),
        create_root(job),
    ];
    for check in definition.checks() {
        let name = identifier(&check.name);
        statements.push(run(format!("ALTER TABLE {root} ADD CONSTRAINT {name} {}", check.definition)));
    }
    for leaf in job.new_leaves() {
        statements.extend(create_leaf(leaf, job));
        let name = leaf.of(&job.table);
        statements.push(run(format!("ALTER TABLE {name} OWNER TO {owner}")));
        if job.exchanged().is_some() {
            let check = fits(job, leaf);
            statements.push(run(format!("ALTER TABLE {name} ADD CONSTRAINT {FITS} CHECK ({check})")));
        }
    }
    statements.push(run(format!("ALTER TABLE {root} OWNER TO {owner}")));
    statements.extend(column_settings(job));
    if let Some(comment) = &definition.comment {
        statements.push(run(format!("COMMENT ON TABLE {root} IS {}", literal(comment))));
    }
    statements.extend(privileges::grants(&root, Privileges::of_table(definition)));
    statements
}

/// What is set on columns, of the root and of all that is below it: of the latter statistics are kept, too.
fn column_settings(job: &Job) -> Vec<Statement> {
    let (definition, root) = (&job.definition, job.shadow());
    let run = |sql: String| Statement::new(WHY, sql);
    let mut statements = Vec::new();
    let below = job.targets().into_iter().filter(|relation| *relation != root);
    for relation in std::iter::once(root.clone()).chain(below) {
        for column in &definition.columns {
            let name = identifier(&column.name);
            if let Some(target) = column.statistics {
                statements.push(run(format!("ALTER TABLE ONLY {relation} ALTER {name} SET STATISTICS {target}")));
            }
            if !column.options.is_empty() {
                let options = column.options.join(", ");
                statements.push(run(format!("ALTER TABLE ONLY {relation} ALTER {name} SET ({options})")));
            }
        }
        if relation != root {
            statements.extend(definition.inline_columns().map(|column| {
                let name = identifier(&column.name);
                run(format!("ALTER TABLE {relation} ALTER {name} SET STORAGE PLAIN"))
            }));
        }
    }
    statements
}

fn create_root(job: &Job) -> Statement {
    // Checks are made one by one: not all of them may hold for the rows that are copied.
    let like = "INCLUDING DEFAULTS INCLUDING GENERATED INCLUDING STORAGE INCLUDING COMPRESSION INCLUDING COMMENTS";
    let partition = match &job.target {
        Shape::Plain => String::new(),
        Shape::Hash { key, .. } => format!(" PARTITION BY HASH ({})", identifier(key)),
        Shape::Weeks { key, .. } => format!(" PARTITION BY RANGE ({})", identifier(key)),
    };
    let tablespace = job.definition.tablespace.as_ref();
    let tablespace = tablespace.map(|name| format!(" TABLESPACE {}", identifier(name))).unwrap_or_default();
    let (root, public) = (job.shadow(), job.public());
    let sql = format!("CREATE TABLE {root} (LIKE {public} {like}){partition}{tablespace}");
    Statement::new(WHY, sql).locking(AccessShare, &public)
}

/// A leaf below the shadow, and its parts below it.
fn create_leaf(leaf: Part, job: &Job) -> Vec<Statement> {
    let (table, name, owner) = (&job.table, leaf.of(&job.table), &job.definition.owner);
    let why = "a leaf of the new form";
    let run = |sql: String| Statement::new(why, sql);
    let below = format!("PARTITION OF {} {}", job.shadow(), leaf.bound());
    let mut statements = vec![schemas::create(&leaf.schema(), owner)];
    let (Part::Share(Leaf { paths: 2.., .. }), Shape::Hash { path_key, .. }) = (leaf, &job.target) else {
        statements.push(run(format!("CREATE TABLE {name} {below}")));
        return statements;
    };
    statements.push(run(format!("CREATE TABLE {name} {below} PARTITION BY HASH ({})", identifier(path_key))));
    for (part, schema) in leaf.storage().into_iter().enumerate() {
        let bound = Leaf::new(leaf.paths(), u32::try_from(part).unwrap_or(u32::MAX)).bound();
        statements.push(schemas::create(&schema, owner));
        let part = Relation::new(schema, table);
        statements.push(run(format!("CREATE TABLE {part} PARTITION OF {name} {bound}")));
        statements.push(run(format!("ALTER TABLE {part} OWNER TO {}", identifier(owner))));
    }
    statements
}

/// What lets `ATTACH PARTITION` believe that the rows belong here, instead of reading them all under its lock.
///
/// It believes a `CHECK` that equals the partition's own condition after simplification.
fn fits(job: &Job, leaf: Part) -> String {
    match (leaf, &job.target) {
        (Part::Share(leaf), Shape::Hash { key, .. }) => is_of_share(job, leaf, key),
        (Part::Week(week), Shape::Weeks { key, .. }) => is_of_week(job, week, key),
        (Part::Rest(_), Shape::Weeks { key, weeks, .. }) => {
            let of_weeks: Vec<String> = weeks.iter().map(|week| format!("({})", is_of_week(job, *week, key))).collect();
            format!("NOT ({} IS NOT NULL AND ({}))", identifier(key), of_weeks.join(" OR "))
        }
        // No shape has leaves of another kind.
        _ => "true".to_owned(),
    }
}

fn is_of_week(job: &Job, week: Week, key: &str) -> String {
    let kind = job.definition.column(key).map(|column| column.data_type.as_str()).unwrap_or_default();
    let moment = |week: Week| format!("CAST({} AS {kind})", week.since());
    let key = identifier(key);
    format!("{key} >= {} AND {key} < {}", moment(week), moment(week.later(1)))
}

/// The condition of a hash partition calls `satisfies_hash_partition` with no collation (`get_qual_for_hash` in
/// `src/backend/partitioning/partbounds.c`), and no plain call with a text can be written so: it takes the column's. But where
/// branches of a `CASE` disagree about the collation there is none; and the branches that are never taken are gone after
/// simplification.
fn is_of_share(job: &Job, leaf: Leaf, key: &str) -> String {
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
    let root = literal(&job.public().to_string());
    format!(
        "pg_catalog.satisfies_hash_partition({root}::pg_catalog.regclass::pg_catalog.oid, {}, {}, {value})",
        leaf.modulus, leaf.remainder
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::job::example::job;

    fn even(count: u32) -> Shape {
        Shape::even("repo_name", "path", count)
    }

    #[test]
    fn rows_are_copied_into_leaves_without_keys() {
        let statements = statements(&job(Shape::Plain, even(2)));
        assert!(!statements.iter().any(|statement| statement.sql.contains("PRIMARY KEY")));
        assert!(statements[2].sql.ends_with(r#"PARTITION BY HASH ("repo_name")"#), "{}", statements[2].sql);
    }

    #[test]
    fn a_plain_table_has_no_leaves() {
        let job = job(even(2), Shape::Plain);
        assert!(!statements(&job).iter().any(|statement| statement.sql.contains("PARTITION")));
    }
}
