//! `db-setup --seed`: a small corpus to search, the project's own sources, in one database.

use std::time::Instant;

use corpus::Source;
use corpus::difference::difference;
use corpus::load::Terms;
use corpus::repository::Repositories;
use database::connection;
use database::environment::{self, Environment};
use database::url::Parsed;
use db_service::subject::codes;
use terminal::step::{Status, Step};
use terminal::{Exit, Failure};

use crate::cli::Layer;
use crate::layers::error::LayerError;
use crate::layers::session::Session;
use crate::project::Project;
use crate::target::Target;

/// The repository's name in the database.
const REPOSITORY: &str = "singularity";

/// The database that is seeded where none is named.
const DATABASE: &str = "singularity_dev";

/// Connections that write: there is little to load.
const JOBS: usize = 2;

/// Why nothing was loaded.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SeedError {
    #[error("cannot load a corpus into database `{0}`: it is marked as `prod`, or would be")]
    Production(String),
    #[error("cannot load a corpus into database `{0}`: it has no schema")]
    NoSchema(String),
    #[error(transparent)]
    Corpus(#[from] corpus::Error),
    #[error(transparent)]
    Layer(#[from] LayerError),
}

impl Failure for SeedError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Production(_) => Some(
                "nothing was changed: leave out `--seed`, or pass `--environment dev` if it is one of development"
                    .into(),
            ),
            Self::NoSchema(_) => Some(format!("nothing was changed: name another one, `{DATABASE}` say")),
            Self::Corpus(error) => error.hint(),
            Self::Layer(error) => error.hint(),
        }
    }

    fn causes(&self) -> Vec<String> {
        match self {
            Self::Corpus(error) => error.causes(),
            Self::Layer(error) => error.causes(),
            Self::Production(_) | Self::NoSchema(_) => Vec::new(),
        }
    }

    fn exit(&self) -> Exit {
        match self {
            Self::Production(_) => Exit::Violation,
            Self::NoSchema(_) => Exit::Usage,
            Self::Corpus(error) => error.exit(),
            Self::Layer(error) => error.exit(),
        }
    }
}

/// Whether the corpus belongs into this database of a run.
pub(crate) fn is_for(target: &Target, named: &Parsed) -> bool {
    matches!(named, Parsed::Database(_)) || target.name() == DATABASE
}

/// Refuses a database that is in production, or has no tables to load into, before anything is done to it.
pub(crate) async fn refuse(target: &Target) -> Result<(), SeedError> {
    let name = || target.name().to_owned();
    if !target.has(Layer::Ecto) {
        return Err(SeedError::NoSchema(name()));
    }
    let environment = match mark(target).await.map_err(LayerError::from)? {
        Some(mark) if !target.environment_is_explicit => mark,
        // It has none yet, or gets another.
        _ => target.environment,
    };
    if environment == Environment::Prod { Err(SeedError::Production(name())) } else { Ok(()) }
}

/// Loads what is missing, once the layers are there; with `dry_run`, says what that is.
pub(crate) async fn run(project: &Project, session: &mut Session<'_>, dry_run: bool) -> Result<(), SeedError> {
    let target = session.target;
    let missing = difference(source(project), session.connection().await?, target.name()).await?;
    if missing.is_empty() || dry_run {
        let status = if missing.is_empty() { Status::Unchanged } else { Status::Pending };
        session.report(step(target, missing.files.given, missing.vectors.given, status));
        return Ok(());
    }
    // Nobody changes the tables meanwhile, and of two who load the same one finds it done.
    session.lock().await?;
    let started = Instant::now();
    let terms = Terms { jobs: JOBS, watcher: session.console };
    let loaded = corpus::load(source(project), &target.url, &terms).await?;
    // Searches would compare all of it one by one.
    let locked = session.lock().await?;
    codes::fold(&mut locked.worker, target.name()).await.map_err(LayerError::from)?;
    let status = if loaded.is_unchanged() { Status::Unchanged } else { Status::Loaded };
    session.report(step(target, loaded.files.given, loaded.vectors.given, status).took(started.elapsed()));
    Ok(())
}

/// What a run would do on a server that does not run yet.
pub(crate) async fn forecast(project: &Project, target: &Target) -> Result<Step, SeedError> {
    let missing = difference(source(project), None, target.name()).await?;
    Ok(step(target, missing.files.given, missing.vectors.given, Status::Pending))
}

fn source(project: &Project) -> Source {
    Source::files(Repositories::one(REPOSITORY, project.root()))
}

fn step(target: &Target, files: u64, vectors: u64, status: Status) -> Step {
    let detail = format!("{files} files, {vectors} vectors");
    Step::new(target.name(), "seed", "corpus", REPOSITORY, status).detail(detail)
}

/// The mark of the database; none if it has none, or does not exist.
async fn mark(target: &Target) -> Result<Option<Environment>, database::Error> {
    let mut connection = match connection::connect(&target.url).await {
        Ok(connection) => connection,
        Err(error) if error.is_database_missing() => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    let mark = environment::mark(&mut connection).await;
    connection::close(connection).await;
    mark.map_err(database::Error::sql("read its environment", target.name()))
}
