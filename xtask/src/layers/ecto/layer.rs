//! The second layer: Ecto's schema, by mix, by a release, or from `structure.sql` where there is neither.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use database::transaction;
use db_service::status;
use ledger::ecto::{self, EctoState, Files};
use ledger::gate;
use ledger::history::{self, History};
use ledger::migrate::LedgerState;
use ledger::structure::Batch;
use terminal::step::{Status, Step};

use super::error::EctoError;
use super::load;
use super::mix::{self, Mix};
use super::partitions::are_there;
use crate::cli::{self, EctoMode};
use crate::layers::contract::{Layer, LayerPlan};
use crate::layers::error::LayerError;
use crate::layers::session::Session;
use crate::target::Target;

/// The layer with the user's wishes.
#[derive(Debug)]
pub(crate) struct Ecto {
    pub(crate) files: Files,
    pub(crate) mode: EctoMode,
    /// A release's own command, in place of mix.
    pub(crate) command: Option<String>,
    pub(crate) mix: Mix,
    /// The dump of what the files make.
    pub(crate) structure: PathBuf,
}

/// What is to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct EctoPlan {
    applied: Vec<String>,
    pending: Vec<String>,
    how: How,
    /// Whether `--ecto load` would do as well.
    is_loadable: bool,
}

/// Who does it.
#[derive(Clone, Debug, PartialEq, Eq)]
enum How {
    Mix,
    Command(String),
    Load(Vec<Batch>),
}

impl Layer for Ecto {
    const NAME: cli::Layer = cli::Layer::Ecto;
    type State = EctoState;
    type Plan = EctoPlan;

    async fn inspect(&self, session: &mut Session<'_>) -> Result<EctoState, LayerError> {
        inspect(session).await
    }

    fn plan(&self, state: &EctoState, target: &Target) -> Result<EctoPlan, LayerError> {
        let violations = gate::check_ledger(&self.files, state);
        if !violations.is_empty() {
            return Err(ledger::Error::broken(target.name())(violations).into());
        }
        let name = |version: i64| self.files.name(version).unwrap_or_default().to_owned();
        let pending = state.pending(&self.files);
        let how = if pending.is_empty() { How::Mix } else { self.how(state, target)? };
        Ok(EctoPlan {
            applied: state.applied().iter().copied().map(name).collect(),
            pending: pending.into_iter().map(name).collect(),
            how,
            is_loadable: !state.has_relations,
        })
    }

    async fn look(&self, session: &mut Session<'_>) -> Result<(), LayerError> {
        let state = inspect(session).await?;
        let target = session.target;
        let history = match session.connection().await? {
            Some(connection) => history::read(connection, &state, &LedgerState::default(), target.name()).await?,
            None => History::default(),
        };
        session.steps.extend(status::at_ecto(&self.files, state.applied(), &history, target.name()));
        match gate::check_ledger(&self.files, &state) {
            violations if violations.is_empty() => Ok(()),
            violations => Err(ledger::Error::broken(target.name())(violations).into()),
        }
    }

    async fn apply(&self, plan: &EctoPlan, session: &mut Session<'_>) -> Result<(), LayerError> {
        let target = session.target;
        report(&plan.applied, Status::Unchanged, session);
        if plan.pending.is_empty() {
            return Ok(());
        }
        let started = Instant::now();
        let (status, command) = self.bring_about(plan, session).await?;
        // Exit code 0 is no proof: the ledger is.
        let left = inspect(session).await?.pending(&self.files);
        if let Some(first) = left.first().and_then(|version| self.files.name(*version)) {
            let (first, database) = (first.to_owned(), target.name().to_owned());
            return Err(EctoError::StillPending { command, first, database }.into());
        }
        let took = started.elapsed();
        report(&plan.pending, status, session);
        if let Some(last) = session.steps.last_mut() {
            last.duration = Some(took);
        }
        Ok(())
    }

    fn forecast(&self, target: &Target) -> Result<Vec<Step>, LayerError> {
        Ok(self.plan(&EctoState::empty(), target)?.steps(target))
    }
}

impl Ecto {
    fn how(&self, state: &EctoState, target: &Target) -> Result<How, LayerError> {
        if let Some(command) = &self.command {
            return Ok(How::Command(command.clone()));
        }
        let is_empty = !state.has_relations;
        match self.mode {
            EctoMode::Auto | EctoMode::Migrate if self.mix.is_installed() => Ok(How::Mix),
            EctoMode::Auto | EctoMode::Load if is_empty => Ok(How::Load(load::plan(&self.structure, &self.files)?)),
            EctoMode::Auto | EctoMode::Migrate => Err(EctoError::NoMix { database: target.name().to_owned() }.into()),
            EctoMode::Load => Err(EctoError::NotEmpty(target.name().to_owned()).into()),
        }
    }

