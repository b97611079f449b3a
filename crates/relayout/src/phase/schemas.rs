//! The schemas that jobs make. A mark tells ours from those of others that have the same name: only ours are dropped.

use database::Statement;
use database::quote::{identifier, literal};

use crate::job::{NEW, OLD};
use crate::layout::SCHEMAS;

/// The comment on a schema of ours.
const MARK: &str = "Parts of the tables that the performance layer lays out; made and dropped by `migrations`.";

/// What every job notes of its table since schemas have the mark.
const NOTED_SINCE: &str = "is_subscribed";

/// Makes a schema for tables of an owner, unless it is there. It belongs to the first of them, so that the owner may do
/// there what it may do in the table's own schema; others get the same by a grant.
pub(super) fn create(name: &str, owner: &str) -> Statement {
    let (schema, role, mark) = (identifier(name), identifier(owner), literal(MARK));
    let (name, owner) = (literal(name), literal(owner));
    let sql = format!(
        "DO $do$
        BEGIN
            IF pg_catalog.to_regnamespace({name}) IS NULL THEN
                CREATE SCHEMA {schema} AUTHORIZATION {role};
                COMMENT ON SCHEMA {schema} IS {mark};
            ELSIF NOT pg_catalog.has_schema_privilege({owner}, {name}, 'CREATE, USAGE') THEN
                GRANT CREATE, USAGE ON SCHEMA {schema} TO {role};
            END IF;
        END $do$"
    );
    Statement::new("a schema for it", sql)
}

/// Drops those of the engine's schemas that nothing lives in any more: those with the mark, and those without that the
/// journal says a version made that left no marks.
pub(crate) fn drop_empty() -> Statement {
    let mark = literal(MARK);
    let sql = format!(
        r"DO $do$
        DECLARE schema name;
        BEGIN
            FOR schema IN SELECT n.nspname FROM pg_catalog.pg_namespace n
                          WHERE (n.nspname ~ '{SCHEMAS}' OR n.nspname IN ('{NEW}', '{OLD}'))
                            AND pg_catalog.pg_has_role(n.nspowner, 'USAGE')
                            AND (pg_catalog.obj_description(n.oid, 'pg_namespace') = {mark}
                                 OR pg_catalog.obj_description(n.oid, 'pg_namespace') IS NULL AND EXISTS (
                                    SELECT 1
                                    FROM db_service.relayout_job j
                                    LEFT JOIN LATERAL pg_catalog.jsonb_path_query(
                                        pg_catalog.jsonb_build_array(j.source, j.target), '$[*].hash.leaves[*]') l ON true
                                    WHERE NOT j.definition ? '{NOTED_SINCE}'
                                      AND (n.nspname IN ('{NEW}', '{OLD}') OR n.nspname ~ pg_catalog.format(
                                          '^leaf_%s_%s(_paths_|$)', l ->> 'modulus', l ->> 'remainder'))))
                            AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_depend d
                                            WHERE d.refclassid = 'pg_catalog.pg_namespace'::pg_catalog.regclass AND d.refobjid = n.oid)
            LOOP
                EXECUTE pg_catalog.format('DROP SCHEMA %I', schema);
            END LOOP;
        END $do$"
    );
    Statement::new("nothing lives there any more", sql)
}
