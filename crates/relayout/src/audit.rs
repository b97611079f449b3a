//! Is everything in its place? What `migrations verify` checks. Reads only.

use ledger::catalog;
use ledger::gate::Violation;
use sqlx::PgConnection;
use terminal::Finding;

use crate::comparison;
use crate::error::Error;
use crate::job::{Job, Phase};
use crate::kept::Kept;
use crate::layout::{Layout, SCHEMAS};

/// Something that was looked at and found right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sound {
    /// The kind of object.
    pub object: &'static str,
    /// Its name.
    pub name: String,
    /// How it was found.
    pub detail: String,
}

/// Checks layouts, triggers, indexes and leftovers, and compares the rows of a table whose old form is still there. `others` is
/// what somebody else has checked, for the same list.
///
/// # Errors
/// [`Error::Damaged`] with everything that was found.
pub async fn audit(
    connection: &mut PgConnection,
    layouts: &[Layout],
    kept: &[Kept],
    others: Vec<Result<Sound, Finding>>,
    database: &str,
) -> Result<Vec<Sound>, Error> {
    let failed = Error::during("check the layouts", database);
    let (mut sound, mut findings) = (Vec::new(), Vec::new());
    let mut good = |object, name: &str, detail: &str| {
        sound.push(Sound { object, name: name.to_owned(), detail: detail.to_owned() });
    };
    for layout in layouts {
        let place = format!("table `{}`", layout.table);
        if layout.is_reached() {
            good("layout", &layout.table, &layout.actual.to_string());
        }
        findings.extend(layout.damage.iter().cloned().map(|finding| finding.at(&place)));
        match differences(connection, &layout.table, database).await? {
            Some(0) => good("rows", &layout.table, "old and new layout hold the same"),
            Some(rows) => {
                let message = format!("{rows} rows differ between its old and its new layout");
                findings.push(Finding::new("rows-differ", message).at(&place));
            }
            None => {}
        }
    }
    for kept in kept.iter().filter(|kept| kept.is_declared()) {
        let found = kept.findings();
        if found.is_empty() {
            good("triggers", &kept.table, &kept.summary());
        }
        let place = format!("table `{}`", kept.table);
        findings.extend(found.into_iter().map(|finding| finding.at(&place)));
    }
    for other in others {
        match other {
            Ok(Sound { object, name, detail }) => good(object, &name, &detail),
            Err(finding) => findings.push(finding),
        }
    }
    let indexes = catalog::invalid_indexes(connection).await.map_err(&failed)?;
    if indexes.is_empty() {
        good("indexes", "all", "all are valid");
    }
    findings.extend(indexes.into_iter().map(|index| Violation::InvalidIndex(index).into()));
    let leftovers =
        sqlx::query_file_scalar!("queries/leftovers.sql", SCHEMAS).fetch_all(connection).await.map_err(&failed)?;
    if leftovers.is_empty() {
        good("leftovers", "none", "none of finished work");
    }
    findings.extend(
        leftovers.iter().map(|object| Finding::new("leftover", format!("{object} belongs to no job and no layout"))),
    );
    if findings.is_empty() { Ok(sound) } else { Err(Error::Damaged { database: database.to_owned(), findings }) }
}

/// Rows that differ between the old and the new form of a table; none if there are not both.
async fn differences(connection: &mut PgConnection, table: &str, database: &str) -> Result<Option<i64>, Error> {
    let failed = Error::during("read the journal", database);
    let job = Job::unfinished(connection, table).await.map_err(failed)?;
    let Some(job) = job.filter(|job| job.phase == Phase::Swapped) else { return Ok(None) };
    let failed = Error::during(&format!("compare the rows of table `{table}`"), database);
    comparison::differences_read(connection, &job).await.map(Some).map_err(failed)
}
