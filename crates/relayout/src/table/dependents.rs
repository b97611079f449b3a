//! What was made from a table and follows its OID rather than its name: views, functions with a body that was parsed.

use database::Relation;
use database::relation::NoRelation;
use sqlx::PgConnection;

/// One of them.
#[derive(Debug)]
pub(crate) struct Dependent {
    /// For people: ``view files``.
    pub(crate) object: String,
    /// If it is a view: which; its readers lock it before the table.
    pub(crate) view: Option<Relation>,
    /// Makes it anew under the same name; none if that cannot be.
    pub(crate) statement: Option<String>,
    /// Its owner, quoted, where the role that runs the job is no member of it.
    pub(crate) foreign_owner: Option<String>,
    /// Its schema, quoted, where that role may not create in it.
    pub(crate) closed_schema: Option<String>,
}

/// Reads them.
pub(crate) async fn read(connection: &mut PgConnection, relation: &Relation) -> Result<Vec<Dependent>, sqlx::Error> {
    let rows = sqlx::query_file!("queries/dependents.sql", relation.schema, relation.name);
    let rows = rows.fetch_all(connection).await?;
    rows.into_iter()
        .map(|row| {
            let view = row.view.map(|name| name.parse()).transpose();
            let view = view.map_err(|error: NoRelation| sqlx::Error::Decode(error.into()))?;
            let (foreign_owner, closed_schema) = (row.foreign_owner, row.closed_schema);
            Ok(Dependent { object: row.object, view, statement: row.statement, foreign_owner, closed_schema })
        })
        .collect()
}
