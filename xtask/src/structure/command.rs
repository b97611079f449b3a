//! `db-structure`: `structure.sql` from a scratch database in which only Ecto was at work.

use std::time::Duration;

use database::quote::identifier;
use database::{DatabaseUrl, connection};
use ledger::ecto::Files;
use ledger::structure;
use sqlx::{AssertSqlSafe, Executor as _};
use terminal::Exit;
use terminal::console::Console;

use super::dump::PgDump;
use super::error::StructureError;
use crate::cli::{EctoMode, StructureOptions};
use crate::layers::ecto::layer::Ecto;
use crate::layers::ecto::mix::Mix;
use crate::layers::run;
use crate::layers::session::Session;
use crate::layers::telling::Telling;
use crate::project::Project;
use crate::server;
use crate::target;

pub(crate) fn run(options: &StructureOptions, project: &Project, console: &Console) -> Result<Exit, StructureError> {
    let server = server::obtain(&options.server, project, console)?;
    server.url().notes().iter().for_each(|note| console.note(note));
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(StructureError::Runtime)?;
    let scratch = server.url().database(&format!("singularity_structure_{}", std::process::id()));
    let text = runtime.block_on(async {
        let pg_dump = PgDump::find(server.url(), project, console).await?;
        execute(&scratch, "CREATE DATABASE", " ENCODING 'UTF8' TEMPLATE template0").await?;
        let text = dump_of_ecto(&scratch, &pg_dump, project, console).await;
        // Dropped whatever became of the dump; the first error is the one to report.
        let dropped = execute(&scratch, "DROP DATABASE", " WITH (FORCE)").await;
        text.and_then(|text| dropped.map(|()| text))
    })?;
    let path = project.structure();
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    if options.check {
        if let Some(line) = first_difference(&committed, &text) {
            return Err(StructureError::Differs { line });
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

async fn dump_of_ecto(
    scratch: &DatabaseUrl,
    pg_dump: &PgDump,
    project: &Project,
    console: &Console,
) -> Result<String, StructureError> {
    let target = target::one(scratch, None);
    let layer = Ecto {
        files: Files::read(&project.ecto_migrations()).map_err(ledger::Error::from)?,
        mode: EctoMode::Migrate,
        command: None,
        mix: Mix::new(project.ecto_app()),
        structure: project.structure(),
    };
    let telling = Telling::new(console, 1);
    let mut session = Session::new(&target, console, telling.teller(0), Duration::from_mins(1));
    let outcome = run::run(&layer, &mut session, false).await;
    session.end().await;
    outcome?;
    let text = pg_dump.schema(scratch, console)?;
    let versions: Vec<i64> = layer.files.versions().collect();
    Ok(structure::normalise(&text, &versions))
}

async fn execute(scratch: &DatabaseUrl, verb: &str, rest: &str) -> Result<(), StructureError> {
    let name = scratch.database();
    let mut connection = connection::connect(&scratch.server().maintenance()).await.map_err(database::Error::from)?;
    let statement = format!("{verb} {}{rest}", identifier(name));
    let outcome = connection.execute(AssertSqlSafe(statement)).await.map(drop);
    connection::close(connection).await;
    Ok(outcome.map_err(database::Error::sql("make a scratch database", name))?)
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
