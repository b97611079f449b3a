//! The first layer: the database and its extensions. Creates no schema, and never edits a server's configuration.

mod apply;
mod extension;

use std::collections::BTreeMap;

use ::sqlx::{Connection as _, PgConnection};
use db_service::step::{Status, Step};
use db_service::{Error as DatabaseError, connection};

use super::{Layer, Session, maintenance_url};
use crate::error::Error;
use crate::target::Target;

pub(crate) use extension::{ExtensionError, Policy, Wish, wishes};

/// The oldest PostgreSQL that the layers are tested on.
const OLDEST_POSTGRESQL: i32 = 16;

/// The layer with the user's wishes.
#[derive(Debug)]
pub(crate) struct Bootstrap {
    pub(crate) wishes: Vec<Wish>,
    /// The server is the project's own: remedies differ.
    pub(crate) own_server: bool,
}

/// What server and database say.
#[derive(Clone, Debug)]
pub(crate) struct State {
    pub(crate) server: ServerFacts,
    /// None: there is no such database.
    pub(crate) database: Option<DatabaseFacts>,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct ServerFacts {
    pub(crate) version_number: i32,
    pub(crate) version: String,
    /// The libraries, without path and ending; none where the role may not read the setting.
    pub(crate) preload: Option<Vec<String>>,
    /// The wished extensions that the server has the files of, with the version it would install.
    pub(crate) offered: BTreeMap<String, String>,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct DatabaseFacts {
    pub(crate) environment: Option<String>,
    pub(crate) encoding: String,
    /// Installed extensions and their versions.
    pub(crate) extensions: BTreeMap<String, String>,
    /// Whether `public` holds anything of the user's.
    pub(crate) has_relations: bool,
}

/// One thing to do, or found done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    Database {
        exists: bool,
    },
    /// With the time zone of a new database, which is so set even if a run was killed right after creating it.
    Environment {
        mark: String,
        is_set: bool,
        with_time_zone: bool,
    },
    Extension {
        name: &'static str,
        action: extension::Action,
    },
}

/// What is to be done, in order, and what is worth knowing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Plan {
    actions: Vec<Action>,
    notes: Vec<String>,
}

impl Layer for Bootstrap {
    type State = State;
    type Plan = Plan;

    async fn inspect(&self, session: &mut Session<'_>) -> Result<State, Error> {
        let target = session.target;
        let failed = |database: &str| DatabaseError::sql("read the extensions", database);
        if let Some(connection) = session.connection().await? {
            let mut transaction = connection.begin_with("BEGIN READ ONLY").await.map_err(failed(&target.name))?;
            let server = self.server_facts(&mut transaction).await.map_err(failed(&target.name))?;
            let database = database_facts(&mut transaction).await.map_err(failed(&target.name))?;
            transaction.commit().await.map_err(failed(&target.name))?;
            return Ok(State { server, database: Some(database) });
        }
        let mut connection = connection::connect(&maintenance_url(&target.url)).await?;
        let mut transaction = connection.begin_with("BEGIN READ ONLY").await.map_err(failed("postgres"))?;
        let server = self.server_facts(&mut transaction).await.map_err(failed("postgres"))?;
        transaction.commit().await.map_err(failed("postgres"))?;
        connection::close(connection).await;
        Ok(State { server, database: None })
    }

    fn plan(&self, state: &State, target: &Target) -> Result<Plan, Error> {
        if state.server.version_number < OLDEST_POSTGRESQL * 10_000 {
            return Err(
                ExtensionError::TooOld { found: state.server.version.clone(), oldest: OLDEST_POSTGRESQL }.into()
            );
        }
        let absent = DatabaseFacts { encoding: "UTF8".into(), ..DatabaseFacts::default() };
        let database = state.database.as_ref().unwrap_or(&absent);
        if database.encoding != "UTF8" {
            return Err(ExtensionError::Encoding {
                database: target.name.clone(),
                encoding: database.encoding.clone(),
            }
            .into());
        }
        let mut actions = vec![Action::Database { exists: state.database.is_some() }, environment(database, target)];
        let mut notes = Vec::new();
        for wish in &self.wishes {
            let action = extension::plan(wish, &state.server, database, self.own_server)
                .map_err(|why| ExtensionError::Required { name: wish.name, database: target.name.clone(), why })?;
            if let Some(version) = action.version() {
                notes.extend(extension::note(wish.name, version));
            }
            actions.push(Action::Extension { name: wish.name, action });
        }
        Ok(Plan { actions, notes })
    }

    async fn apply(&self, plan: &Plan, session: &mut Session<'_>) -> Result<(), Error> {
        apply::apply(self, plan, session).await
    }
}

impl Bootstrap {
    /// What is pending in a database of a server that does not run yet; which extensions it offers is not known.
    pub(crate) fn forecast(&self, target: &Target) -> Vec<Step> {
        let required = self.wishes.iter().filter(|wish| wish.policy == Policy::Required);
        let extensions = required.map(|wish| Action::Extension {
            name: wish.name,
            action: extension::Action::Create { version: String::new() },
        });
        let environment = environment(&DatabaseFacts::default(), target);
        [Action::Database { exists: false }, environment]
            .into_iter()
            .chain(extensions)
            .map(|action| action.step(target, Status::Pending))
            .collect()
    }

