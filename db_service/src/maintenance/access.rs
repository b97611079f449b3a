//! Whether a task has what it works on, and may work on it.

use sqlx::PgConnection;

use super::contract::State;

/// What a task works on.
pub(super) struct Needs<'a> {
    /// A function of the layer, in full with its types; none where it is tables alone.
    pub(super) function: Option<&'a str>,
    /// Tables, and what has to be allowed on each.
    pub(super) tables: &'a [(&'a str, &'a str)],
    /// What a role is told that may not: `may not fold them`.
    pub(super) otherwise: &'a str,
}

/// Why the task is left out; none where it need not be.
pub(super) async fn barred(connection: &mut PgConnection, needs: &Needs<'_>) -> Result<Option<State>, sqlx::Error> {
    // What is in a schema that this role may not use cannot even be asked for.
    let layer = sqlx::query!(
        r#"SELECT to_regnamespace('db_service') IS NOT NULL AS "is_there!",
                  has_schema_privilege(to_regnamespace('db_service'), 'USAGE') AS may"#
    );
    let layer = layer.fetch_one(&mut *connection).await?;
    if needs.is_of_layer() && layer.is_there && layer.may != Some(true) {
        return Ok(Some(State::not_allowed(needs.otherwise)));
    }
    let (tables, privileges): (Vec<String>, Vec<String>) =
        needs.tables.iter().map(|(table, privileges)| ((*table).to_owned(), (*privileges).to_owned())).unzip();
    let found = sqlx::query_file!("queries/access.sql", needs.function, &tables, &privileges);
    let found = found.fetch_one(connection).await?;
    Ok(match (found.missing, found.may) {
        (Some(_), _) if needs.is_of_layer() => Some(State::not_declared()),
        (Some(missing), _) => Some(State::LeftOut {
            why: format!("there is no table `{missing}`"),
            remedy: "run Ecto's migrations, then this again".into(),
        }),
        (None, Some(true)) => None,
        (None, _) => Some(State::not_allowed(needs.otherwise)),
    })
}

impl Needs<'_> {
    fn is_of_layer(&self) -> bool {
        self.function.is_some() || self.tables.iter().any(|(table, _)| table.starts_with("db_service."))
    }
}
