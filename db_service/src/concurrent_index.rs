//! Building an index beside the writers, on a plain table or on a partitioned one.
//!
//! PostgreSQL refuses `CREATE INDEX CONCURRENTLY` on a partitioned table. So the index is made on the root alone, where it
//! is not valid yet, then concurrently on each leaf, and attached; with the last one the root's becomes valid. Each leaf's
//! has the root's name, in the leaf's schema, so that an error names what Ecto knows. Whatever was cut off is found in the
//! catalog by the next run.

use std::time::Duration;

use sqlx::{AssertSqlSafe, Connection as _, PgConnection};
use tokio::time::sleep;

use crate::quote::identifier;
use crate::relayout::Layout;
use crate::step::{Status, Step};
use crate::{Error, connection};

/// Bytes of an identifier that PostgreSQL keeps, `NAMEDATALEN - 1`.
const LONGEST_NAME: usize = 63;

/// What is wanted, in the terms of Ecto's `index/3`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Index {
    /// The table, in `public`.
    pub table: String,
    /// Its name; Ecto's by default.
    pub name: Option<String>,
    /// Columns as SQL has them between the parentheses: `language`, `embedding vector_cosine_ops`.
    pub columns: Vec<String>,
    /// Access method.
    pub using: String,
    /// No two rows alike.
    pub unique: bool,
    /// Columns that are only stored.
    pub include: Vec<String>,
    /// Storage parameters: `m = 16, ef_construction = 64`.
    pub with: Option<String>,
    /// Only rows for which this holds.
    pub filter: Option<String>,
}

impl Index {
    /// The name given, or the one that Ecto gives: table, columns and `index`, each with `_` for what is not a letter,
    /// digit or `_` of ASCII, and none at its end (`Ecto.Migration`, `default_index_name/1`); cut where PostgreSQL cuts it.
    #[must_use]
    pub fn name(&self) -> String {
        let word = |text: &str| {
            let plain = |character: char| character.is_ascii_alphanumeric() || character == '_';
            let text: String = text.chars().map(|character| if plain(character) { character } else { '_' }).collect();
            text.trim_end_matches('_').to_owned()
        };
        let by_default = || {
            let words = std::iter::once(self.table.as_str()).chain(self.columns.iter().map(String::as_str));
            words.chain(["index"]).map(word).collect::<Vec<_>>().join("_")
        };
        let mut name = self.name.clone().unwrap_or_else(by_default);
        name.truncate(name.floor_char_boundary(LONGEST_NAME));
        name
    }

    /// From `USING` on.
    fn definition(&self) -> String {
        let mut text = format!("USING {} ({})", identifier(&self.using), self.columns.join(", "));
        if !self.include.is_empty() {
            text += " INCLUDE (";
            text += &self.include.join(", ");
            text += ")";
        }
        if let Some(with) = &self.with {
            text += " WITH (";
            text += with;
            text += ")";
        }
        if let Some(filter) = &self.filter {
            text += " WHERE ";
            text += filter;
        }
        text
    }

    fn create(&self, how: &str, relation: &str) -> String {
        let unique = if self.unique { "UNIQUE " } else { "" };
        let (kind, only) = match how {
            "ONLY" => ("", "ONLY "),
            how => (how, ""),
        };
        format!("CREATE {unique}INDEX {kind} {} ON {only}{relation} {}", identifier(&self.name()), self.definition())
    }
}

/// One table of the tree, with its index of that name.
#[derive(Debug)]
struct Relation {
    schema: String,
    is_leaf: bool,
    parent: Option<String>,
    definition: Option<String>,
    is_unique: Option<bool>,
    is_valid: Option<bool>,
    is_attached: bool,
}

/// What is to be done, in order.
#[derive(Debug, Default)]
pub struct Plan {
    /// Builds and drops, each by itself, outside transactions.
    statements: Vec<String>,
}

impl Plan {
    /// Whether there is nothing to do.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.statements.is_empty()
    }

    /// The statements.
    #[must_use]
    pub fn statements(&self) -> &[String] {
        &self.statements
    }
}