    async fn server_facts(&self, connection: &mut PgConnection) -> Result<ServerFacts, ::sqlx::Error> {
        let names: Vec<String> = self.wishes.iter().map(|wish| wish.name.to_owned()).collect();
        let row = ::sqlx::query_file!("queries/server_facts.sql", &names).fetch_one(connection).await?;
        let preload = row.preload.map(|setting| extension::preloaded(&setting));
        let offered = row.offered.into_iter().zip(row.offered_versions).collect();
        Ok(ServerFacts { version_number: row.version_number, version: row.version, preload, offered })
    }

    fn policy(&self, name: &str) -> Policy {
        self.wishes.iter().find(|wish| wish.name == name).map_or(Policy::Wanted, |wish| wish.policy)
    }
}

impl super::Plan for Plan {
    fn is_empty(&self) -> bool {
        self.actions.iter().all(Action::is_done)
    }

    fn steps(&self, target: &Target) -> Vec<Step> {
        self.actions
            .iter()
            .map(|action| action.step(target, if action.is_done() { Status::Unchanged } else { Status::Pending }))
            .collect()
    }

    fn notes(&self) -> Vec<String> {
        self.notes.clone()
    }
}

impl Action {
    fn is_done(&self) -> bool {
        match self {
            Self::Database { exists } => *exists,
            Self::Environment { is_set, .. } => *is_set,
            Self::Extension { action, .. } => action.is_done(),
        }
    }

    /// How it is reported; an extension that is left out says so whatever the status.
    fn step(&self, target: &Target, status: Status) -> Step {
        let step = |object, name: &str| Step::new(&target.name, "bootstrap", object, name, status);
        match self {
            Self::Database { .. } => step("database", &target.name),
            Self::Environment { mark, .. } => step("environment", mark),
            Self::Extension { name, action } => action.describe(step("extension", name)),
        }
    }
}

fn environment(database: &DatabaseFacts, target: &Target) -> Action {
    let wanted = target.environment.name();
    match &database.environment {
        Some(mark) if !mark.is_empty() && (mark == wanted || !target.environment_is_explicit) => {
            Action::Environment { mark: mark.clone(), is_set: true, with_time_zone: false }
        }
        mark => Action::Environment {
            mark: wanted.to_owned(),
            is_set: false,
            with_time_zone: mark.is_none() && !database.has_relations,
        },
    }
}

async fn database_facts(connection: &mut PgConnection) -> Result<DatabaseFacts, ::sqlx::Error> {
    let row = ::sqlx::query_file!("queries/database_facts.sql").fetch_one(connection).await?;
    let extensions = row.extensions.into_iter().zip(row.versions).collect();
    Ok(DatabaseFacts {
        environment: row.environment,
        encoding: row.encoding,
        extensions,
        has_relations: row.has_relations,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::Environment;
    use crate::layers::Plan as _;
    use db_service::DatabaseUrl;

    fn target(environment: Option<Environment>) -> Target {
        crate::target::choose(&DatabaseUrl::parse("postgres://h/singularity_dev").unwrap(), environment).remove(0)
    }

    fn state(database: Option<DatabaseFacts>) -> State {
        let server = ServerFacts {
            version_number: 180_006,
            version: "18.6".into(),
            preload: Some(vec![]),
            offered: BTreeMap::from([("vector".into(), "0.8.6".into())]),
        };
        State { server, database }
    }

    fn complete() -> DatabaseFacts {
        let extensions = BTreeMap::from([("vector".to_owned(), "0.8.6".to_owned())]);
        DatabaseFacts { environment: Some("dev".into()), encoding: "UTF8".into(), extensions, has_relations: false }
    }

    fn bootstrap() -> Bootstrap {
        Bootstrap { wishes: wishes(&[], []).unwrap(), own_server: true }
    }

    #[test]
    fn a_missing_database_needs_everything() {
        let plan = bootstrap().plan(&state(None), &target(None)).unwrap();
        assert!(!plan.is_empty());
        let pending: Vec<_> = plan.steps(&target(None)).into_iter().map(|step| (step.name, step.status)).collect();
        assert_eq!(pending[0], ("singularity_dev".into(), Status::Pending));
        assert_eq!(pending[1], ("dev".into(), Status::Pending));
        assert_eq!(pending[2], ("vector".into(), Status::Pending));
    }

    #[test]
    fn a_complete_database_needs_nothing() {
        let plan = bootstrap().plan(&state(Some(complete())), &target(None)).unwrap();
        assert!(plan.is_empty(), "{plan:?}");
    }

    #[test]
    fn a_mark_is_replaced_only_when_asked() {
        let marked = state(Some(complete()));
        assert!(bootstrap().plan(&marked, &target(Some(Environment::Dev))).unwrap().is_empty());
        let plan = bootstrap().plan(&marked, &target(Some(Environment::Prod))).unwrap();
        assert!(plan.actions.contains(&Action::Environment {
            mark: "prod".into(),
            is_set: false,
            with_time_zone: false
        }));
    }

    #[test]
    fn an_old_server_and_a_database_that_is_not_utf8_are_refused() {
        let mut old = state(None);
        old.server.version_number = 130_020;
        let error = bootstrap().plan(&old, &target(None)).unwrap_err();
        assert!(matches!(error, Error::Extension(ExtensionError::TooOld { .. })));
        let latin = state(Some(DatabaseFacts { encoding: "SQL_ASCII".into(), ..complete() }));
        assert!(matches!(
            bootstrap().plan(&latin, &target(None)),
            Err(Error::Extension(ExtensionError::Encoding { .. }))
        ));
    }
}
