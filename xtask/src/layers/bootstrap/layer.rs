//! The first layer: the database and its extensions. Creates no schema, and never edits a server's configuration.

use database::{connection, transaction};
use sqlx::PgConnection;
use terminal::step::{Status, Step};

use super::error::ExtensionError;
use super::facts::{self, BootstrapState, DatabaseFacts};
use super::known::{Policy, Wish};
use super::plan::{self, Action, BootstrapPlan};
use super::{apply, extension, version};
use crate::cli;
use crate::layers::contract::{Layer, LayerPlan as _};
use crate::layers::error::LayerError;
use crate::layers::run::run;
use crate::layers::session::Session;
use crate::target::Target;

/// The layer with the user's wishes.
#[derive(Debug)]
pub(crate) struct Bootstrap {
    pub(crate) wishes: Vec<Wish>,
    /// The server is the project's own: remedies differ.
    pub(crate) own_server: bool,
}

impl Layer for Bootstrap {
    const NAME: cli::Layer = cli::Layer::Bootstrap;
    type State = BootstrapState;
    type Plan = BootstrapPlan;

    async fn inspect(&self, session: &mut Session<'_>) -> Result<BootstrapState, LayerError> {
        let target = session.target;
        if let Some(connection) = session.connection().await? {
            return self.read(connection, target.name(), true).await;
        }
        let maintenance = target.url.server().maintenance();
        let mut connection = connection::connect(&maintenance).await?;
        let state = self.read(&mut connection, maintenance.database(), false).await;
        connection::close(connection).await;
        state
    }

    fn plan(&self, state: &BootstrapState, target: &Target) -> Result<BootstrapPlan, LayerError> {
        database::server::supported(state.server.version_number, &state.server.version)?;
        let absent = DatabaseFacts { encoding: "UTF8".into(), ..DatabaseFacts::default() };
        let database = state.database.as_ref().unwrap_or(&absent);
        if database.encoding != "UTF8" {
            return Err(ExtensionError::Encoding {
                database: target.name().to_owned(),
                encoding: database.encoding.clone(),
            }
            .into());
        }
        let mut actions =
            vec![Action::Database { exists: state.database.is_some() }, plan::environment(database, target)];
        let mut notes = Vec::new();
        for wish in &self.wishes {
            let action = extension::plan(wish, &state.server, database, self.own_server)
                .map_err(|why| ExtensionError::Required { name: wish.name, database: target.name().to_owned(), why })?;
            if let Some(version) = action.version() {
                notes.extend(version::note(wish.name, version));
            }
            actions.push(Action::Extension { name: wish.name, action });
        }
        Ok(BootstrapPlan { actions, notes })
    }

    async fn look(&self, session: &mut Session<'_>) -> Result<(), LayerError> {
        let state = self.inspect(session).await?;
        let steps = self.plan(&state, session.target)?.steps(session.target);
        let server = Step::new(session.target.name(), "bootstrap", "server", "PostgreSQL", Status::Found);
        session.steps.push(server.detail(&state.server.version));
        session.steps.extend(steps.into_iter().map(Step::as_found));
        Ok(())
    }

    async fn apply(&self, plan: &BootstrapPlan, session: &mut Session<'_>) -> Result<(), LayerError> {
        if let Some(Action::Database { exists: false }) = plan.actions.first() {
            apply::create_database(session).await?;
            // Now that it exists, look inside: a template may have brought extensions along.
            return Box::pin(run(self, session, false)).await;
        }
        apply::apply(plan, |name| self.policy(name), self.own_server, session).await
    }

    /// Which extensions the server offers is not known yet.
    fn forecast(&self, target: &Target) -> Result<Vec<Step>, LayerError> {
        let required = self.wishes.iter().filter(|wish| wish.policy == Policy::Required);
        let extensions = required.map(|wish| Action::Extension {
            name: wish.name,
            action: extension::Action::Create { version: String::new() },
        });
        let environment = plan::environment(&DatabaseFacts::default(), target);
        let actions = [Action::Database { exists: false }, environment].into_iter().chain(extensions);
        Ok(actions.map(|action| action.step(target, Status::Pending)).collect())
    }
}

impl Bootstrap {
    async fn read(
        &self,
        connection: &mut PgConnection,
        database: &str,
        exists: bool,
    ) -> Result<BootstrapState, LayerError> {
        let read = transaction::run(connection, transaction::READ_ONLY, async |connection| {
            let server = facts::server(connection, &self.wishes).await?;
            let database = if exists { Some(facts::database(connection).await?) } else { None };
            Ok(transaction::End::Commit(BootstrapState { server, database }))
        });
        Ok(read.await.map_err(database::Error::sql("read the extensions", database))?)
    }

    fn policy(&self, name: &str) -> Policy {
        self.wishes.iter().find(|wish| wish.name == name).map_or(Policy::Wanted, |wish| wish.policy)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use database::DatabaseUrl;
    use database::environment::Environment;

    use super::super::facts::{NextPreload, ServerFacts};
    use super::super::known::wishes;
    use super::*;

    fn target(environment: Option<Environment>) -> Target {
        crate::target::one(&DatabaseUrl::parse("postgres://h/singularity_dev").unwrap(), environment)
    }

    fn state(database: Option<DatabaseFacts>) -> BootstrapState {
        let server = ServerFacts {
            version_number: 180_006,
            version: "18.6".into(),
            next_preload: NextPreload::Unknown,
            preload: Some(vec![]),
            offered: BTreeMap::from([("vector".into(), "0.8.6".into())]),
        };
        BootstrapState { server, database }
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
        assert!(error.to_string().contains("is too old"));
        let latin = state(Some(DatabaseFacts { encoding: "SQL_ASCII".into(), ..complete() }));
        assert!(matches!(
            bootstrap().plan(&latin, &target(None)),
            Err(LayerError::Extension(ExtensionError::Encoding { .. }))
        ));
    }
}
