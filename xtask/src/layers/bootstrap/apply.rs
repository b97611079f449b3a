//! Creating what is missing. Each statement is safe to repeat, and safe against others doing the same.

use std::time::Instant;

use database::cause::sql_state;
use database::quote::{identifier, literal};
use database::{DatabaseLock, Worker};
use sqlx::postgres::{PgDatabaseError, PgSeverity};
use sqlx::{AssertSqlSafe, Executor as _, PgConnection};
use terminal::activity::Activity as _;
use terminal::step::Status;

use super::absence::Absence;
use super::error::ExtensionError;
use super::extension;
use super::known::Policy;
use super::plan::{Action, BootstrapPlan};
use super::preload;
use crate::layers::error::LayerError;
use crate::layers::session::{Session, exists};

/// What is missing in a database that is there; `policy` says what the absence of an extension means.
pub(super) async fn apply(
    plan: &BootstrapPlan,
    policy: impl Fn(&str) -> Policy,
    own_server: bool,
    session: &mut Session<'_>,
) -> Result<(), LayerError> {
    for action in &plan.actions {
        match action {
            Action::Environment { mark, is_set: false, .. } => set_environment(mark, action, session).await?,
            Action::Extension { name, action: extension::Action::Create { .. } } => {
                create_extension(name, action, policy(name), own_server, session).await?;
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
pub(super) async fn create_database(session: &mut Session<'_>) -> Result<(), LayerError> {
    let (target, console) = (session.target, session.console);
    let maintenance = target.url.server().maintenance();
    // A killed run could leave a database without its settings, and two runs would make it twice: hence the lock.
    let job = console.job(target.name());
    let lock = DatabaseLock::acquire(&maintenance, session.patience, |text| job.announce(text)).await?;
    job.phase("creating", None);
    let started = Instant::now();
    let mut worker = Worker::connect(&lock).await?;
    let outcome = create_unless_exists(&mut worker, target.name()).await;
    worker.close().await;
    lock.release().await;
    let created = outcome
        .map_err(|source| LayerError::CreateDatabase { database: target.name().to_owned(), source: source.into() })?;
    let status = if created { Status::Created } else { Status::Unchanged };
    let step = Action::Database { exists: false }.step(target, status);
    session.report(if created { step.took(started.elapsed()) } else { step });
    Ok(())
}

async fn create_unless_exists(connection: &mut PgConnection, name: &str) -> Result<bool, sqlx::Error> {
    let name_sql = identifier(name);
    let exists = exists(&mut *connection, name).await?;
    if !exists {
        // What somebody has left in template1 is none of this database's.
        let statement = format!("CREATE DATABASE {name_sql} ENCODING 'UTF8' TEMPLATE template0");
        match connection.execute(AssertSqlSafe(statement)).await {
            Ok(_) => {}
            // Somebody who takes no lock of ours, `mix ecto.create` say, was faster.
            Err(error) if matches!(sql_state(&error).as_deref(), Some("42P04" | "23505")) => {
                return Ok(false);
            }
            Err(error) => return Err(error),
        }
    }
    Ok(!exists)
}

async fn set_environment(mark: &str, action: &Action, session: &mut Session<'_>) -> Result<(), LayerError> {
    let started = Instant::now();
    let target = session.target;
    let name = identifier(target.name());
    let time_zone = format!("ALTER DATABASE {name} SET timezone TO 'Etc/UTC'; ");
    let time_zone = if matches!(action, Action::Environment { with_time_zone: true, .. }) { &*time_zone } else { "" };
    let statements = format!("{time_zone}ALTER DATABASE {name} SET singularity.environment TO {}", literal(mark));
    let worker = &mut session.lock().await?.worker;
    match sqlx::raw_sql(AssertSqlSafe(statements)).execute(&mut **worker).await {
        Ok(_) => session.report(action.step(target, Status::Set).took(started.elapsed())),
        Err(error) if sql_state(&error).as_deref() == Some("42501") => {
            let absence = Absence {
                reason: "the role may not set it, so the database counts as production".into(),
                remedy: "make the role the database's owner, have a superuser run \
                         `GRANT SET ON PARAMETER singularity.environment TO <role>`, then run the same command again"
                    .into(),
            };
            session.report(absence.describe(action.step(target, Status::LeftOut)));
        }
        Err(error) => return Err(database::Error::sql("mark its environment", target.name())(error).into()),
    }
    Ok(())
}

async fn create_extension(
    name: &'static str,
    action: &Action,
    policy: Policy,
    own_server: bool,
    session: &mut Session<'_>,
) -> Result<(), LayerError> {
    let started = Instant::now();
    let target = session.target;
    // pgvector belongs where unqualified names find it; the others choose their own schema.
    let schema = if name == "vector" { " SCHEMA public" } else { "" };
    let statement = format!("CREATE EXTENSION IF NOT EXISTS {}{schema}", identifier(name));
    let lock = session.lock().await?;
    let outcome = if preload::of(name).is_some() {
        // Without its library preloaded this ends the connection, and then it had better be one of its own.
        let mut worker = Worker::connect(&lock.lock).await?;
        let outcome = worker.execute(AssertSqlSafe(statement)).await.map(drop);
        worker.close().await;
        outcome
    } else {
        lock.worker.execute(AssertSqlSafe(statement)).await.map(drop)
    };
    let Err(error) = outcome else {
        session.report(action.step(target, Status::Created).took(started.elapsed()));
        return Ok(());
    };
    let absence = match (sql_state(&error).as_deref(), preload::of(name)) {
        (Some("42501"), _) => Absence::no_right(name),
        (_, Some(library)) if is_fatal(&error) => Absence::not_preloaded(library, &[library.to_owned()], own_server),
        _ => return Err(database::Error::sql(&format!("create extension `{name}`"), target.name())(error).into()),
    };
    if policy == Policy::Required {
        return Err(ExtensionError::Required { name, database: target.name().to_owned(), why: absence }.into());
    }
    session.report(absence.describe(action.step(target, Status::LeftOut)));
    Ok(())
}

/// The server ended the connection over it.
fn is_fatal(error: &sqlx::Error) -> bool {
    matches!(database::cause::said(error).map(PgDatabaseError::severity), Some(PgSeverity::Fatal | PgSeverity::Panic))
        || matches!(error, sqlx::Error::Io(_))
}
