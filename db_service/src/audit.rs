//! Is everything in its place? What `migrations verify` checks. Reads only.

use sqlx::PgConnection;

use crate::relayout::{self, Layout};
use crate::step::{Status, Step};
use crate::{DatabaseUrl, Error};

/// Checks layouts, indexes and leftovers, and compares the rows of a table whose old form is still there.
///
/// # Errors
/// [`Error::Damaged`] with everything that was found.
pub async fn audit(url: &DatabaseUrl, connection: &mut PgConnection, layouts: &[Layout]) -> Result<Vec<Step>, Error> {
    let database = url.database().unwrap_or_default();
    let failed = || Error::sql("check the layouts", database);
    let good = |object, name: &str, detail: String| {
        Step::new(database, "sqlx", object, name, Status::Unchanged).detail(detail)
    };
    let (mut steps, mut findings) = (Vec::new(), Vec::new());
    for layout in layouts {
        let of_table = |what: &String| format!("table `{}`: {what}", layout.table);
        if layout.damage.is_empty() {
            steps.push(good("layout", &layout.table, layout.actual.to_string()));
        }
        findings.extend(layout.damage.iter().map(of_table));
        match relayout::differences(url, connection, &layout.table).await? {
            Some(0) => steps.push(good("rows", &layout.table, "old and new layout hold the same".to_owned())),
            Some(rows) => findings.push(of_table(&format!("{rows} rows differ between its old and its new layout"))),
            None => {}
        }
    }
    let indexes =
        sqlx::query_file_scalar!("queries/invalid_indexes.sql").fetch_all(&mut *connection).await.map_err(failed())?;
    if indexes.is_empty() {
        steps.push(good("indexes", "all", "valid".to_owned()));
    }
    findings.extend(indexes.iter().map(|index| format!("index `{index}` is invalid")));
    let leftovers = sqlx::query_file_scalar!("queries/leftovers.sql").fetch_all(connection).await.map_err(failed())?;
    if leftovers.is_empty() {
        steps.push(good("leftovers", "none", "nothing stays of finished work".to_owned()));
    }
    findings.extend(leftovers.iter().map(|object| format!("{object} belongs to no job and no layout")));
    if findings.is_empty() { Ok(steps) } else { Err(Error::Damaged { database: database.to_owned(), findings }) }
}
