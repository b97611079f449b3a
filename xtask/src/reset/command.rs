//! `db-server reset`: drops one development database, so that the next set-up makes it anew.

use std::time::Duration;

use database::environment::{self, Environment};
use database::given::Given;
use database::quote::identifier;
use database::{DatabaseLock, DatabaseUrl, ServerUrl, connection};
use sqlx::{AssertSqlSafe, Executor as _};
use terminal::Exit;
use terminal::console::Console;

use super::error::ResetError;
use crate::cli::ResetOptions;
use crate::error::Error;
use crate::project::Project;
use crate::server::{self, ServerError};

/// How long another run on the database is waited for.
const PATIENCE: Duration = Duration::from_mins(1);

pub(crate) fn run(options: &ResetOptions, project: &Project, console: &Console) -> Result<Exit, Error> {
    let server = server::of_own(project, console)?;
    if let Some(given) = Given::in_variable() {
        let named = given.read().map_err(ServerError::from)?;
        if !is_same(named.server(), server.url()) {
            return Err(ResetError::NotOurs(named.server().to_string()).into());
        }
    }
    let url = server.url().database(&options.database);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(Error::Runtime)?;
    runtime.block_on(reset(&url, options, console))
}

async fn reset(url: &DatabaseUrl, options: &ResetOptions, console: &Console) -> Result<Exit, Error> {
    let name = url.database();
    let Some(mark) = mark(url).await? else {
        console.result(&format!("Unchanged: there is no database `{name}`; `cargo xtask db-setup` makes it"));
        return Ok(Exit::Done);
    };
    if mark == Environment::Prod {
        return Err(ResetError::NotDevelopment(name.to_owned()).into());
    }
    if options.dry_run {
        console.result(&format!("Pending: database `{name}` would be dropped, with everything in it"));
        return Ok(Exit::Pending);
    }
    if !options.yes {
        let question = format!("Drop database `{name}` with everything in it?");
        if console.agrees(&question).map_err(ResetError::Terminal)? != Some(true) {
            return Err(ResetError::NoConsent(name.to_owned()).into());
        }
    }
    // Nobody is at work in it then; the lock ends with the database.
    let job = console.job(name);
    let _lock = DatabaseLock::acquire(url, PATIENCE, |text| job.announce(text)).await?;
    drop(job);
    let mut maintenance = connection::connect(&url.server().maintenance()).await.map_err(database::Error::from)?;
    let statement = format!("DROP DATABASE {} WITH (FORCE)", identifier(name));
    let dropped = maintenance.execute(AssertSqlSafe(statement)).await.map(drop);
    connection::close(maintenance).await;
    dropped.map_err(database::Error::sql("drop the database", name))?;
    console.result(&format!("Dropped database `{name}`; `cargo xtask db-setup` makes it anew"));
    Ok(Exit::Done)
}

/// What the database is for; none where it does not exist.
async fn mark(url: &DatabaseUrl) -> Result<Option<Environment>, Error> {
    let mut connection = match connection::connect(url).await {
        Ok(connection) => connection,
        Err(error) if error.is_database_missing() => return Ok(None),
        Err(error) => return Err(database::Error::from(error).into()),
    };
    let mark = environment::read(&mut connection).await;
    connection::close(connection).await;
    Ok(Some(mark.map_err(database::Error::sql("read its environment", url.database()))?))
}

fn is_same(named: &ServerUrl, own: &ServerUrl) -> bool {
    let text = named.to_string();
    named.port() == own.port() && ["127.0.0.1", "localhost"].iter().any(|host| text.contains(&format!("@{host}:")))
}
