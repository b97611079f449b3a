//! What stands against changing a table's storage, all of it at once, before anything is touched.

use database::quote::identifier;
use sqlx::PgConnection;
use terminal::Finding;

use crate::layout::{Estimate, Layout, Shape};
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
    findings.extend(obstacle::of_table(&definition, &target));
    let server = ServerFacts::read(connection, &public).await?;
    findings.extend(of_dependents(connection, layout, &target, &server.role).await?);
    findings.extend(obstacle::of_disk(Estimate::of(connection, &layout.sources()).await?.bytes, free_disk));
    findings.extend(obstacle::of_server(&server, &definition, &target));
    Ok(findings)
}

/// What would stand against a table that is in its leaves, and what comes of that: a new clone of the schema would be
/// refused, and the next change of the layout. To whom the table does not belong, only what does not depend on the role.
/// Writes nothing.
///
/// # Errors
/// When a query fails.
pub async fn standing_obstacles(connection: &mut PgConnection, layout: &Layout) -> Result<Vec<Finding>, sqlx::Error> {
    let public = layout.public();
    let definition = match &layout.actual {
        Shape::Plain => None,
        Shape::Hash { .. } | Shape::Weeks { .. } => Definition::read(connection, &public).await?,
    };
    let Some(definition) = definition else { return Ok(Vec::new()) };
    let server = ServerFacts::read(connection, &public).await?;
    let mut findings = obstacle::of_table(&definition, &layout.actual);
    findings.extend(of_dependents(connection, layout, &Shape::Plain, &server.role).await?);
    if server.owns {
        findings.extend(obstacle::of_server(&server, &definition, &layout.actual));
    } else {
        findings.retain(|finding| finding.rule != obstacle::FOREIGN_DEPENDENT);
    }
    let with_consequence = |finding: Finding| {
        // A clone has no leaves yet.
        let consequence = if finding.rule == obstacle::ON_LEAF {
            "the next split, merge or revert would be refused"
        } else {
            "a new clone of this schema would be refused, and so would the next split, merge or revert"
        };
        Finding { message: format!("{}; {consequence}", finding.message), ..finding }
    };
    Ok(findings.into_iter().map(with_consequence).collect())
}

/// Of what was made from the table, and from leaves that are not in the target.
async fn of_dependents(
    connection: &mut PgConnection,
    layout: &Layout,
    target: &Shape,
    role: &str,
) -> Result<Vec<Finding>, sqlx::Error> {
    let mut findings = obstacle::of_dependents(&dependents::read(connection, &layout.public()).await?, role);
    let mut leaves = Vec::new();
    for leaf in layout.actual.parts_without(target) {
        let table = &layout.table;
        let divided = (leaf.paths() > 1).then(|| leaf.of(table));
        for relation in divided.into_iter().chain(leaf.storage_of(table)) {
            let dependents = dependents::read(connection, &relation).await?;
            findings.extend(obstacle::of_leaf(&relation.to_string(), &dependents));
            leaves.push(relation.plain());
        }
    }
    if !leaves.is_empty() {
        // A trigger that somebody has put on one leaf: nobody knows which of the new ones it is meant for.
        let triggers = sqlx::query_file!("queries/leaf_triggers.sql", &leaves).fetch_all(connection).await?;
        findings.extend(triggers.into_iter().map(|it| {
            Finding::new(obstacle::ON_LEAF, format!("trigger `{}` is on its leaf `{}` alone", it.name, it.relation))
                .fix(format!("DROP TRIGGER {} ON {}", identifier(&it.name), it.relation))
        }));
    }
    Ok(findings)
}
