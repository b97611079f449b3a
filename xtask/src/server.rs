//! The server that a run works on: the one named, the one running, or a new one.

use std::time::Duration;

use database::ServerUrl;
use database::given::Given;
use database::url::Parsed;
use dev_server::Kind;
use terminal::console::Console;
use terminal::report::ServerReport;
use terminal::step::{Status, Step};
use terminal::{Exit, Failure};

use crate::cli::{ServerKind, ServerOptions};
use crate::project::Project;

/// How long a server may take to start; the first start fetches 14 MB or builds an image.
const START_PATIENCE: Duration = Duration::from_mins(1);

/// A server to work on.
#[derive(Debug)]
pub(crate) struct TargetServer {
    kind: &'static str,
    /// With a database only if the user's URL named one.
    pub(crate) named: Parsed,
    version: Option<String>,
    /// Set where this run started it.
    pub(crate) started: Option<Step>,
}

impl TargetServer {
    /// The server, without a database.
    pub(crate) fn url(&self) -> &ServerUrl {
        self.named.server()
    }

    pub(crate) fn report(&self) -> ServerReport {
        let url = match &self.named {
            Parsed::Server(url) => url.to_string(),
            Parsed::Database(url) => url.to_string(),
        };
        ServerReport { kind: self.kind.to_owned(), url, postgresql: self.version.clone() }
    }

    /// Whether it is the project's own development server.
    pub(crate) fn is_ours(&self) -> bool {
        self.kind != "url"
    }
}

/// No server.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ServerError {
    #[error("no server is named")]
    NoUrl,
    #[error("a server that a URL names is not ours to start")]
    NotOurs,
    #[error("`--server {0}` and a database URL name two servers")]
    TwoServers(&'static str),
    #[error(transparent)]
    DatabaseUrl(#[from] database::Error),
    #[error("no development server")]
    Development(#[from] dev_server::Error),
    #[error("the development server is not running")]
    NotRunning,
    #[error("the development server has no log: it was never started")]
    NoLog,
}

impl Failure for ServerError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::NoUrl => {
                Some("set DATABASE_URL, or pass `--database-url postgres://user:password@host:5432/database`".into())
            }
            Self::NotOurs => Some("use `--server auto`, `local`, `embedded` or `container`".into()),
            Self::TwoServers(_) => Some("leave out `--server`, or unset DATABASE_URL".into()),
            Self::DatabaseUrl(error) => error.hint(),
            Self::Development(error) => error.hint(),
            Self::NotRunning | Self::NoLog => Some("run `cargo xtask db-server start`".into()),
        }
    }

    fn exit(&self) -> Exit {
        match self {
            Self::NoUrl | Self::NotOurs | Self::TwoServers(_) => Exit::Usage,
            Self::DatabaseUrl(error) => error.exit(),
            Self::Development(_) | Self::NotRunning | Self::NoLog => Exit::Failed,
        }
    }
}

/// The server that the options ask for, started if need be.
pub(crate) fn obtain(
    options: &ServerOptions,
    project: &Project,
    console: &Console,
) -> Result<TargetServer, ServerError> {
    match named(options, console)? {
        Some(server) => Ok(server),
        None => start(options.server, None, project, console),
    }
}

/// The server that the options ask for, if it is there: a dry run starts none.
pub(crate) fn find(
    options: &ServerOptions,
    project: &Project,
    console: &Console,
) -> Result<Option<TargetServer>, ServerError> {
    match named(options, console)? {
        Some(server) => Ok(Some(server)),
        None => {
            Ok(dev_server::running(project.root())?.map(|running| of_project(&running, None, console)).transpose()?)
        }
    }
}

/// The project's own development server, which runs.
pub(crate) fn of_own(project: &Project, console: &Console) -> Result<TargetServer, ServerError> {
    let running = dev_server::running(project.root())?.ok_or(ServerError::NotRunning)?;
    of_project(&running, None, console)
}

/// Starts the development server, or finds it running.
pub(crate) fn start(
    kind: ServerKind,
    port: Option<u16>,
    project: &Project,
    console: &Console,
) -> Result<TargetServer, ServerError> {
    if port.is_none()
        && kind == ServerKind::Auto
        && let Some(running) = dev_server::running(project.root())?
    {
        return of_project(&running, None, console);
    }
    let settings =
        dev_server::Settings { root: project.root().to_owned(), kind: kind_of(kind)?, port, timeout: START_PATIENCE };
    let clock = std::time::Instant::now();
    let job = console.job("server");
    let start = dev_server::start(&settings, &|text: &str| job.announce(text));
    drop(job);
    let start = start?;
    for note in &start.notes {
        console.note(&note.to_string());
    }
    let started = start.is_new.then(|| {
        Step::of_server("server", "server", start.server.kind.name(), Status::Started)
            .detail(format!("PostgreSQL {} on port {}", start.server.version, start.server.port))
            .took(clock.elapsed())
    });
    of_project(&start.server, started, console)
}

fn named(options: &ServerOptions, console: &Console) -> Result<Option<TargetServer>, ServerError> {
    let in_variable = || if options.reads_variable { Given::in_variable() } else { None };
    let Some(given) = Given::typed(options.database_url.as_deref()).or_else(in_variable) else {
        return if options.server == ServerKind::Url { Err(ServerError::NoUrl) } else { Ok(None) };
    };
    if let Some(kind) = kind_of(options.server).ok().flatten() {
        return Err(ServerError::TwoServers(kind.name()));
    }
    let named = given.read()?;
    console.keep_secret(named.secrets());
    Ok(Some(TargetServer { kind: "url", named, version: None, started: None }))
}

fn of_project(
    server: &dev_server::Server,
    started: Option<Step>,
    console: &Console,
) -> Result<TargetServer, ServerError> {
    // It has no TLS: asking for it would cost every connection a round trip.
    let url = format!("{}?sslmode=disable", server.url("postgres"));
    let url = ServerUrl::parse(&url).map_err(database::Error::from)?;
    console.keep_secret(url.secrets());
    let (kind, version) = (server.kind.name(), Some(server.version.clone()));
    Ok(TargetServer { kind, named: Parsed::Server(url), version, started })
}

fn kind_of(kind: ServerKind) -> Result<Option<Kind>, ServerError> {
    match kind {
        ServerKind::Auto => Ok(None),
        ServerKind::Url => Err(ServerError::NotOurs),
        ServerKind::Local => Ok(Some(Kind::Local)),
        ServerKind::Embedded => Ok(Some(Kind::Embedded)),
        ServerKind::Container => Ok(Some(Kind::Container)),
    }
}
