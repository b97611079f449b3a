//! Commands for people: a psql session and the log.

use std::io::IsTerminal;
use std::path::Path;
use std::process::Command;

use crate::process;
use crate::server::{Log, Server};

/// The command that opens `database` in psql, to be run with the caller's terminal. It does not hold the password.
#[must_use]
pub fn psql(server: &Server, database: &str) -> Command {
    match &server.log {
        Log::Container { engine, name } => psql_in_container(engine, name, database, std::io::stdin().is_terminal()),
        Log::File(_) => {
            let directory = server.bin_directory.as_deref().unwrap_or(Path::new(""));
            let mut command = Command::new(directory.join("psql"));
            process::without_caller_settings(&mut command);
            command
                .args(["--host", "127.0.0.1", "--port", &server.port.to_string()])
                .args(["--username", &server.user, "--dbname", database])
                .env("PGPASSFILE", &server.password_file);
            command
        }
    }
}

/// The command that shows the last `lines` of the log and, with `follow`, what comes after.
#[must_use]
pub fn logs(log: &Log, lines: u32, follow: bool) -> Command {
    let mut command;
    match log {
        Log::File(path) => {
            command = Command::new("tail");
            command.args(["-n", &lines.to_string()]).args(follow.then_some("-f")).arg(path);
        }
        Log::Container { engine, name } => {
            command = Command::new(engine);
            command.args(["logs", "--tail", &lines.to_string()]).args(follow.then_some("--follow")).arg(name);
        }
    }
    command
}

/// The container has the password in its own environment, so it need not leave it.
fn psql_in_container(engine: &str, name: &str, database: &str, terminal: bool) -> Command {
    let script = "PGPASSWORD=$POSTGRES_PASSWORD exec psql --host 127.0.0.1 --username postgres \"$@\"";
    let mut command = Command::new(engine);
    command
        .args(["exec", "--interactive"])
        .args(terminal.then_some("--tty"))
        .args([name, "sh", "-c", script, "psql", "--dbname", database]);
    command
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;
    use crate::server::tests::example;

    fn arguments(command: &Command) -> Vec<&str> {
        command.get_args().map(|argument| argument.to_str().unwrap()).collect()
    }

    fn container() -> Log {
        Log::Container { engine: "podman".to_owned(), name: "c".to_owned() }
    }

    #[test]
    fn psql_reads_the_password_from_a_file() {
        let command = psql(&example(Log::File(PathBuf::from("/l"))), "it's");
        assert_eq!(command.get_program(), "/pg/bin/psql");
        assert_eq!(arguments(&command).join(" "), "--host 127.0.0.1 --port 20345 --username postgres --dbname it's");
        assert!(!format!("{command:?}").contains("s3cret"));
    }

    #[test]
    fn psql_of_a_container_runs_inside() {
        let command = psql_in_container("podman", "c", "d", true);
        assert_eq!(arguments(&command)[..6], ["exec", "--interactive", "--tty", "c", "sh", "-c"]);
        assert_eq!(arguments(&command)[7..], ["psql", "--dbname", "d"]);
        assert!(!arguments(&psql_in_container("podman", "c", "d", false)).contains(&"--tty"));
    }

    #[test]
    fn logs_are_a_files_end_or_the_engines() {
        let file = logs(&Log::File(PathBuf::from("/l")), 20, false);
        assert_eq!(arguments(&file), ["-n", "20", "/l"]);
        let engine = logs(&container(), 20, true);
        assert_eq!(engine.get_program(), "podman");
        assert_eq!(arguments(&engine), ["logs", "--tail", "20", "--follow", "c"]);
    }
}
