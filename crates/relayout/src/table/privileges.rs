//! Who may do what with a table, or with a sequence of it, as statements for its new form.

use database::quote::{identifier, literal};
use database::{Relation, Statement};

use super::definition::Definition;
use super::parts::{Grant, IdentitySequence};

/// Those of a table or a sequence.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Privileges<'a> {
    pub(crate) owner: &'a str,
    /// The owner has all rights and nobody else has any, but on columns.
    pub(crate) is_private: bool,
    pub(crate) grants: &'a [Grant],
}

impl<'a> Privileges<'a> {
    pub(crate) fn of_table(definition: &'a Definition) -> Self {
        Self { owner: &definition.owner, is_private: definition.is_private, grants: &definition.grants }
    }

    pub(crate) fn of_sequence(sequence: &'a IdentitySequence, definition: &'a Definition) -> Self {
        Self { owner: &definition.owner, is_private: sequence.is_private, grants: &sequence.grants }
    }
}

const WHY: &str = "who may use the table may use its new form, and nobody else";

/// Grants on another relation exactly what the owner has granted; default privileges may have given more to it and to what
/// is below it.
pub(crate) fn grants(relation: &Relation, privileges: Privileges<'_>) -> Vec<Statement> {
    // Where the owner has them all anyway, they are not granted: the new form is without a list of rights then, as the old one.
    let is_new = |it: &&Grant| !privileges.is_private || it.column.is_some();
    let owners = privileges.grants.iter().filter(|it| is_owners(it, privileges)).filter(is_new);
    std::iter::once(revoke(relation, privileges.is_private)).chain(owners.map(|it| grant(it, relation))).collect()
}

/// What those have granted to whom the owner has given the right to: as they did, where they may look the table up.
pub(crate) fn granted_further(relation: &Relation, privileges: Privileges<'_>) -> Vec<Statement> {
    let mut statements = Vec::new();
    // Whoever grants what was granted to him needs it first: as often as there can be links in the chain.
    let mut others: Vec<&Grant> = privileges.grants.iter().filter(|it| !is_owners(it, privileges)).collect();
    while !others.is_empty() {
        let waits = |it: &Grant, others: &[&Grant]| {
            others.iter().any(|other| other.grantee.as_deref() == Some(&it.grantor) && other.privilege == it.privilege)
        };
        let (now, later): (Vec<&Grant>, Vec<&Grant>) = others.iter().partition(|it| !waits(it, &others));
        let now = if now.is_empty() { std::mem::take(&mut others) } else { now };
        for it in &now {
            statements.push(Statement::new(WHY, format!("SET LOCAL ROLE {}", it.grantor)));
            statements.push(grant(it, relation));
            statements.push(Statement::new(WHY, "RESET ROLE"));
        }
        others = if others.is_empty() { Vec::new() } else { later };
    }
    statements
}

fn is_owners(grant: &Grant, privileges: Privileges<'_>) -> bool {
    grant.grantor == privileges.owner || grant.grantor == identifier(privileges.owner)
}

fn grant(grant: &Grant, relation: &Relation) -> Statement {
    let column = grant.column.as_ref().map(|column| format!(" ({})", identifier(column))).unwrap_or_default();
    let option = if grant.grantable { " WITH GRANT OPTION" } else { "" };
    let grantee = grant.grantee.as_deref().unwrap_or("PUBLIC");
    Statement::new(WHY, format!("GRANT {}{column} ON {relation} TO {grantee}{option}", grant.privilege))
}

/// Takes all rights from the relation and from what is below it; there, and on it as well if they are to stay, not those of the
/// owner.
fn revoke(relation: &Relation, keeps_owners: bool) -> Statement {
    let relation = literal(&relation.to_string());
    let sql = format!(
        "DO $do$
        DECLARE given record;
        BEGIN
            FOR given IN SELECT DISTINCT c.oid::pg_catalog.regclass AS relation,
                                COALESCE(NULLIF(a.grantee, 0)::pg_catalog.regrole::text, 'PUBLIC') AS grantee
                         FROM (SELECT relid FROM pg_catalog.pg_partition_tree({relation})
                               UNION SELECT {relation}::pg_catalog.regclass) t
                         JOIN pg_catalog.pg_class c ON c.oid = t.relid, LATERAL pg_catalog.aclexplode(
                             COALESCE(c.relacl, pg_catalog.acldefault('r', c.relowner))) a
                         WHERE a.grantee <> c.relowner OR (t.relid = {relation}::pg_catalog.regclass AND NOT {keeps_owners})
            LOOP
                EXECUTE pg_catalog.format('REVOKE ALL ON %s FROM %s CASCADE', given.relation, given.grantee);
            END LOOP;
        END $do$"
    );
    Statement::new(WHY, sql)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_grants_further_has_it_first() {
        let grant = |grantor: &str, grantee: &str| Grant {
            grantor: grantor.into(),
            grantee: Some(grantee.into()),
            privilege: "SELECT".into(),
            grantable: true,
            column: None,
        };
        let given = [grant("b", "c"), grant("a", "b"), grant("o", "a")];
        let privileges = Privileges { owner: "o", is_private: false, grants: &given };
        let relation = Relation::new("s", "t");
        let texts = |statements: Vec<Statement>| statements.into_iter().map(|it| it.sql).collect::<Vec<_>>();
        assert_eq!(texts(grants(&relation, privileges))[1..], ["GRANT SELECT ON \"s\".\"t\" TO a WITH GRANT OPTION"]);
        assert_eq!(
            texts(granted_further(&relation, privileges)),
            [
                "SET LOCAL ROLE a",
                "GRANT SELECT ON \"s\".\"t\" TO b WITH GRANT OPTION",
                "RESET ROLE",
                "SET LOCAL ROLE b",
                "GRANT SELECT ON \"s\".\"t\" TO c WITH GRANT OPTION",
                "RESET ROLE",
            ]
        );
    }
}
