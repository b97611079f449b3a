//! Running other programs: their output passed on line by line, without secrets.

use std::collections::BTreeSet;
use std::process::{ExitStatus, Stdio};

use terminal::console::Console;
use tokio::io::{AsyncBufReadExt as _, AsyncRead, BufReader};
use tokio::process::Command;

/// A program did not do its work.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ProcessError {
    #[error("cannot run `{command}`")]
    Start {
        command: String,
        #[source]
        source: std::io::Error,
    },
    #[error("`{command}` failed: {status}")]
    Status {
        command: String,
        status: ExitStatus,
        /// The SQLSTATEs of errors in what it has said.
        states: BTreeSet<String>,
    },
}

/// What PostgreSQL answers on a partitioned table to what works on a plain one: not supported, no matching unique
/// constraint, a column of the partition key, the wrong kind of object.
const OF_PARTITIONS: [&str; 4] = ["0A000", "42830", "42P16", "42809"];

impl ProcessError {
    /// Whether it may have failed because a table is partitioned.
    pub(crate) fn is_of_partitions(&self) -> bool {
        matches!(self, Self::Status { states, .. } if OF_PARTITIONS.iter().any(|state| states.contains(*state)))
    }

    pub(crate) fn hint(&self) -> Option<String> {
        match self {
            Self::Start { source, .. } if source.kind() == std::io::ErrorKind::NotFound => {
                Some("install it, or put it on PATH".into())
            }
            Self::Start { .. } => None,
            Self::Status { .. } => Some("its output above says why; mend that and run the same command again".into()),
        }
    }
}

/// Runs `"$@"` and kills it when stdin ends, which is when we are gone, however that came about: a migration must not go
/// on behind the back of the next run. The watcher keeps no output open, so that our reading ends with the program.
const LEASH: &str = r#"
exec 3<&0
"$@" </dev/null 3<&- &
program=$!
{ cat <&3; kill -KILL "$program"; } >/dev/null 2>&1 &
watcher=$!
exec 3<&-
wait "$program"
status=$?
kill "$watcher" 2>/dev/null
exit "$status"
"#;

/// Runs a program to its end, each line of its output passed on as `label | line`. It dies with us. Errors call it `name`:
/// its arguments and its environment may hold secrets.
///
/// It runs in a process group of its own: Ctrl-C reaches us, and ends it with us. (In one group with us, the BEAM would
/// answer Ctrl-C with a menu.)
pub(crate) async fn run(command: Command, name: &str, label: &str, console: &Console) -> Result<(), ProcessError> {
    let failed = |source| ProcessError::Start { command: name.to_owned(), source };
    let mut leashed = leash(&command);
    leashed.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).process_group(0).kill_on_drop(true);
    let mut child = leashed.spawn().map_err(failed)?;
    // Taken, so that waiting for the child does not close it.
    let leash = child.stdin.take();
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    let (status, mut said, said_as_error) =
        tokio::join!(child.wait(), pass_on(stdout, label, console), pass_on(stderr, label, console));
    drop(leash);
    let status = status.map_err(failed)?;
    if status.success() {
        return Ok(());
    }
    said.extend(said_as_error);
    Err(ProcessError::Status { command: name.to_owned(), status, states: said })
}

/// The same program, with the same arguments, folder and environment, under the shell that watches us.
fn leash(command: &Command) -> Command {
    let command = command.as_std();
    let mut leashed = Command::new("sh");
    leashed.args(["-c", LEASH, "sh"]).arg(command.get_program()).args(command.get_args());
    leashed.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
    if let Some(folder) = command.get_current_dir() {
        leashed.current_dir(folder);
    }
    leashed
}

/// Gives the SQLSTATEs of errors that went by.
async fn pass_on(stream: Option<impl AsyncRead + Unpin>, label: &str, console: &Console) -> BTreeSet<String> {
    let mut states = BTreeSet::new();
    let Some(stream) = stream else { return states };
    let mut reader = BufReader::new(stream);
    let mut line = Vec::new();
    // Bytes, not text: a line that is no UTF-8 must not end the reading and so block the program.
    while reader.read_until(b'\n', &mut line).await.is_ok_and(|count| count > 0) {
        let text = String::from_utf8_lossy(&line);
        // Logger ends each message in an empty line.
        if !text.trim().is_empty() {
            console.passed_on(label, text.trim_end());
        }
        states.extend(sql_states(&text).map(str::to_owned));
        line.clear();
    }
    states
}

/// The SQLSTATEs in a line, as Postgrex writes errors: `ERROR 0A000 (feature_not_supported) …`.
fn sql_states(line: &str) -> impl Iterator<Item = &str> {
    line.split("ERROR ").skip(1).filter_map(|rest| {
        let (state, rest) = rest.split_once(' ')?;
        (state.len() == 5 && rest.starts_with('(')).then_some(state)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::{Duration, Instant};

    fn shell(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command
    }

    #[tokio::test]
    async fn the_status_of_the_program_is_ours() {
        let console = Console::new();
        assert!(run(shell("exit 0"), "sh", "x", &console).await.is_ok());
        let error = run(shell("exit 3"), "sh", "x", &console).await.unwrap_err();
        assert_eq!(error.to_string(), "`sh` failed: exit status: 3");
        let error = run(Command::new("no-such-program"), "no-such-program", "x", &console).await.unwrap_err();
        assert_eq!(error.to_string(), "`no-such-program` failed: exit status: 127");
    }

    #[tokio::test]
    async fn a_failure_on_a_partitioned_table_is_known_by_its_state() {
        let console = Console::new();
        for (line, is_of_partitions) in [
            ("** (Postgrex.Error) ERROR 0A000 (feature_not_supported) cannot create index on partitioned table", true),
            ("** (Postgrex.Error) ERROR 42P07 (duplicate_table) relation exists", false),
            ("0A000 rows, 42830 more; ERROR 42809", false),
        ] {
            let error = run(shell(&format!("echo '{line}' >&2; exit 1")), "sh", "x", &console).await.unwrap_err();
            assert_eq!(error.is_of_partitions(), is_of_partitions, "{line}");
        }
    }

    #[tokio::test]
    async fn the_program_dies_with_the_one_who_waits_for_it() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("pid");
        let mut command = shell("echo $$ > pid; exec sleep 60");
        command.current_dir(folder.path());
        let console = Console::new();
        let waiting = tokio::time::timeout(Duration::from_millis(500), run(command, "sh", "x", &console));
        assert!(waiting.await.is_err(), "the program is still running");
        let pid: i32 = std::fs::read_to_string(file).unwrap().trim().parse().unwrap();
        let started = Instant::now();
        while is_alive(pid) {
            assert!(started.elapsed() < Duration::from_secs(5), "process {pid} outlived us");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    fn is_alive(pid: i32) -> bool {
        // Dead, and nobody has asked how it ended: process 1 of some containers never does.
        let is_zombie = |stat: String| stat.rsplit_once(") ").is_some_and(|(_, rest)| rest.starts_with('Z'));
        if std::fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(is_zombie) {
            return false;
        }
        // The shell's own `kill`: small machines have no other.
        let status =
            std::process::Command::new("sh").args(["-c", &format!("kill -0 {pid}")]).stderr(Stdio::null()).status();
        status.unwrap().success()
    }
}
