//! Taking a dump with a `pg_dump` that knows the server.

use std::path::PathBuf;
use std::process::Command;

use database::url::ServerUrl;
use database::{DatabaseUrl, connection};
use terminal::console::Console;

use super::error::StructureError;
use crate::project::Project;

/// A release of PostgreSQL: `17.12`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Release {
    major: u32,
    minor: u32,
}

/// A `pg_dump` that knows the server.
#[derive(Debug)]
pub(super) struct PgDump {
    program: PathBuf,
    release: Release,
}

impl PgDump {
    /// The server's own if it is the project's, else the one on PATH.
    pub(super) async fn find(server: &ServerUrl, project: &Project, console: &Console) -> Result<Self, StructureError> {
        let program = program(server, project);
        let answer = run(Command::new(&program).arg("--version"), console)?;
        let release = Release::printed(&answer).ok_or_else(|| StructureError::Version(answer.trim().to_owned()))?;
        let server = Release::of_server(&server.maintenance()).await?;
        if !release.knows(server) {
            return Err(StructureError::Older { program: release.to_string(), server: server.to_string() });
        }
        Ok(Self { program, release })
    }

    /// The schema of a database.
    pub(super) fn schema(&self, url: &DatabaseUrl, console: &Console) -> Result<String, StructureError> {
        let mut command = Command::new(&self.program);
        command.args(["--schema-only", "--no-owner", "--no-acl"]).envs(url.libpq_environment());
        if self.release.has_restrict_key() {
            // Not another one each time.
            command.arg("--restrict-key=structure");
        }
        run(&mut command, console)
    }
}

fn program(server: &ServerUrl, project: &Project) -> PathBuf {
    let running = dev_server::running(project.root()).ok().flatten();
    let own = running.filter(|running| running.url("x").contains(&format!(":{}/", server.port())));
    own.and_then(|running| running.bin_directory).map_or_else(|| "pg_dump".into(), |folder| folder.join("pg_dump"))
}

fn run(command: &mut Command, console: &Console) -> Result<String, StructureError> {
    let output = command.output().map_err(StructureError::Start)?;
    if !output.status.success() {
        return Err(StructureError::Dump(console.hide_secrets(String::from_utf8_lossy(&output.stderr).trim())));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

impl Release {
    /// Reads `pg_dump (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)`; of `19beta1` the minor release is 0.
    fn printed(answer: &str) -> Option<Self> {
        let text = answer.split("(PostgreSQL)").nth(1)?.split_whitespace().next()?;
        let (major, minor) = text.split_once('.').unwrap_or((text, "0"));
        let digits = |text: &str| text.split(|character: char| !character.is_ascii_digit()).next()?.parse().ok();
        Some(Self { major: digits(major)?, minor: digits(minor)? })
    }

    async fn of_server(url: &DatabaseUrl) -> Result<Self, StructureError> {
        let mut connection = connection::connect(url).await.map_err(database::Error::from)?;
        let number: Result<i32, _> =
            sqlx::query_scalar("SELECT pg_catalog.current_setting('server_version_num')::integer")
                .fetch_one(&mut connection)
                .await;
        connection::close(connection).await;
        let number = number.map_err(database::Error::sql("ask for the server's version", url.database()))?;
        let number = u32::try_from(number).unwrap_or_default();
        Ok(Self { major: number / 10_000, minor: number % 10_000 })
    }

    /// Whether its `pg_dump` knows what a server of that release keeps. An older one may print what only that server
    /// understands. Of another major one its age does not show; what is known to differ, the normal form leaves out.
    fn knows(self, server: Self) -> bool {
        self.major > server.major || self >= server
    }

    /// Whether its `pg_dump` takes `--restrict-key`.
    fn has_restrict_key(self) -> bool {
        let since = match self.major {
            ..13 => return false,
            13 => 22,
            14 => 19,
            15 => 14,
            16 => 10,
            17 => 6,
            18.. => 0,
        };
        self.minor >= since
    }
}

impl std::fmt::Display for Release {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{}.{}", self.major, self.minor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn release(major: u32, minor: u32) -> Release {
        Release { major, minor }
    }

    #[test]
    fn a_release_is_read_from_what_programs_print() {
        for (answer, expected) in [
            ("pg_dump (PostgreSQL) 17.12\n", Some(release(17, 12))),
            ("pg_dump (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)", Some(release(15, 18))),
            ("pg_dump (PostgreSQL) 19beta1", Some(release(19, 0))),
            ("pg_dump 17.12", None),
            ("pg_dump (PostgreSQL) devel", None),
        ] {
            assert_eq!(Release::printed(answer), expected);
        }
    }

    #[test]
    fn a_dump_is_taken_by_a_program_that_is_not_older() {
        assert!(release(17, 12).knows(release(17, 12)));
        assert!(release(17, 12).knows(release(17, 11)));
        assert!(release(18, 6).knows(release(17, 12)));
        assert!(!release(17, 11).knows(release(17, 12)));
        assert!(!release(16, 20).knows(release(17, 0)));
    }

    #[test]
    fn the_key_is_named_where_that_can_be_done() {
        let knows = [(18, 0), (17, 6), (16, 10), (15, 14), (14, 19), (13, 22), (19, 0)];
        assert!(knows.iter().all(|(major, minor)| release(*major, *minor).has_restrict_key()));
        let does_not = [(17, 5), (16, 9), (15, 13), (14, 18), (13, 21), (12, 30)];
        assert!(!does_not.iter().any(|(major, minor)| release(*major, *minor).has_restrict_key()));
    }
}
