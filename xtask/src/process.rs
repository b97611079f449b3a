//! Running other programs: their output passed on line by line, without secrets.

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
    Status { command: String, status: ExitStatus },
}

impl ProcessError {
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

/// Runs a program to its end, each line of its output passed on as `label | line`. It dies with us.
///
/// It runs in a process group of its own: Ctrl-C reaches us, and ends it with us. (In one group with us, the BEAM would
/// answer Ctrl-C with a menu.)
pub(crate) async fn run(command: Command, label: &str, console: &Console) -> Result<(), ProcessError> {
    let name = describe(&command);
    let failed = |source| ProcessError::Start { command: name.clone(), source };
    let mut leashed = leash(&command);
    leashed.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).process_group(0).kill_on_drop(true);
    let mut child = leashed.spawn().map_err(failed)?;
    // Taken, so that waiting for the child does not close it.
    let leash = child.stdin.take();
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    let (status, (), ()) = tokio::join!(child.wait(), pass_on(stdout, label, console), pass_on(stderr, label, console));
    drop(leash);
    let status = status.map_err(failed)?;
    if status.success() { Ok(()) } else { Err(ProcessError::Status { command: name, status }) }
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

/// The program and its arguments; not its environment, which holds the database URL.
fn describe(command: &Command) -> String {
    let command = command.as_std();
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words.map(|word| word.to_string_lossy().into_owned()).collect::<Vec<_>>().join(" ")
}

async fn pass_on(stream: Option<impl AsyncRead + Unpin>, label: &str, console: &Console) {
    let Some(stream) = stream else { return };
    let mut reader = BufReader::new(stream);
    let mut line = Vec::new();
    // Bytes, not text: a line that is no UTF-8 must not end the reading and so block the program.
    while reader.read_until(b'\n', &mut line).await.is_ok_and(|count| count > 0) {
        let text = String::from_utf8_lossy(&line);
        // Logger ends each message in an empty line.
        if !text.trim().is_empty() {
            console.passed_on(label, text.trim_end());
        }
        line.clear();
    }
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
        assert!(run(shell("exit 0"), "x", &console).await.is_ok());
        let error = run(shell("exit 3"), "x", &console).await.unwrap_err();
        assert_eq!(error.to_string(), "`sh -c exit 3` failed: exit status: 3");
        let error = run(Command::new("no-such-program"), "x", &console).await.unwrap_err();
        assert_eq!(error.to_string(), "`no-such-program` failed: exit status: 127");
    }

    #[tokio::test]
    async fn the_program_dies_with_the_one_who_waits_for_it() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("pid");
        let mut command = shell("echo $$ > pid; exec sleep 60");
        command.current_dir(folder.path());
        let console = Console::new();
        let waiting = tokio::time::timeout(Duration::from_millis(500), run(command, "x", &console));
        assert!(waiting.await.is_err(), "the program is still running");
        let pid: i32 = std::fs::read_to_string(file).unwrap().trim().parse().unwrap();
        let started = Instant::now();
        while is_alive(pid) {
            assert!(started.elapsed() < Duration::from_secs(5), "process {pid} outlived us");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    fn is_alive(pid: i32) -> bool {
        // The shell's own `kill`: small machines have no other.
        let status =
            std::process::Command::new("sh").args(["-c", &format!("kill -0 {pid}")]).stderr(Stdio::null()).status();
        status.unwrap().success()
    }
}