/// Compares what is there with what is wanted. Writes nothing that lasts.
///
/// # Errors
/// [`Error::IndexDiffers`] if there is one of that name that is another; [`Error::TableBusy`] while the table's layout is
/// being changed; else what the server said, of a column that does not exist, for instance.
pub async fn plan(connection: &mut PgConnection, index: &Index, database: &str) -> Result<Plan, Error> {
    let name = index.name();
    let failed = || Error::sql(&format!("plan index `{name}`"), database);
    let busy = "SELECT to_regclass('db_service.relayout_job') IS NOT NULL";
    if sqlx::query_scalar(busy).fetch_one(&mut *connection).await.map_err(failed())? {
        let layout = Layout::read(connection, &index.table).await.map_err(failed())?;
        if layout.is_some_and(|layout| layout.phase.is_some()) {
            return Err(Error::TableBusy { table: index.table.clone(), database: database.to_owned() });
        }
    }
    let wanted = canonical(connection, index).await.map_err(failed())?;
    let root = format!("public.{}", identifier(&index.table));
    let tree = sqlx::query_file_as!(Relation, "queries/index_tree.sql", root, name)
        .fetch_all(connection)
        .await
        .map_err(failed())?;
    for relation in &tree {
        let other = relation.definition.as_ref().is_some_and(|definition| *definition != wanted)
            || relation.is_unique.is_some_and(|unique| unique != index.unique);
        if other {
            let name = format!("{}.{name}", relation.schema);
            let kind = |unique| if unique { "UNIQUE " } else { "" };
            let definition = relation.definition.as_deref().unwrap_or_default();
            let found = format!("{}{definition}", kind(relation.is_unique == Some(true)));
            let wanted = format!("{}{wanted}", kind(index.unique));
            return Err(Error::IndexDiffers { name, database: database.to_owned(), found, wanted });
        }
    }
    Ok(Plan { statements: statements(index, &tree) })
}

/// Carries a plan out. The caller holds the [`DatabaseLock`](crate::lock::DatabaseLock).
///
/// # Errors
/// What the server said; the next run goes on.
pub async fn apply(
    connection: &mut PgConnection,
    plan: &Plan,
    index: &Index,
    database: &str,
    progress: impl Fn(&str),
) -> Result<(), Error> {
    let failed = || Error::sql(&format!("build index `{}`", index.name()), database);
    for (number, statement) in plan.statements.iter().enumerate() {
        progress(&format!("Building index `{}`: {number} of {} statements", index.name(), plan.statements.len()));
        execute(connection, statement).await.map_err(failed())?;
    }
    Ok(())
}

/// The step to report.
#[must_use]
pub fn step(database: &str, index: &Index, status: Status) -> Step {
    Step::new(database, "sqlx", "index", index.name(), status).detail(format!("of `{}`", index.table))
}

fn statements(index: &Index, tree: &[Relation]) -> Vec<String> {
    let (name, table) = (identifier(&index.name()), identifier(&index.table));
    let qualified = |schema: &str, object: &str| format!("{}.{object}", identifier(schema));
    let mut statements = Vec::new();
    for relation in tree.iter().filter(|relation| !relation.is_leaf && relation.definition.is_none()) {
        statements.push(index.create("ONLY", &qualified(&relation.schema, &table)));
    }
    for relation in tree.iter().filter(|relation| relation.is_leaf && relation.is_valid != Some(true)) {
        if relation.definition.is_some() {
            statements.push(format!("DROP INDEX CONCURRENTLY {}", qualified(&relation.schema, &name)));
        }
        statements.push(index.create("CONCURRENTLY", &qualified(&relation.schema, &table)));
    }
    // The lowest first: an index is attached when it is whole.
    for relation in tree.iter().rev().filter(|relation| !relation.is_attached) {
        if let Some(parent) = &relation.parent {
            let (above, below) = (qualified(parent, &name), qualified(&relation.schema, &name));
            statements.push(format!("ALTER INDEX {above} ATTACH PARTITION {below}"));
        }
    }
    statements
}

