//! The three layers, each with the same three verbs: `inspect` reads, `plan` decides, `apply` changes.

pub(crate) mod bootstrap;
pub(crate) mod ecto;
pub(crate) mod mix;
pub(crate) mod sqlx;

use std::time::Duration;

use ::sqlx::PgConnection;
use db_service::console::Console;
use db_service::lock::DatabaseLock;
use db_service::step::Step;
use db_service::{ConnectError, DatabaseUrl, connection};

use crate::error::Error;
use crate::target::Target;

/// One layer of the database.
pub(crate) trait Layer {
    /// What the database says.
    type State;
    /// What is to be done; a value that can be shown or applied.
    type Plan: Plan;

    /// Reads; writes nothing.
    async fn inspect(&self, session: &mut Session<'_>) -> Result<Self::State, Error>;
    /// Decides. Pure.
    fn plan(&self, state: &Self::State, target: &Target) -> Result<Self::Plan, Error>;
    /// Changes; the session holds the lock.
    async fn apply(&self, plan: &Self::Plan, session: &mut Session<'_>) -> Result<(), Error>;
}

/// What a layer would do.
pub(crate) trait Plan {
    /// Nothing is to be done.
    fn is_empty(&self) -> bool;
    /// What to report where nothing is done: what is there already, or what would be done.
    fn steps(&self, target: &Target) -> Vec<Step>;
    /// What is worth knowing, once.
    fn notes(&self) -> Vec<String> {
        Vec::new()
    }
}

/// The work on one database: its connection, its lock, and what was done so far.
pub(crate) struct Session<'a> {
    pub(crate) target: &'a Target,
    pub(crate) console: &'a Console,
    pub(crate) patience: Duration,
    connection: Option<PgConnection>,
    is_worker: bool,
    lock: Option<DatabaseLock>,
    pub(crate) steps: Vec<Step>,
    pub(crate) notes: Vec<String>,
}

impl<'a> Session<'a> {
    pub(crate) fn new(target: &'a Target, console: &'a Console, patience: Duration) -> Self {
        Self {
            target,
            console,
            patience,
            connection: None,
            is_worker: false,
            lock: None,
            steps: Vec::new(),
            notes: Vec::new(),
        }
    }

    /// The connection to the database; none if the database does not exist.
    pub(crate) async fn connection(&mut self) -> Result<Option<&mut PgConnection>, ConnectError> {
        if self.connection.is_none() {
            match connection::connect(&self.target.url).await {
                Ok(connection) => self.connection = Some(connection),
                Err(error) if error.is_database_missing() => return Ok(None),
                Err(error) => return Err(error),
            }
        }
        Ok(self.connection.as_mut())
    }

    /// The connection to a database that an earlier layer has made.
    pub(crate) async fn existing(&mut self) -> Result<&mut PgConnection, ConnectError> {
        if self.connection.is_none() {
            self.connection = Some(connection::connect(&self.target.url).await?);
        }
        Ok(self.connection.as_mut().expect("connected above"))
    }

    /// The same, for changes. The session holds the lock.
    pub(crate) async fn worker(&mut self) -> Result<&mut PgConnection, Error> {
        let name = &self.target.name;
        debug_assert!(self.lock.is_some(), "changes are made under the lock");
        let is_prepared = std::mem::replace(&mut self.is_worker, true);
        let connection = self.existing().await?;
        if !is_prepared {
            connection::prepare_for_changes(connection)
                .await
                .map_err(db_service::Error::sql("prepare for changes", name))?;
        }
        Ok(connection)
    }

    pub(crate) fn report(&mut self, step: Step) {
        self.console.step(&step);
        self.steps.push(step);
    }

    /// Keeps other runs away from this database until the session ends.
    async fn lock(&mut self) -> Result<(), Error> {
        if self.lock.is_none() {
            let console = self.console;
            let lock = DatabaseLock::acquire(&self.target.url, self.patience, |text| console.busy(text)).await;
            console.done();
            self.lock = Some(lock?);
        }
        Ok(())
    }

    /// Frees the lock and the connection. Done as soon as the work on this database is: a run that kept it while its
    /// other databases wait for another run, which in turn waits for this one, would wait for ever.
    pub(crate) async fn end(&mut self) {
        // First the one that works: who takes the lock next waits for it.
        if let Some(connection) = self.connection.take() {
            connection::close(connection).await;
        }
        if let Some(lock) = self.lock.take() {
            lock.release().await;
        }
        self.is_worker = false;
    }
}

/// Brings one layer of one database about; with `dry_run`, only says what that would take.
pub(crate) async fn run<L: Layer>(layer: &L, session: &mut Session<'_>, dry_run: bool) -> Result<(), Error> {
    let state = layer.inspect(session).await?;
    let plan = layer.plan(&state, session.target)?;
    if plan.is_empty() || dry_run {
        let target = session.target;
        plan.steps(target).into_iter().for_each(|step| session.report(step));
        session.notes.extend(plan.notes());
        return Ok(());
    }
    // Another run may have done the work before we had the lock.
    let plan = loop {
        // The database itself is made under the server's lock; everything else under the database's own.
        let exists = session.connection().await?.is_some();
        if exists {
            session.lock().await?;
        }
        let state = layer.inspect(session).await?;
        // If another run has made it in between, it can be locked now.
        if exists == session.connection.is_some() {
            break layer.plan(&state, session.target)?;
        }
    };
    session.notes.extend(plan.notes());
    layer.apply(&plan, session).await
}

/// The URL of the database that every server has, for what cannot be done inside the database itself.
pub(crate) fn maintenance_url(url: &DatabaseUrl) -> DatabaseUrl {
    url.with_database("postgres")
}
