//! The second layer: Ecto's schema, by mix, by a release, or from `structure.sql` where there is neither.

use std::path::PathBuf;
use std::time::Instant;

use ::sqlx::{AssertSqlSafe, Connection as _};
use db_service::ecto::{self, Files, State};
use db_service::gate::{self, Violation};
use db_service::step::{Status, Step};
use db_service::{Error as DatabaseError, Exit, connection};

use super::mix::Mix;
use super::{Layer, Session};
use crate::cli::EctoMode;
use crate::error::Error;
use crate::structure;
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

/// What stops this layer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum EctoError {
    #[error("cannot migrate database `{database}` with Ecto: mix is not on PATH")]
    NoMix { database: String },
    #[error("cannot load `structure.sql` into database `{0}`: it is not empty")]
    NotEmpty(String),
    #[error("cannot load `structure.sql`: it lacks Ecto migration `{0}`")]
    StructureBehind(String),
    #[error("cannot read `{}`", .path.display())]
    StructureUnreadable {
        path: PathBuf,
        #[source]
        source: std::io::Error,
    },
    #[error("`{command}` succeeded, yet Ecto migration `{first}` is still pending in database `{database}`")]
    StillPending { command: String, first: String, database: String },
    #[error("cannot migrate database `{database}` with Ecto")]
    Tool {
        database: String,
        #[source]
        source: crate::process::ProcessError,
    },
}

impl EctoError {
    pub(crate) fn hint(&self) -> Option<String> {
        Some(match self {
            Self::NoMix { .. } => {
                "install Elixir 1.15 or later, or name a release with `--ecto-command`; only an empty database can be loaded from `structure.sql` without mix".into()
            }
            Self::NotEmpty(_) => "use `--ecto migrate`, or another, empty database".into(),
            Self::StructureBehind(_) => "run `cargo xtask db-structure`, which writes it anew and needs mix".into(),
            Self::StructureUnreadable { .. } => "restore it from git, or run `cargo xtask db-structure`".into(),
            Self::StillPending { .. } => "does that command read DATABASE_URL, and does it have the migrations of this source tree?".into(),
            Self::Tool { source, .. } => {
                return source.hint().map(|hint| format!("{hint}; migrations that were done stay done"));
            }
        })
    }

    pub(crate) fn exit(&self) -> Exit {
        match self {
            Self::StructureBehind(_) => Exit::Violation,
            _ => Exit::Failed,
        }
    }
}

/// What is to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Plan {
    applied: Vec<String>,
    pending: Vec<String>,
    how: How,
}

/// Who does it.
#[derive(Clone, Debug, PartialEq, Eq)]
enum How {
    Mix,
    Command(String),
    Load { sql: String },
}

impl Layer for Ecto {
    type State = State;
    type Plan = Plan;

    async fn inspect(&self, session: &mut Session<'_>) -> Result<State, Error> {
        inspect(session).await
    }

    fn plan(&self, state: &State, target: &Target) -> Result<Plan, Error> {
        let violated = |violation: Violation| DatabaseError::Violation { database: target.name.clone(), violation };
        gate::check_ledger(&self.files, state).map_err(violated)?;
        let name = |version: i64| self.files.name(version).unwrap_or_default().to_owned();
        let pending = state.pending(&self.files);
        let how = if pending.is_empty() { How::Mix } else { self.how(state, target)? };
        Ok(Plan {
            applied: state.applied().iter().copied().map(name).collect(),
            pending: pending.into_iter().map(name).collect(),
            how,
        })
    }

    async fn apply(&self, plan: &Plan, session: &mut Session<'_>) -> Result<(), Error> {
        let target = session.target;
        report(&plan.applied, Status::Unchanged, session);
        if plan.pending.is_empty() {
            return Ok(());
        }
        let started = Instant::now();
        let failed = |source| EctoError::Tool { database: target.name.clone(), source };
        if !matches!(plan.how, How::Load { .. }) {
            end_orphans(session).await?;
        }
        let (status, command) = match &plan.how {
            How::Mix => {
                self.mix.migrate(target, session.console).await.map_err(failed)?;
                (Status::Applied, "mix ecto.migrate")
            }
            How::Command(command) => {
                self.mix.run_release(command, target, session.console).await.map_err(failed)?;
                (Status::Applied, command.as_str())
            }
            How::Load { sql } => {
                load(sql, target).await?;
                (Status::Loaded, "structure.sql")
            }
        };
        // Exit code 0 is no proof: the ledger is.
        let left = inspect(session).await?.pending(&self.files);
        if let Some(first) = left.first().and_then(|version| self.files.name(*version)) {
            let (command, first, database) = (command.to_owned(), first.to_owned(), target.name.clone());
            return Err(EctoError::StillPending { command, first, database }.into());
        }
        let took = started.elapsed();
        report(&plan.pending, status, session);
        if let Some(last) = session.steps.last_mut() {
            last.duration = Some(took);
        }
        Ok(())
    }
}

impl Ecto {
    fn how(&self, state: &State, target: &Target) -> Result<How, Error> {
        if let Some(command) = &self.command {
            return Ok(How::Command(command.clone()));
        }
        let is_empty = !state.has_relations;
        match self.mode {
            EctoMode::Auto | EctoMode::Migrate if self.mix.is_installed() => Ok(How::Mix),
            EctoMode::Auto | EctoMode::Load if is_empty => self.load_plan(),
            EctoMode::Auto | EctoMode::Migrate => Err(EctoError::NoMix { database: target.name.clone() }.into()),
            EctoMode::Load => Err(EctoError::NotEmpty(target.name.clone()).into()),
        }
    }

