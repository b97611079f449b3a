//! What is there, what is wanted, and the statements in between.

use database::statement::LockMode::{AccessExclusive, ShareRowExclusive, ShareUpdateExclusive};
use database::transaction::{self, End};
use database::{Relation, Statement};
use sqlx::{AssertSqlSafe, PgConnection};

use super::index::{Build, Index};
use crate::error::Error;
use crate::layout::Layout;

/// One table of the tree, with its index of that name.
#[derive(Debug)]
struct Node {
    schema: String,
    is_leaf: bool,
    parent: Option<String>,
    definition: Option<String>,
    is_unique: Option<bool>,
    is_valid: Option<bool>,
    is_attached: bool,
}

/// Compares what is there with what is wanted. Writes nothing that lasts.
///
/// # Errors
/// [`Error::IndexDiffers`] if there is one of that name that is another; [`Error::TableBusy`] while the table's layout is
/// being changed; else what the server said, of a column that does not exist, for instance.
pub async fn plan(connection: &mut PgConnection, index: &Index, database: &str) -> Result<Vec<Statement>, Error> {
    let name = index.name();
    let failed = Error::during(&format!("plan index `{name}`"), database);
    let busy = "SELECT to_regclass('db_service.relayout_job') IS NOT NULL";
    if sqlx::query_scalar(busy).fetch_one(&mut *connection).await.map_err(&failed)? {
        let layout = Layout::read(connection, &index.table).await.map_err(&failed)?;
        if layout.is_some_and(|layout| layout.phase.is_some()) {
            return Err(Error::TableBusy { table: index.table.clone(), database: database.to_owned() });
        }
    }
    let wanted = canonical(connection, index).await.map_err(&failed)?;
    let root = Relation::public(&index.table).to_string();
    let tree = sqlx::query_file_as!(Node, "queries/index_tree.sql", root, name)
        .fetch_all(connection)
        .await
        .map_err(&failed)?;
    for node in &tree {
        let other = node.definition.as_ref().is_some_and(|definition| *definition != wanted)
            || node.is_unique.is_some_and(|unique| unique != index.unique);
        if other {
            let name = format!("{}.{name}", node.schema);
            let kind = |unique| if unique { "UNIQUE " } else { "" };
            let definition = node.definition.as_deref().unwrap_or_default();
            let found = format!("{}{definition}", kind(node.is_unique == Some(true)));
            let wanted = format!("{}{wanted}", kind(index.unique));
            return Err(Error::IndexDiffers { name, database: database.to_owned(), found, wanted });
        }
    }
    Ok(statements(index, &tree))
}

fn statements(index: &Index, tree: &[Node]) -> Vec<Statement> {
    let name = index.name();
    let table_of = |node: &Node| Relation::new(&node.schema, &index.table);
    let mut statements = Vec::new();
    for node in tree.iter().filter(|node| !node.is_leaf && node.definition.is_none()) {
        let table = table_of(node);
        let sql = index.create(Build::RootAlone, &table.to_string());
        let why = "the index of the table, not valid yet";
        statements.push(Statement::new(why, sql).locking(ShareRowExclusive, &table));
    }
    for node in tree.iter().filter(|node| node.is_leaf && node.is_valid != Some(true)) {
        let table = table_of(node);
        if node.definition.is_some() {
            let sql = format!("DROP INDEX CONCURRENTLY {}", table.sibling(&name));
            let why = "it was cut off before it was whole";
            statements.push(Statement::new(why, sql).locking(ShareUpdateExclusive, &table).patient());
        }
        let sql = index.create(Build::Concurrently, &table.to_string());
        statements.push(Statement::new("beside the writers", sql).locking(ShareUpdateExclusive, &table).patient());
    }
    // The lowest first: an index is attached when it is whole.
    for node in tree.iter().rev().filter(|node| !node.is_attached) {
        if let Some(parent) = &node.parent {
            let (above, below) = (Relation::new(parent, &name), Relation::new(&node.schema, &name));
            let sql = format!("ALTER INDEX {above} ATTACH PARTITION {below}");
            let why = "with the last one the table's becomes valid";
            statements.push(Statement::new(why, sql).locking(AccessExclusive, &below));
        }
    }
    statements
}

/// The definition as the catalog would have it: made on an empty table, and gone again.
async fn canonical(connection: &mut PgConnection, index: &Index) -> Result<String, sqlx::Error> {
    let probe = "pg_temp.singularity_index_probe";
    let statements = format!(
        "CREATE TEMPORARY TABLE singularity_index_probe (LIKE {}); {}",
        Relation::public(&index.table),
        index.create(Build::AtOnce, probe)
    );
    transaction::run(connection, transaction::CHANGE, async |connection| {
        sqlx::raw_sql(AssertSqlSafe(statements)).execute(&mut *connection).await?;
        let definition = sqlx::query_scalar(
            "SELECT substr(pg_get_indexdef(indexrelid), strpos(pg_get_indexdef(indexrelid), ' USING ') + 1)
             FROM pg_index WHERE indrelid = 'pg_temp.singularity_index_probe'::regclass",
        );
        definition.fetch_one(connection).await.map(End::Rollback)
    })
    .await
}

#[cfg(test)]
mod tests {
    use super::super::index::tests::index;
    use super::*;

    fn texts(index: &Index, tree: &[Node]) -> Vec<String> {
        statements(index, tree).into_iter().map(|statement| statement.sql).collect()
    }

    fn node(schema: &str, parent: Option<&str>, is_leaf: bool) -> Node {
        Node {
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
    fn a_plain_table_takes_one_statement() {
        let statements = texts(&index(), &[node("public", None, true)]);
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
        let broken = Node {
            definition: Some("USING …".into()),
            is_valid: Some(false),
            ..node("leaf_2_0", Some("public"), true)
        };
        let whole = Node { is_valid: Some(true), is_attached: true, ..broken_like("leaf_2_1") };
        let root = Node { definition: Some("USING …".into()), ..node("public", None, false) };
        let statements = texts(&index, &[root, broken, whole]);
        assert_eq!(statements.len(), 3, "{statements:#?}");
        assert_eq!(statements[0], r#"DROP INDEX CONCURRENTLY "leaf_2_0"."i""#);
        assert!(statements[1].starts_with(r#"CREATE INDEX CONCURRENTLY "i" ON "leaf_2_0"."t""#));
        assert_eq!(statements[2], r#"ALTER INDEX "public"."i" ATTACH PARTITION "leaf_2_0"."i""#);
    }

    fn broken_like(schema: &str) -> Node {
        Node { definition: Some("USING …".into()), ..node(schema, Some("public"), true) }
    }
}
