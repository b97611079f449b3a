//! What a session is set to, whatever a role, a database, the server or a pool has set.

/// Runs to its end, and notices when nobody waits for it any more: else the statement of a program that was killed would go
/// on for its result alone.
pub(crate) const PATIENT: &[(&str, &str)] = &[
    ("transaction_timeout", "0"),
    ("statement_timeout", "0"),
    ("idle_in_transaction_session_timeout", "0"),
    ("idle_session_timeout", "0"),
    ("client_connection_check_interval", "500ms"),
];

/// One statement for all settings. What an older server does not have, and what has the value already, is not set: to set
/// `session_replication_role` takes a right, to find it as it should be takes none.
pub(crate) fn settings(wanted: &[&[(&str, &str)]]) -> String {
    let values: Vec<String> =
        wanted.iter().flat_map(|some| some.iter()).map(|(name, value)| format!("('{name}', '{value}')")).collect();
    format!(
        "SELECT pg_catalog.set_config(name, value, false)
         FROM (VALUES {}) setting (name, value)
         WHERE pg_catalog.current_setting(name, true) OPERATOR(pg_catalog.<>) value
           -- Windows cannot ask the kernel whether the client is there.
           AND NOT (name OPERATOR(pg_catalog.=) 'client_connection_check_interval'
                    AND pg_catalog.version() OPERATOR(pg_catalog.~) 'Visual C|msvc|mingw')",
        values.join(", ")
    )
}
