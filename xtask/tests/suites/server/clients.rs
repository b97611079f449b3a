//! PostgreSQL's own programs, of the server's own version.

use std::process::Command;

use ::database::DatabaseUrl;

use super::{Holder, TestServer};
use crate::command;

impl TestServer {
    pub(crate) fn pg_dump(&self, url: &DatabaseUrl) -> Command {
        self.client(url, &[], "pg_dump", &[])
    }

    pub(crate) fn psql(&self, url: &DatabaseUrl) -> Command {
        self.client(url, &[], "psql", &[])
    }

    /// Lines as somebody types them, in a folder of their own, up to the first that fails. libpq's variables lead to a
    /// database, and there are these besides.
    pub(crate) fn shell(&self, url: &DatabaseUrl, variables: &[(&str, &str)], lines: &[String]) -> Command {
        const FOLDER: &str = r#"cd "$(mktemp -d)"; trap 'rm -rf "$PWD"' EXIT"#;
        let script = [&[FOLDER.to_owned()], lines].concat().join("\n");
        self.client(url, variables, "sh", &["-euc", &script])
    }

    /// What is missing of what dumps and restores.
    pub(crate) fn lacks_programs(&self) -> Option<String> {
        let postgres = self.named("postgres");
        let version = |program: &str| {
            let output = self.client(&postgres.url, &[], program, &["--version"]).output().ok()?;
            let text = String::from_utf8_lossy(&output.stdout).into_owned();
            text.split(|character: char| !character.is_ascii_digit()).find_map(|digits| digits.parse::<u32>().ok())
        };
        let server = postgres.text("SELECT (current_setting('server_version_num')::int / 10000)::text");
        let is_old = |program: &&str| version(program).is_none_or(|version| version < server.parse().unwrap());
        let lacking = ["pg_dump", "pg_restore", "createdb", "psql"].into_iter().find(is_old);
        lacking.map(|program| format!("this machine has no `{program}` of the server's version"))
    }

    fn client(&self, url: &DatabaseUrl, variables: &[(&str, &str)], program: &str, arguments: &[&str]) -> Command {
        let libpq = url.libpq_environment();
        let variables = libpq.iter().map(|(name, value)| (*name, value.as_str())).chain(variables.iter().copied());
        let mut command;
        match &self.holder {
            Holder::Embedded { bin, .. } => {
                let own = bin.join(program);
                command = Command::new(if own.exists() { own.as_os_str() } else { program.as_ref() });
                command.env("PATH", command::path_with(bin)).envs(variables);
            }
            Holder::Container(container) => {
                command = Command::new("docker");
                command.args(["exec", "-i"]);
                for (name, value) in variables {
                    // Inside, the server listens where it always does.
                    let value = if name == "PGPORT" { "5432" } else { value };
                    command.args(["-e", &format!("{name}={value}")]);
                }
                command.arg(container.id()).arg(program);
            }
            Holder::Elsewhere => {
                command = Command::new(program);
                command.envs(variables);
            }
        }
        command.args(arguments);
        command
    }
}

/// The password with which to log in to it.
pub(crate) fn password(url: &DatabaseUrl) -> Option<String> {
    url.libpq_environment().into_iter().find_map(|(name, value)| (name == "PGPASSWORD").then_some(value))
}

/// What leads to a database, as libpq's keywords and values.
pub(crate) fn conninfo(url: &DatabaseUrl) -> String {
    let variables = url.libpq_environment().into_iter();
    let words = variables.map(|(name, value)| {
        let keyword = name.trim_start_matches("PG").to_lowercase().replace("database", "dbname");
        format!("{keyword}={value}")
    });
    words.collect::<Vec<_>>().join(" ")
}
