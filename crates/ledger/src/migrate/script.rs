//! Pending migrations as a script for psql.

use std::fmt::Write as _;

use database::quote::{hexadecimal, literal};

use super::plan::MigrationPlan;
use crate::migration::{LEDGER, Migrations, SCHEMA};

/// What applies them, and writes the rows of the ledger that sqlx would write: a run that comes after it finds them applied.
#[must_use]
pub fn script(plan: &MigrationPlan, migrations: &Migrations) -> String {
    let mut text = String::new();
    if plan.pending.is_empty() {
        return text;
    }
    // As sqlx makes them (`ensure_migrations_table` in sqlx-postgres).
    let _ = writeln!(
        text,
        "-- the schema of the layer, and the ledger of its migrations\n\
         CREATE SCHEMA IF NOT EXISTS {SCHEMA};\n\
         CREATE TABLE IF NOT EXISTS {LEDGER} (\n    version BIGINT PRIMARY KEY,\n    description TEXT NOT NULL,\n    \
         installed_on TIMESTAMPTZ NOT NULL DEFAULT now(),\n    success BOOLEAN NOT NULL,\n    checksum BYTEA NOT NULL,\n    \
         execution_time BIGINT NOT NULL\n);"
    );
    let is_pending = |version| plan.pending.iter().any(|pending| pending.version == version);
    for (migration, header) in migrations.with_headers().filter(|(migration, _)| is_pending(migration.version)) {
        let (begin, commit) = if migration.no_tx { ("", "") } else { ("BEGIN;\n", "COMMIT;\n") };
        let checksum = hexadecimal(&migration.checksum);
        let _ = writeln!(
            text,
            "\n-- migration `{}`\n{begin}{}\n-- its row in the ledger\n\
             INSERT INTO {LEDGER} (version, description, success, checksum, execution_time)\n\
             VALUES ({}, {}, true, '\\x{checksum}', -1);\n{commit}",
            header.name,
            migration.sql.as_str().trim_end(),
            migration.version,
            literal(&migration.description),
        );
    }
    text
}