    /// Lets whoever was chosen do it; gives what is to be said of it, and their name.
    async fn bring_about(&self, plan: &EctoPlan, session: &mut Session<'_>) -> Result<(Status, String), LayerError> {
        let target = session.target;
        let database = || target.name().to_owned();
        let outcome = match &plan.how {
            How::Load(batches) => {
                load::apply(batches, &session.lock().await?.lock, target).await?;
                return Ok((Status::Loaded, "structure.sql".into()));
            }
            How::Mix => {
                let prepared = self.mix.prepare(target, session.console).await;
                prepared.map_err(|source| EctoError::Prepare {
                    database: database(),
                    is_loadable: plan.is_loadable,
                    source,
                })?;
                end_orphans(session).await?;
                self.mix.migrate(target, session.console).await.map(|()| "mix ecto.migrate".into())
            }
            How::Command(command) => {
                end_orphans(session).await?;
                self.mix.run_release(command, target, session.console).await.map(|()| mix::program(command))
            }
        };
        match outcome {
            Ok(command) => Ok((Status::Applied, command)),
            Err(source) => {
                let on_partitions = source.is_of_partitions() && are_there(session).await?;
                Err(EctoError::Tool { database: database(), on_partitions, source }.into())
            }
        }
    }
}

impl LayerPlan for EctoPlan {
    fn is_empty(&self) -> bool {
        self.pending.is_empty()
    }

    fn steps(&self, target: &Target) -> Vec<Step> {
        let step = |name: &String, status| Step::new(target.name(), "ecto", "migration", name, status);
        let applied = self.applied.iter().map(|name| step(name, Status::Unchanged));
        applied.chain(self.pending.iter().map(|name| step(name, Status::Pending).detail(self.how.describe()))).collect()
    }
}

impl How {
    fn describe(&self) -> &str {
        match self {
            Self::Mix => "by mix",
            Self::Command(_) => "by the release",
            Self::Load(_) => "from `structure.sql`",
        }
    }
}

/// What the ledger says; an empty database where there is none yet.
async fn inspect(session: &mut Session<'_>) -> Result<EctoState, LayerError> {
    let target = session.target;
    let Some(connection) = session.connection().await? else { return Ok(EctoState::empty()) };
    let failed = |error| database::Error::sql("read Ecto's ledger", target.name())(error);
    let state = transaction::run_with(connection, transaction::READ_ONLY, failed, async |connection| {
        ecto::inspect(connection, target.name()).await.map(transaction::End::Commit)
    });
    Ok(state.await?)
}

/// Ends the sessions of a migration that was killed.
///
/// Its server process may still wait for somebody's lock, and do its statement later, beside ours, when Ecto's own lock
/// has long been free. We hold the lock that every run of this tool holds while it migrates, so there is no other.
async fn end_orphans(session: &mut Session<'_>) -> Result<(), LayerError> {
    let target = session.target;
    let failed = || database::Error::sql("end the sessions of a migration that was killed", target.name());
    let worker = &mut session.lock().await?.worker;
    while sqlx::query_file_scalar!("queries/end_orphans.sql", mix::APPLICATION_NAME)
        .fetch_one(&mut **worker)
        .await
        .map_err(failed())?
        > 0
    {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    Ok(())
}

fn report(names: &[String], status: Status, session: &mut Session<'_>) {
    for name in names {
        let step = Step::new(session.target.name(), "ecto", "migration", name, status);
        session.report(step);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use database::DatabaseUrl;
    use ledger::ecto::Ledger;
    use std::path::Path;

    fn layer(mode: EctoMode, has_mix: bool, command: Option<&str>) -> Ecto {
        let app = Path::new(env!("CARGO_MANIFEST_DIR")).join("../singularity_app");
        Ecto {
            files: Files::read(&app.join("priv/repo/migrations")).unwrap(),
            mode,
            command: command.map(str::to_owned),
            mix: Mix::for_test(has_mix),
            structure: app.join("priv/repo/structure.sql"),
        }
    }

    fn planned(layer: &Ecto, state: &EctoState) -> Result<&'static str, String> {
        let target = crate::target::one(&DatabaseUrl::parse("postgres://h/d").unwrap(), None);
        let plan = layer.plan(state, &target).map_err(|error| error.to_string())?;
        Ok(match plan {
            plan if plan.is_empty() => "nothing",
            EctoPlan { how: How::Mix, .. } => "mix",
            EctoPlan { how: How::Command(_), .. } => "command",
            EctoPlan { how: How::Load(_), .. } => "load",
        })
    }

    #[test]
    fn who_migrates_depends_on_what_there_is() {
        let empty = EctoState::empty();
        let used = EctoState { ledger: Ledger::Versions(vec![20_251_005]), has_relations: true };
        let auto = |has_mix| layer(EctoMode::Auto, has_mix, None);
        assert_eq!(planned(&auto(true), &empty).unwrap(), "mix");
        assert_eq!(planned(&auto(false), &empty).unwrap(), "load");
        assert_eq!(planned(&auto(true), &used).unwrap(), "mix");
        assert!(planned(&auto(false), &used).unwrap_err().contains("mix is not on PATH"));
        assert_eq!(planned(&layer(EctoMode::Auto, true, Some("bin/x")), &used).unwrap(), "command");
        assert!(planned(&layer(EctoMode::Load, true, None), &used).unwrap_err().contains("is not empty"));
        assert!(planned(&layer(EctoMode::Migrate, false, None), &empty).unwrap_err().contains("mix is not on PATH"));
    }

    #[test]
    fn a_complete_ledger_needs_no_tool() {
        let layer = layer(EctoMode::Auto, false, None);
        let state = EctoState { ledger: Ledger::Versions(layer.files.versions().collect()), has_relations: true };
        assert_eq!(planned(&layer, &state).unwrap(), "nothing");
    }
}
