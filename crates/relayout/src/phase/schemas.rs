//! The schemas that jobs make.

use database::Statement;

use crate::job::{NEW, OLD};

/// Drops the schemas of the engine that nothing lives in any more.
pub(super) fn drop_empty() -> Statement {
    let sql = format!(
        r"DO $do$
        DECLARE schema name;
        BEGIN
            FOR schema IN SELECT n.nspname FROM pg_catalog.pg_namespace n
                          WHERE (n.nspname ~ '^leaf_[0-9]+_[0-9]+(_paths_[0-9]+(_[0-9]+)?)?$' OR n.nspname IN ('{NEW}', '{OLD}'))
                            AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_class c WHERE c.relnamespace = n.oid)
            LOOP
                EXECUTE pg_catalog.format('DROP SCHEMA %I', schema);
            END LOOP;
        END $do$"
    );
    Statement::new("nothing lives there any more", sql)
}
