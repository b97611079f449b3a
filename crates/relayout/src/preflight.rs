//! What stands against changing a table's storage, all of it at once, before anything is touched.

use sqlx::PgConnection;
use terminal::Finding;

use crate::layout::{Estimate, Layout};
use crate::table::definition::Definition;
use crate::table::dependents;
use crate::table::obstacle::{self, ServerFacts};

/// Reads the table and asks every obstacle. Writes nothing.
///
/// # Errors
/// When a query fails.
pub async fn obstacles(
    connection: &mut PgConnection,
    layout: &Layout,
    free_disk: Option<u64>,
) -> Result<Vec<Finding>, sqlx::Error> {
    let public = layout.public();
    let Some(definition) = Definition::read(connection, &public).await? else {
        return Ok(vec![Finding::new("table-missing", "it does not exist")]);
    };
    let target = layout.actual.step_towards(&layout.desired);
    let mut findings = layout.damage.clone();
    findings.extend(obstacle::of_table(&definition, &target.keys()));
    let server = ServerFacts::read(connection, &public).await?;
    findings.extend(obstacle::of_dependents(&dependents::read(connection, &public).await?, &server.role));
    for leaf in layout.actual.leaves().iter().filter(|leaf| !target.leaves().contains(leaf)) {
        let table = &layout.table;
        for relation in std::iter::once(leaf.of(table)).chain(leaf.storage_of(table)) {
            let dependents = dependents::read(connection, &relation).await?;
            findings.extend(obstacle::of_leaf(&relation.to_string(), &dependents));
        }
    }
    findings.extend(obstacle::of_disk(Estimate::of(connection, &layout.sources()).await?.bytes, free_disk));
    findings.extend(obstacle::of_server(&server, &definition, &target));
    Ok(findings)
}
