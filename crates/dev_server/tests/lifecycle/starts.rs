//! Starting, finding and stopping.

use std::fs;
use std::io::Read as _;
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::fs::MetadataExt;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use dev_server::{Error, Kind, Note, Stop};
use libtest_mimic::Trial;

use crate::need::Need;
use crate::project::{Project, TIMEOUT, ask, pid};
use crate::{child, trial};

pub(crate) fn trials() -> Vec<Trial> {
    const EMBEDDED: &[Need] = &[Need::Embedded];
    vec![
        trial("first_start_gives_a_server_that_is_set_up", EMBEDDED, first_start_gives_a_server_that_is_set_up),
        trial("state_is_for_its_owner_alone", EMBEDDED, state_is_for_its_owner_alone),
        trial("second_start_finds_the_first", EMBEDDED, second_start_finds_the_first),
        trial("stopped_server_starts_again_on_the_same_url", EMBEDDED, stopped_server_starts_again_on_the_same_url),
        trial("eight_starts_at_once_give_one_server", EMBEDDED, eight_starts_at_once_give_one_server),
        trial("taken_port_moves_the_server_for_good", EMBEDDED, taken_port_moves_the_server_for_good),
        trial("taken_port_that_was_asked_for_is_an_error", EMBEDDED, taken_port_that_was_asked_for_is_an_error),
        trial("another_kind_is_refused_while_one_runs", EMBEDDED, another_kind_is_refused_while_one_runs),
        trial("no_pipe_of_the_caller_stays_open", EMBEDDED, no_pipe_of_the_caller_stays_open),
        trial("running_costs_less_than_a_millisecond", EMBEDDED, running_costs_less_than_a_millisecond),
    ]
}

fn first_start_gives_a_server_that_is_set_up() {
    let project = Project::new();
    let start = project.start(Kind::Embedded).unwrap();
    assert!(start.is_new);
    assert!(start.notes.is_empty(), "{:?}", start.notes);
    let server = start.server;
    assert_eq!((server.kind, server.version.as_str()), (Kind::Embedded, "18.6"));
    assert!(ask(&server, "SHOW server_version").starts_with("18.6"));
    assert_eq!(ask(&server, "SHOW listen_addresses"), "127.0.0.1");
    assert_eq!(ask(&server, "SHOW max_locks_per_transaction"), "256");
    assert_eq!(ask(&server, "SHOW shared_preload_libraries"), "pg_stat_statements");
    assert_eq!(ask(&server, "SHOW password_encryption"), "scram-sha-256");
    assert_eq!(ask(&server, "SHOW server_encoding"), "UTF8");
    assert_eq!(
        ask(&server, "SELECT datlocprovider::text || datlocale FROM pg_database WHERE datname = 'postgres'"),
        "bC.UTF-8"
    );
    assert_eq!(ask(&server, "CREATE EXTENSION vector; SELECT '[1,2]'::vector"), "CREATE EXTENSION\n[1,2]");
    let trusted = ask(&server, "SELECT count(*) FROM pg_hba_file_rules WHERE auth_method <> 'scram-sha-256'");
    assert_eq!(trusted, "0");
}

fn state_is_for_its_owner_alone() {
    let project = Project::new();
    let server = project.start(Kind::Embedded).unwrap().server;
    let mode = |path: &std::path::Path| path.metadata().unwrap().mode() & 0o777;
    // A system account that the server runs as may pass through, and no more.
    assert!([0o700, 0o710].contains(&mode(&project.state())));
    assert_eq!(mode(&server.socket_directory.unwrap()), 0o700);
    for entry in fs::read_dir(project.state()).unwrap() {
        let path = entry.unwrap().path();
        assert_eq!(mode(&path) & 0o077, 0, "{}", path.display());
    }
    let command_lines = fs::read_dir("/proc").into_iter().flatten().flatten();
    for process in command_lines {
        // Of all that run here: some are not of UTF-8.
        let command_line = fs::read(process.path().join("cmdline")).unwrap_or_default();
        assert!(!String::from_utf8_lossy(&command_line).contains(server.password.expose()));
    }
}

fn second_start_finds_the_first() {
    let project = Project::new();
    let first = project.start(Kind::Embedded).unwrap().server;
    let second = dev_server::start(&dev_server::Settings { kind: None, ..project.settings(Kind::Embedded) }, &|step| {
        panic!("nothing to do, but `{step}`")
    })
    .unwrap();
    assert!(!second.is_new);
    assert_eq!(second.server.url("d"), first.url("d"));
    assert!(second.notes.is_empty());
    assert_eq!(dev_server::running(&project.root).unwrap().unwrap().url("d"), first.url("d"));
}

