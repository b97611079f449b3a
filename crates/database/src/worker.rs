//! A connection that may change things: only who holds the database's lock gets one.

use std::ops::{Deref, DerefMut};

use sqlx::{AssertSqlSafe, PgConnection};

use crate::connection::{close, connect, first_answer};
use crate::error::Error;
use crate::lock::{DatabaseLock, WORKER_KEY};
use crate::session;

/// None of it may change what our SQL means.
///
/// `lock_timeout` stays short: a waiting `ACCESS EXCLUSIVE` request stops everybody behind it.
const MEANING: &[(&str, &str)] = &[
    ("search_path", "public"),
    ("client_min_messages", "warning"),
    ("standard_conforming_strings", "on"),
    ("default_transaction_read_only", "off"),
    ("default_transaction_isolation", "read committed"),
    ("default_transaction_deferrable", "off"),
    ("lock_timeout", "10s"),
    ("session_replication_role", "origin"),
    // A policy that hides rows is an error then, not a copy with rows missing.
    ("row_security", "off"),
    ("default_tablespace", ""),
    ("temp_tablespaces", ""),
    ("default_table_access_method", "heap"),
    ("default_toast_compression", "pglz"),
    ("check_function_bodies", "on"),
    // To compile a query of the catalog takes longer than to run it.
    ("jit", "off"),
    ("quote_all_identifiers", "off"),
    ("DateStyle", "ISO, MDY"),
    ("IntervalStyle", "postgres"),
    ("bytea_output", "hex"),
];

/// A connection of the runner who holds the lock.
///
/// It shares the third key of [`lock`](crate::lock) as long as it is open, so that the next run knows of it.
#[derive(Debug)]
pub struct Worker {
    connection: PgConnection,
}

impl Worker {
    /// Opens one in the database that is locked.
    ///
    /// # Errors
    /// When there is no connection, or the server refuses a setting.
    pub async fn connect(lock: &DatabaseLock) -> Result<Self, Error> {
        let failed = || Error::sql("prepare for changes", lock.url().database());
        let mut connection = connect(lock.url()).await?;
        // By itself first: on a slow machine the other settings may take longer than a role allows a statement.
        let settings = session::settings(&[session::PATIENT, MEANING]);
        for settings in ["SET statement_timeout = 0", &settings] {
            let set = async || sqlx::raw_sql(AssertSqlSafe(settings.to_owned())).execute(&mut connection).await;
            first_answer(lock.url(), set).await?.map_err(failed())?;
        }
        // Never waits: only who holds the database's lock takes this key alone, and that is us.
        sqlx::query!("SELECT pg_catalog.pg_advisory_lock_shared($1)", WORKER_KEY)
            .execute(&mut connection)
            .await
            .map_err(failed())?;
        Ok(Self { connection })
    }

    /// Closes it in good order.
    pub async fn close(self) {
        close(self.connection).await;
    }
}

impl Deref for Worker {
    type Target = PgConnection;

    fn deref(&self) -> &PgConnection {
        &self.connection
    }
}

impl DerefMut for Worker {
    fn deref_mut(&mut self) -> &mut PgConnection {
        &mut self.connection
    }
}
