//! Creating what is missing. Each statement is safe to repeat, and safe against others doing the same.

use std::time::Instant;

use ::sqlx::{AssertSqlSafe, Executor as _, PgConnection};
use db_service::lock::DatabaseLock;
use db_service::quote::{identifier, literal};
use db_service::step::Status;
use db_service::{Error as DatabaseError, connection};

use super::extension::{Absence, Policy, preload_of};
use super::{Action, Bootstrap, ExtensionError, Plan, extension};
use crate::error::Error;
use crate::layers::{Session, maintenance_url, run};

pub(super) async fn apply(layer: &Bootstrap, plan: &Plan, session: &mut Session<'_>) -> Result<(), Error> {
    if let Some(Action::Database { exists: false }) = plan.actions.first() {
        create_database(session).await?;
        // Now that it exists, look inside: a template may have brought extensions along.
        return Box::pin(run(layer, session, false)).await;
    }
    for action in &plan.actions {
        match action {
            Action::Environment { mark, is_set: false, .. } => set_environment(mark, action, session).await?,
            Action::Extension { name, action: extension::Action::Create { .. } } => {
                create_extension(name, action, layer, session).await?;
            }
            done => {
                // The database was reported when it was made.
                let is_reported = matches!(done, Action::Database { .. })
                    && session.steps.iter().any(|step| step.object == "database");
                if !is_reported {
                    let step = done.step(session.target, Status::Unchanged);
                    session.report(step);
                }
            }
        }
    }
    Ok(())
}

/// What `mix ecto.create` would do: UTF8, and the time zone that Ecto sets since 3.14.
async fn create_database(session: &mut Session<'_>) -> Result<(), Error> {
    let target = session.target;
    let url = maintenance_url(&target.url);
    let console = session.console;
    // A killed run could leave a database without its settings, and two runs would make it twice: hence the lock.
    let lock = DatabaseLock::acquire(&url, session.patience, |text| console.busy(text)).await;
    console.done();
    let lock = lock?;
    let started = Instant::now();
    let mut connection = connection::connect(&url).await?;
    let outcome = match connection::prepare_for_changes(&mut connection).await {
        Ok(()) => create_unless_exists(&mut connection, &target.name).await,
        Err(error) => Err(error),
    };
    connection::close(connection).await;
    lock.release().await;
    let created = outcome.map_err(|source| DatabaseError::CreateDatabase { database: target.name.clone(), source })?;
    let status = if created { Status::Created } else { Status::Unchanged };
    let step = Action::Database { exists: false }.step(target, status);
    session.report(if created { step.took(started.elapsed()) } else { step });
    Ok(())
}

async fn create_unless_exists(connection: &mut PgConnection, name: &str) -> Result<bool, ::sqlx::Error> {
    let name_sql = identifier(name);
    let exists = ::sqlx::query_scalar!(
        r#"SELECT EXISTS (SELECT 1 FROM pg_catalog.pg_database WHERE datname = $1) AS "exists!""#,
        name
    )
    .fetch_one(&mut *connection)
    .await?;
    if !exists {
        // template1 cannot be copied into another encoding; only then is the pristine template0 taken.
        let template_is_utf8 = ::sqlx::query_scalar!(
            r#"SELECT pg_catalog.pg_encoding_to_char(encoding) = 'UTF8' AS "is_utf8!" FROM pg_catalog.pg_database WHERE datname = 'template1'"#
        )
        .fetch_one(&mut *connection)
        .await?;
        let template = if template_is_utf8 { "" } else { " TEMPLATE template0" };
        let statement = format!("CREATE DATABASE {name_sql} ENCODING 'UTF8'{template}");
        match connection.execute(AssertSqlSafe(statement)).await {
            Ok(_) => {}
            // Somebody who takes no lock of ours, `mix ecto.create` say, was faster.
            Err(error) if matches!(connection::sql_state(&error).as_deref(), Some("42P04" | "23505")) => {
                return Ok(false);
            }
            Err(error) => return Err(error),
        }
    }
    Ok(!exists)
}

async fn set_environment(mark: &str, action: &Action, session: &mut Session<'_>) -> Result<(), Error> {
    let started = Instant::now();
    let target = session.target;
    let name = identifier(&target.name);
    let connection = session.worker().await?;
    let time_zone = format!("ALTER DATABASE {name} SET timezone TO 'Etc/UTC'; ");
    let time_zone = if matches!(action, Action::Environment { with_time_zone: true, .. }) { &*time_zone } else { "" };
    let statements = format!("{time_zone}ALTER DATABASE {name} SET singularity.environment TO {}", literal(mark));
    match ::sqlx::raw_sql(AssertSqlSafe(statements)).execute(connection).await {
        Ok(_) => session.report(action.step(target, Status::Set).took(started.elapsed())),
        Err(error) if connection::sql_state(&error).as_deref() == Some("42501") => {
            let absence = Absence {
                reason: "the role may not set it, so the database counts as production".into(),
                remedy: "make the role the database's owner, have a superuser run \
                         `GRANT SET ON PARAMETER singularity.environment TO <role>`, then run the same command again"
                    .into(),
            };
            session.report(absence.describe(action.step(target, Status::LeftOut)));
        }
        Err(error) => return Err(DatabaseError::sql("mark its environment", &target.name)(error).into()),
    }
    Ok(())
}

async fn create_extension(
    name: &'static str,
    action: &Action,
    layer: &Bootstrap,
    session: &mut Session<'_>,
) -> Result<(), Error> {
    let started = Instant::now();
    let target = session.target;
    // pgvector belongs where unqualified names find it; the others choose their own schema.
    let schema = if name == "vector" { " SCHEMA public" } else { "" };
    let statement = format!("CREATE EXTENSION IF NOT EXISTS {}{schema}", identifier(name));
    let outcome = if preload_of(name).is_some() {
        // Without its library preloaded this ends the connection, and then it had better be one of its own.
        let mut connection = connection::connect(&target.url).await?;
        let outcome = match connection::prepare_for_changes(&mut connection).await {
            Ok(()) => connection.execute(AssertSqlSafe(statement)).await.map(drop),
            Err(error) => Err(error),
        };
        connection::close(connection).await;
        outcome
    } else {
        session.worker().await?.execute(AssertSqlSafe(statement)).await.map(drop)
    };
    let Err(error) = outcome else {
        session.report(action.step(target, Status::Created).took(started.elapsed()));
        return Ok(());
    };
    let absence = match (connection::sql_state(&error).as_deref(), preload_of(name)) {
        (Some("42501"), _) => Absence::no_right(name),
        (_, Some(library)) if is_fatal(&error) => Absence::not_preloaded(library, None, layer.own_server),
        _ => return Err(DatabaseError::sql(&format!("create extension `{name}`"), &target.name)(error).into()),
    };
    if layer.policy(name) == Policy::Required {
        return Err(ExtensionError::Required { name, database: target.name.clone(), why: absence }.into());
    }
    session.report(absence.describe(action.step(target, Status::LeftOut)));
    Ok(())
}

/// The server ended the connection over it.
fn is_fatal(error: &::sqlx::Error) -> bool {
    let severity = error
        .as_database_error()
        .and_then(|error| error.try_downcast_ref::<::sqlx::postgres::PgDatabaseError>())
        .map(::sqlx::postgres::PgDatabaseError::severity);
    matches!(severity, Some(::sqlx::postgres::PgSeverity::Fatal | ::sqlx::postgres::PgSeverity::Panic))
        || matches!(error, ::sqlx::Error::Io(_))
}
