//! What hangs on a table under names of its own: policies, extended statistics, and the comments on its parts. Each is made
//! for the new form beside the old one's.

use database::quote::{identifier, literal};
use database::{Relation, Statement};

use super::definition::Definition;
use super::parts::ExtendedStatistics;

const WHY: &str = "what hangs on the new form";

/// Those of a relation that is not in its place yet, and the statistics that are gathered for them.
pub(crate) fn statements(relation: &Relation, definition: &Definition) -> Vec<Statement> {
    let mut statements: Vec<Statement> = definition
        .policies
        .iter()
        .map(|policy| run(format!("CREATE POLICY {} ON {relation} {}", identifier(&policy.name), policy.definition)))
        .collect();
    for (is_on, what) in [(definition.row_security, "ENABLE"), (definition.forces_row_security, "FORCE")] {
        if is_on {
            statements.push(run(format!("ALTER TABLE {relation} {what} ROW LEVEL SECURITY")));
        }
    }
    statements.extend(definition.extended_statistics.iter().flat_map(|it| extended_statistics(relation, it)));
    if !definition.extended_statistics.is_empty() {
        statements.push(run(format!("ANALYZE {relation}")));
    }
    statements.extend(comments(relation, definition));
    statements
}

/// The name of statistics that belong to a form of the table in another schema.
pub(crate) fn beside(statistics: &ExtendedStatistics, schema: &str) -> Relation {
    Relation::new(schema, &statistics.name.name)
}

fn extended_statistics(relation: &Relation, statistics: &ExtendedStatistics) -> Vec<Statement> {
    let name = beside(statistics, &relation.schema);
    let mut statements = vec![run(format!("CREATE STATISTICS {name} {} FROM {relation}", statistics.definition))];
    if let Some(target) = statistics.target {
        statements.push(run(format!("ALTER STATISTICS {name} SET STATISTICS {target}")));
    }
    if let Some(comment) = &statistics.comment {
        statements.push(run(format!("COMMENT ON STATISTICS {name} IS {}", literal(comment))));
    }
    statements.push(run(format!("ALTER STATISTICS {name} OWNER TO {}", identifier(&statistics.owner))));
    statements
}

/// A comment on what has no other name than the table's and its own; nothing where there is none.
pub(crate) fn comment(
    kind: &str,
    name: &str,
    relation: &Relation,
    text: Option<&String>,
    why: &'static str,
) -> Option<Statement> {
    let (name, text) = (identifier(name), literal(text?));
    Some(Statement::new(why, format!("COMMENT ON {kind} {name} ON {relation} IS {text}")))
}

/// Comments on what has no other name than the table's and its own.
fn comments(relation: &Relation, definition: &Definition) -> Vec<Statement> {
    let on = |kind: &str, name: &str, text: &Option<String>| comment(kind, name, relation, text.as_ref(), WHY);
    // Those that are made in the swap get theirs there.
    let constraints = definition.constraints.iter().filter(|it| it.validated && it.kind != "f");
    let constraints = constraints.filter_map(|it| on("CONSTRAINT", &it.name, &it.comment));
    let policies = definition.policies.iter().filter_map(|it| on("POLICY", &it.name, &it.comment));
    let indexes = definition.indexes.iter().filter_map(|it| {
        let text = literal(it.comment.as_ref()?);
        Some(run(format!("COMMENT ON INDEX {} IS {text}", relation.sibling(&it.name))))
    });
    constraints.chain(policies).chain(indexes).collect()
}

fn run(sql: String) -> Statement {
    Statement::new(WHY, sql)
}