fn stopped_server_starts_again_on_the_same_url() {
    let project = Project::new();
    let first = project.start(Kind::Embedded).unwrap().server;
    ask(&first, "CREATE TABLE kept (id int)");
    assert_eq!(dev_server::stop(&project.root).unwrap(), Stop::Stopped);
    assert!(dev_server::running(&project.root).unwrap().is_none());
    assert_eq!(dev_server::stop(&project.root).unwrap(), Stop::WasNotRunning);
    let second = project.start(Kind::Embedded).unwrap();
    assert!(second.is_new);
    assert_eq!(second.server.url("d"), first.url("d"));
    assert_eq!(ask(&second.server, "SELECT count(*) FROM kept"), "0");
}

fn eight_starts_at_once_give_one_server() {
    let project = Project::new();
    let spawn = |_| child::start(&project.root, "embedded").stdout(Stdio::piped()).spawn().unwrap();
    let children: Vec<Child> = (0..8).map(spawn).collect();
    let answers: Vec<String> = children
        .into_iter()
        .map(|child| String::from_utf8(child.wait_with_output().unwrap().stdout).unwrap())
        .collect();
    let started = answers.iter().filter(|answer| answer.contains("Started")).count();
    let found = answers.iter().filter(|answer| answer.contains("AlreadyRunning")).count();
    assert_eq!((started, found), (1, 7), "{answers:?}");
    let port = dev_server::running(&project.root).unwrap().unwrap().port.to_string();
    assert!(answers.iter().all(|answer| answer.trim().ends_with(&port)), "{answers:?}");
}

fn taken_port_moves_the_server_for_good() {
    let project = Project::new();
    let wanted = project.start(Kind::Embedded).unwrap().server.port;
    dev_server::stop(&project.root).unwrap();
    let other = TcpListener::bind((Ipv4Addr::LOCALHOST, wanted)).unwrap();
    let moved = project.start(Kind::Embedded).unwrap();
    let used = moved.server.port;
    assert_eq!(moved.notes, [Note::PortTaken { taken: wanted, used }]);
    dev_server::stop(&project.root).unwrap();
    drop(other);
    assert_eq!(project.start(Kind::Embedded).unwrap().server.port, used);
}

fn taken_port_that_was_asked_for_is_an_error() {
    let project = Project::new();
    let other = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = other.local_addr().unwrap().port();
    let mut settings = project.settings(Kind::Embedded);
    settings.port = Some(port);
    let error = dev_server::start(&settings, &|_| ()).unwrap_err();
    assert!(matches!(error, Error::PortTaken { port: taken } if taken == port), "{error}");
    drop(other);
    let start = dev_server::start(&settings, &|_| ()).unwrap();
    assert_eq!((start.server.port, start.notes.len()), (port, 0));
    settings.port = Some(port - 1);
    let again = dev_server::start(&settings, &|_| ()).unwrap();
    assert!(matches!(again.notes[..], [Note::PortIgnored { used, .. }] if used == port));
}

fn another_kind_is_refused_while_one_runs() {
    let project = Project::new();
    project.start(Kind::Embedded).unwrap();
    let before = pid(&project.state().join("data"));
    for kind in [Kind::Local, Kind::Container] {
        let error = project.start(kind).unwrap_err();
        assert!(error.hint().unwrap().contains("db-server stop"), "{error}");
    }
    assert_eq!(pid(&project.state().join("data")), before);
}

/// As direnv does, with its own end of a pipe at number 3.
fn no_pipe_of_the_caller_stays_open() {
    let project = Project::new();
    let start = child::start(&project.root, "embedded");
    let mut shell = Command::new("sh");
    shell.args(["-c", r#"exec "$0" 3>&1"#]).arg(start.get_program()).stdout(Stdio::piped());
    shell.envs(start.get_envs().filter_map(|(name, value)| Some((name, value?))));
    let mut output = shell.spawn().unwrap().stdout.take().unwrap();
    let (sender, end) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let mut text = String::new();
        output.read_to_string(&mut text).unwrap();
        sender.send(text).unwrap();
    });
    let text = end.recv_timeout(TIMEOUT).expect("the pipe ends with the program");
    assert!(text.contains("Started"), "{text}");
}

fn running_costs_less_than_a_millisecond() {
    let project = Project::new();
    project.start(Kind::Embedded).unwrap();
    let time = || {
        let begin = Instant::now();
        assert!(dev_server::running(&project.root).unwrap().is_some());
        begin.elapsed()
    };
    // The best of many: the machine may be busy with other tests.
    let best = (0..100).map(|_| time()).min().unwrap();
    assert!(best < Duration::from_millis(1), "{best:?}");
}
