//! `db_service::cache`, where several processes ask for the same at once. This program is each of them, too.

use std::ffi::OsStr;
use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, Command, ExitCode, Stdio};
use std::time::Duration;

use ::database::DatabaseUrl;
use db_service::cache::{Cache, Origin};
use futures_util::future::join_all;
use sqlx::PgPool;
use sqlx::postgres::PgPoolOptions;

use crate::Verdict::{self, Passed};
use crate::command::block_on;
use crate::database::{Database, Stage};
use crate::result_cache::{ALWAYS, about, files};
use crate::server::TestServer;

crate::tests![equal_misses_of_four_processes_are_computed_once, a_process_that_dies_computing_holds_up_no_other];

/// Makes this program one of the processes, which asks in that database.
pub(crate) const URL: &str = "SUITES_ASKS_IN";

/// As one that does not come to an end: it says when it computes, and goes on until it is killed.
const NEVER_ENDS: &str = "SUITES_NEVER_ENDS";

const ASKED: usize = 250;

/// What a process does: waits for a line, asks many times at once, and says what it was answered from.
pub(crate) fn ask(url: &OsStr) -> ExitCode {
    let url = DatabaseUrl::parse(url.to_str().unwrap()).unwrap();
    let never_ends = std::env::var_os(NEVER_ENDS).is_some();
    let said = block_on(async {
        let [ours, theirs]: [PgPool; 2] =
            [8, 1].map(|most| PgPoolOptions::new().max_connections(most).connect_lazy_with(url.for_sqlx()));
        sqlx::raw_sql("SELECT").execute(&theirs).await.unwrap();
        tell("ready");
        std::io::stdin().lock().read_line(&mut String::new()).unwrap();
        let cache = Cache::new(ours.clone(), ALWAYS);
        let compute = async || {
            tell("computing");
            sqlx::raw_sql("INSERT INTO computed DEFAULT VALUES").execute(&theirs).await?;
            // Longer than it takes for all to have asked.
            tokio::time::sleep(if never_ends { Duration::MAX } else { Duration::from_millis(500) }).await;
            files(&theirs, "a").await
        };
        let answers = join_all((0..ASKED).map(|_| cache.get(about("a"), compute))).await;
        let of = |origin| answers.iter().filter(|answer| answer.as_ref().unwrap().origin == origin).count();
        let rest = answers.iter().filter(|answer| *answer.as_ref().unwrap().value != "1 2").count();
        format!("{} {} {} {rest}", of(Origin::Tables), of(Origin::Database), of(Origin::Memory))
    });
    tell(&said);
    ExitCode::SUCCESS
}

fn tell(text: &str) {
    writeln!(std::io::stdout().lock(), "{text}").unwrap();
}

struct Process {
    child: Child,
    lines: std::io::Lines<BufReader<std::process::ChildStdout>>,
}

impl Process {
    /// One that is about to ask.
    fn start(database: &Database<'_>, never_ends: bool) -> Self {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.env(URL, database.url_text()).stdin(Stdio::piped()).stdout(Stdio::piped());
        if never_ends {
            command.env(NEVER_ENDS, "");
        }
        let mut child = command.spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut process = Self { child, lines };
        assert_eq!(process.line(), "ready");
        process
    }

    fn go(&mut self) {
        self.child.stdin.as_mut().unwrap().write_all(b"\n").unwrap();
    }

    fn line(&mut self) -> String {
        self.lines.next().expect("it has ended").unwrap()
    }

    /// How often it was answered from the tables, the database, its memory, and wrongly.
    fn end(mut self) -> [usize; 4] {
        let last = loop {
            let line = self.line();
            if line != "computing" {
                break line;
            }
        };
        assert!(self.child.wait().unwrap().success());
        let counts: Vec<usize> = last.split(' ').map(|count| count.parse().unwrap()).collect();
        counts.try_into().unwrap()
    }
}

fn with_files(server: &TestServer) -> Database<'_> {
    let database = Database::at(server, Stage::All);
    database.execute(
        "CREATE TABLE computed (at timestamptz DEFAULT clock_timestamp());
         INSERT INTO code_files (repo_name, file_path, content, content_hash, size_bytes)
         SELECT 'a', g::text, '', sha256(''), 0 FROM generate_series(1, 2) g",
    );
    database
}

fn equal_misses_of_four_processes_are_computed_once(server: &TestServer) -> Verdict {
    let database = with_files(server);
    let mut processes = [(); 4].map(|()| Process::start(&database, false));
    processes.iter_mut().for_each(Process::go);
    let said = processes.map(Process::end);
    let sum = |index: usize| said.iter().map(|counts| counts[index]).sum::<usize>();
    assert_eq!(database.text("SELECT count(*)::text FROM computed"), "1", "{said:?}");
    assert_eq!((sum(0), sum(3)), (1, 0), "{said:?}");
    // What waits in a process gets what the first of them has got.
    assert_eq!(sum(0) + sum(1) + sum(2), 4 * ASKED, "{said:?}");
    Passed
}

fn a_process_that_dies_computing_holds_up_no_other(server: &TestServer) -> Verdict {
    let database = with_files(server);
    let [mut first, mut second] = [true, false].map(|never_ends| Process::start(&database, never_ends));
    first.go();
    assert_eq!(first.line(), "computing");
    second.go();
    std::thread::sleep(Duration::from_millis(300));
    assert_eq!(database.text("SELECT count(*)::text FROM computed"), "1", "the other waits for it");
    first.child.kill().unwrap();
    first.child.wait().unwrap();
    let said = second.end();
    assert_eq!((said[0], said[3]), (1, 0), "{said:?}");
    assert_eq!(database.text("SELECT count(*)::text FROM computed"), "2");
    Passed
}
