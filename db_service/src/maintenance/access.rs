//! Whether a task has what it works on, and may work on it.

use sqlx::PgConnection;

use super::contract::{About, State};

/// Why the task is left out; none where it need not be.
pub(super) async fn barred(connection: &mut PgConnection, about: &About) -> Result<Option<State>, sqlx::Error> {
    // What is in a schema that this role may not use cannot even be asked for.
    let layer = sqlx::query!(
        r#"SELECT to_regnamespace('db_service') IS NOT NULL AS "is_there!",
                  has_schema_privilege(to_regnamespace('db_service'), 'USAGE') AS may"#
    );
    let layer = layer.fetch_one(&mut *connection).await?;
    if about.is_of_layer() && layer.is_there && layer.may != Some(true) {
        return Ok(Some(State::not_allowed(about.otherwise)));
    }
    let (tables, privileges): (Vec<String>, Vec<String>) =
        about.tables.iter().map(|(table, privileges)| ((*table).to_owned(), (*privileges).to_owned())).unzip();
    let found = sqlx::query_file!("queries/access.sql", about.function, &tables, &privileges);
    let found = found.fetch_one(connection).await?;
    Ok(match (found.missing, found.may) {
        (Some(_), _) if about.is_of_layer() => Some(State::not_declared()),
        (Some(missing), _) => Some(State::LeftOut {
            why: format!("there is no table `{missing}`"),
            remedy: "run Ecto's migrations, then this again".into(),
        }),
        (None, Some(true)) => None,
        (None, _) => Some(State::not_allowed(about.otherwise)),
    })
}

impl About {
    fn is_of_layer(&self) -> bool {
        self.function.is_some() || self.tables.iter().any(|(table, _)| table.starts_with("db_service."))
    }
}