/// The definition as the catalog would have it: made on an empty table, and gone again.
async fn canonical(connection: &mut PgConnection, index: &Index) -> Result<String, sqlx::Error> {
    let mut transaction = connection.begin().await?;
    let probe = "pg_temp.singularity_index_probe";
    let statements = format!(
        "CREATE TEMPORARY TABLE singularity_index_probe (LIKE public.{}); {}",
        identifier(&index.table),
        index.create("", probe)
    );
    sqlx::raw_sql(AssertSqlSafe(statements)).execute(&mut *transaction).await?;
    let definition = sqlx::query_scalar(
        "SELECT substr(pg_get_indexdef(indexrelid), strpos(pg_get_indexdef(indexrelid), ' USING ') + 1)
         FROM pg_index WHERE indrelid = 'pg_temp.singularity_index_probe'::regclass",
    )
    .fetch_one(&mut *transaction)
    .await?;
    transaction.rollback().await?;
    Ok(definition)
}

/// A concurrent build waits for whoever it must and stops nobody; anything else asks for its lock in short attempts.
async fn execute(connection: &mut PgConnection, statement: &str) -> Result<(), sqlx::Error> {
    let patient = statement.contains(" CONCURRENTLY ");
    let timeout = if patient { "0" } else { "200ms" };
    let mut attempts = 0;
    loop {
        let setting = format!("SET lock_timeout = '{timeout}'");
        sqlx::raw_sql(AssertSqlSafe(setting)).execute(&mut *connection).await?;
        match sqlx::raw_sql(AssertSqlSafe(statement.to_owned())).execute(&mut *connection).await {
            Err(error) if connection::sql_state(&error).as_deref() == Some("55P03") && attempts < 50 => {
                attempts += 1;
                sleep(Duration::from_millis(400)).await;
            }
            outcome => return outcome.map(drop),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn index() -> Index {
        Index {
            table: "t".into(),
            name: None,
            columns: vec!["repo_name".into(), "embedding public.vector_cosine_ops".into()],
            using: "hnsw".into(),
            unique: false,
            include: Vec::new(),
            with: Some("m = 16".into()),
            filter: None,
        }
    }

    fn relation(schema: &str, parent: Option<&str>, is_leaf: bool) -> Relation {
        Relation {
            schema: schema.into(),
            is_leaf,
            parent: parent.map(str::to_owned),
            definition: None,
            is_unique: None,
            is_valid: None,
            is_attached: false,
        }
    }

    #[test]
    fn a_name_is_the_one_that_ecto_gives() {
        let index = Index { columns: vec!["repo_name".into(), "size".into()], ..index() };
        assert_eq!(index.name(), "t_repo_name_size_index");
        let index = Index { columns: vec!["lower(file_path)".into(), "(a ->> 'b')".into()], ..index };
        assert_eq!(index.name(), "t_lower_file_path__a______b_index");
        let index = Index { name: Some("ä".repeat(40)), ..index };
        assert_eq!(index.name(), "ä".repeat(31));
    }

    #[test]
    fn a_plain_table_takes_one_statement() {
        let statements = statements(&index(), &[relation("public", None, true)]);
        assert_eq!(
            statements,
            [
                r#"CREATE INDEX CONCURRENTLY "t_repo_name_embedding_public_vector_cosine_ops_index" ON "public"."t" USING "hnsw" (repo_name, embedding public.vector_cosine_ops) WITH (m = 16)"#
            ]
        );
    }

    #[test]
    fn what_was_cut_off_is_dropped_and_built_again() {
        let index = Index { name: Some("i".into()), ..index() };
        let broken = Relation {
            definition: Some("USING …".into()),
            is_valid: Some(false),
            ..relation("leaf_2_0", Some("public"), true)
        };
        let whole = Relation { is_valid: Some(true), is_attached: true, ..broken_like("leaf_2_1") };
        let root = Relation { definition: Some("USING …".into()), ..relation("public", None, false) };
        let statements = statements(&index, &[root, broken, whole]);
        assert_eq!(statements.len(), 3, "{statements:#?}");
        assert_eq!(statements[0], r#"DROP INDEX CONCURRENTLY "leaf_2_0"."i""#);
        assert!(statements[1].starts_with(r#"CREATE INDEX CONCURRENTLY "i" ON "leaf_2_0"."t""#));
        assert_eq!(statements[2], r#"ALTER INDEX "public"."i" ATTACH PARTITION "leaf_2_0"."i""#);
    }

    fn broken_like(schema: &str) -> Relation {
        Relation { definition: Some("USING …".into()), ..relation(schema, Some("public"), true) }
    }
}
