//! `db-structure`: `structure.sql` from a scratch database in which only Ecto was at work.

use std::process::{Command, Output};
use std::time::Duration;

use ::sqlx::{AssertSqlSafe, Executor as _};
use db_service::console::Console;
use db_service::ecto::Files;
use db_service::quote::identifier;
use db_service::{DatabaseUrl, Error as DatabaseError, Exit, connection, structure};

use crate::cli::{EctoMode, StructureOptions};
use crate::error::Error;
use crate::layers::ecto::Ecto;
use crate::layers::mix::Mix;
use crate::layers::{self, Session, maintenance_url};
use crate::project::Project;
use crate::server;
use crate::target;

pub(crate) use db_service::structure::versions;

/// No dump.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StructureError {
    #[error("cannot run `pg_dump`")]
    Start(#[source] std::io::Error),
    #[error("`pg_dump` failed: {0}")]
    Dump(String),
    #[error("cannot write `structure.sql`")]
    Write(#[source] std::io::Error),
    #[error("`structure.sql` is not what Ecto's migrations make: line {line} differs")]
    Differs { line: usize },
}

impl StructureError {
    pub(crate) fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Start(_) => {
                "install PostgreSQL's client programs, or use the development server, which has them".into()
            }
            Self::Dump(_) => "pg_dump must not be older than the server".into(),
            Self::Write(_) => return None,
            Self::Differs { .. } => "run `cargo xtask db-structure` and commit the file with the migration".into(),
        })
    }

    pub(crate) fn exit(&self) -> Exit {
        if matches!(self, Self::Differs { .. }) { Exit::Violation } else { Exit::Failed }
    }
}

pub(crate) fn run(options: &StructureOptions, project: &Project, console: &Console) -> Result<Exit, Error> {
    let server = server::obtain(&options.server, project, console)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(Error::Runtime)?;
    let scratch = server.url.with_database(&format!("singularity_structure_{}", std::process::id()));
    let text = runtime.block_on(async {
        execute(&scratch, "CREATE DATABASE", " ENCODING 'UTF8' TEMPLATE template0").await?;
        let text = dump_of_ecto(&scratch, project, console).await;
        // Dropped whatever became of the dump; the first error is the one to report.
        let dropped = execute(&scratch, "DROP DATABASE", " WITH (FORCE)").await;
        text.and_then(|text| dropped.map(|()| text))
    })?;
    let path = project.structure();
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    if options.check {
        if let Some(line) = first_difference(&committed, &text) {
            return Err(StructureError::Differs { line }.into());
        }
        console.result("Unchanged `structure.sql`: it is what Ecto's migrations make");
        return Ok(Exit::Done);
    }
    if committed == text {
        console.result("Unchanged `structure.sql`");
    } else {
        std::fs::write(&path, text).map_err(StructureError::Write)?;
        console.result(&format!("Wrote `{}`", path.display()));
    }
    Ok(Exit::Done)
}

async fn dump_of_ecto(scratch: &DatabaseUrl, project: &Project, console: &Console) -> Result<String, Error> {
    let target = target::choose(scratch, None).remove(0);
    let layer = Ecto {
        files: Files::read(&project.ecto_migrations()).map_err(DatabaseError::from)?,
        mode: EctoMode::Migrate,
        command: None,
        mix: Mix::new(project.ecto_app()),
        structure: project.structure(),
    };
    let mut session = Session::new(&target, console, Duration::from_mins(1));
    let outcome = layers::run(&layer, &mut session, false).await;
    session.end().await;
    outcome?;
    let output = pg_dump(scratch, project).map_err(StructureError::Start)?;
    if !output.status.success() {
        let why = console.redact(String::from_utf8_lossy(&output.stderr).trim());
        return Err(StructureError::Dump(why).into());
    }
    let versions: Vec<i64> = layer.files.versions().collect();
    Ok(structure::normalise(&String::from_utf8_lossy(&output.stdout), &versions))
}

/// The server's own `pg_dump` where it is the project's: another one may be too old for it.
fn pg_dump(url: &DatabaseUrl, project: &Project) -> std::io::Result<Output> {
    let running = dev_server::running(project.root()).ok().flatten();
    let own = running.filter(|server| server.url("x").contains(&format!(":{}/", url.port())));
    let folder = own.and_then(|server| server.bin_directory);
    let program = folder.map_or_else(|| "pg_dump".into(), |folder| folder.join("pg_dump"));
    Command::new(program).args(["--schema-only", "--no-owner", "--no-acl"]).envs(url.libpq_environment()).output()
}

async fn execute(scratch: &DatabaseUrl, verb: &str, rest: &str) -> Result<(), Error> {
    let name = scratch.database().unwrap_or_default();
    let mut connection = connection::connect(&maintenance_url(scratch)).await?;
    let statement = format!("{verb} {}{rest}", identifier(name));
    let outcome = connection.execute(AssertSqlSafe(statement)).await.map(drop);
    connection::close(connection).await;
    outcome.map_err(|error| DatabaseError::sql("make a scratch database", name)(error).into())
}

fn first_difference(left: &str, right: &str) -> Option<usize> {
    let (mut left, mut right) = (left.lines(), right.lines());
    for line in 1.. {
        match (left.next(), right.next()) {
            (None, None) => break,
            (left, right) if left != right => return Some(line),
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_difference_is_a_line_number() {
        assert_eq!(first_difference("a\nb\n", "a\nb\n"), None);
        assert_eq!(first_difference("a\nb\n", "a\nc\n"), Some(2));
        assert_eq!(first_difference("a\n", "a\nb\n"), Some(2));
    }
}