    fn load_plan(&self) -> Result<How, Error> {
        let sql = std::fs::read_to_string(&self.structure)
            .map_err(|source| EctoError::StructureUnreadable { path: self.structure.clone(), source })?;
        let loaded = structure::versions(&sql);
        match self
            .files
            .versions()
            .find(|version| !loaded.contains(version))
            .and_then(|version| self.files.name(version))
        {
            Some(name) => Err(EctoError::StructureBehind(name.to_owned()).into()),
            None => Ok(How::Load { sql }),
        }
    }
}

impl super::Plan for Plan {
    fn is_empty(&self) -> bool {
        self.pending.is_empty()
    }

    fn steps(&self, target: &Target) -> Vec<Step> {
        let step = |name: &String, status| Step::new(&target.name, "ecto", "migration", name, status);
        let applied = self.applied.iter().map(|name| step(name, Status::Unchanged));
        applied.chain(self.pending.iter().map(|name| step(name, Status::Pending).detail(self.how.describe()))).collect()
    }
}

impl How {
    fn describe(&self) -> &str {
        match self {
            Self::Mix => "by mix",
            Self::Command(_) => "by the release",
            Self::Load { .. } => "from `structure.sql`",
        }
    }
}

/// What the ledger says; an empty database where there is none yet.
pub(crate) async fn inspect(session: &mut Session<'_>) -> Result<State, Error> {
    let target = session.target;
    let Some(connection) = session.connection().await? else { return Ok(State::empty()) };
    let failed = || DatabaseError::sql("read Ecto's ledger", &target.name);
    let mut transaction = connection.begin_with("BEGIN READ ONLY").await.map_err(failed())?;
    let state = ecto::inspect(&mut transaction, &target.name).await?;
    transaction.commit().await.map_err(failed())?;
    Ok(state)
}

/// Ends the sessions of a migration that was killed.
///
/// Its server process may still wait for somebody's lock, and do its statement later, beside ours, when Ecto's own lock
/// has long been free. We hold the lock that every run of this tool holds while it migrates, so there is no other.
async fn end_orphans(session: &mut Session<'_>) -> Result<(), Error> {
    let target = session.target;
    let failed = || DatabaseError::sql("end the sessions of a migration that was killed", &target.name);
    let connection = session.existing().await?;
    while ::sqlx::query_file_scalar!("queries/end_orphans.sql", super::mix::APPLICATION_NAME)
        .fetch_one(&mut *connection)
        .await
        .map_err(failed())?
        > 0
    {
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    Ok(())
}

fn report(names: &[String], status: Status, session: &mut Session<'_>) {
    for name in names {
        let step = Step::new(&session.target.name, "ecto", "migration", name, status);
        session.report(step);
    }
}

/// All of the file in one transaction, on a connection of its own: a dump changes session settings.
async fn load(sql: &str, target: &Target) -> Result<(), Error> {
    let failed = || DatabaseError::sql("load `structure.sql`", &target.name);
    let mut connection = connection::connect(&target.url).await?;
    connection::prepare_for_changes(&mut connection).await.map_err(failed())?;
    let mut transaction = connection.begin().await.map_err(failed())?;
    ::sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(&mut *transaction).await.map_err(failed())?;
    transaction.commit().await.map_err(failed())?;
    connection::close(connection).await;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layers::Plan as _;
    use db_service::DatabaseUrl;
    use db_service::ecto::Ledger;
    use std::path::Path;

    fn layer(mode: EctoMode, has_mix: bool, command: Option<&str>) -> Ecto {
        let app = Path::new(env!("CARGO_MANIFEST_DIR")).join("../singularity_app");
        Ecto {
            files: Files::embedded().unwrap(),
            mode,
            command: command.map(str::to_owned),
            mix: Mix::for_test(has_mix),
            structure: app.join("priv/repo/structure.sql"),
        }
    }

    fn planned(layer: &Ecto, state: &State) -> Result<&'static str, String> {
        let target = crate::target::choose(&DatabaseUrl::parse("postgres://h/d").unwrap(), None).remove(0);
        let plan = layer.plan(state, &target).map_err(|error| error.to_string())?;
        Ok(match plan {
            plan if plan.is_empty() => "nothing",
            Plan { how: How::Mix, .. } => "mix",
            Plan { how: How::Command(_), .. } => "command",
            Plan { how: How::Load { .. }, .. } => "load",
        })
    }

    #[test]
    fn who_migrates_depends_on_what_there_is() {
        let empty = State::empty();
        let used = State { ledger: Ledger::Versions(vec![20_251_005]), has_relations: true };
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
        let state = State { ledger: Ledger::Versions(layer.files.versions().collect()), has_relations: true };
        assert_eq!(planned(&layer, &state).unwrap(), "nothing");
    }

    #[test]
    fn a_structure_that_lags_behind_is_not_loaded() {
        let mut layer = layer(EctoMode::Load, false, None);
        let folder = tempfile::tempdir().unwrap();
        layer.structure = folder.path().join("structure.sql");
        assert!(planned(&layer, &State::empty()).unwrap_err().contains("cannot read"));
        std::fs::write(&layer.structure, "INSERT INTO public.\"schema_migrations\" (version) VALUES (20251005);\n")
            .unwrap();
        let error = planned(&layer, &State::empty()).unwrap_err();
        assert_eq!(
            error,
            "cannot load `structure.sql`: it lacks Ecto migration `20251004222000_create_framework_patterns`"
        );
    }
}
