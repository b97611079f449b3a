//! A state folder that was damaged or removed while its server runs.

use std::fs;
use std::process::Command;

use dev_server::{Kind, Note, Stop};
use libtest_mimic::Trial;

use crate::need::Need;
use crate::project::{Project, ask, pid};
use crate::trial;

pub(crate) fn trials() -> Vec<Trial> {
    const EMBEDDED: &[Need] = &[Need::Embedded];
    const LINUX: &[Need] = &[Need::Linux, Need::Embedded];
    vec![
        trial("damaged_record_is_mended", EMBEDDED, damaged_record_is_mended),
        trial("server_of_a_removed_state_folder_is_ended", LINUX, server_of_a_removed_state_folder_is_ended),
        trial("stop_ends_the_server_of_a_removed_state_folder", LINUX, stop_ends_the_server_of_a_removed_state_folder),
    ]
}

fn damaged_record_is_mended() {
    let project = Project::new();
    let first = project.start(Kind::Embedded).unwrap().server;
    let record = project.state().join("server.json");
    let whole = fs::read_to_string(&record).unwrap();
    fs::write(&record, "{ \"kind\": ").unwrap();
    let found = dev_server::running(&project.root).unwrap().unwrap();
    assert_eq!(format!("{found:?}"), format!("{first:?}"));
    assert_eq!(ask(&found, "SELECT 1"), "1");
    assert_eq!(dev_server::log(&project.root).unwrap(), Some(first.log.clone()));
    let start = project.start(Kind::Embedded).unwrap();
    assert!(!start.is_new);
    assert!(matches!(start.notes[..], [Note::RecordMended { .. }]), "{:?}", start.notes);
    assert_eq!(fs::read_to_string(&record).unwrap(), whole);

    fs::write(&record, [0xff, 0]).unwrap();
    assert_eq!(dev_server::stop(&project.root).unwrap(), Stop::Stopped);
    fs::write(&record, "").unwrap();
    assert!(dev_server::running(&project.root).unwrap().is_none());
    assert_eq!(dev_server::stop(&project.root).unwrap(), Stop::WasNotRunning);
    fs::write(&record, "").unwrap();
    let again = project.start(Kind::Embedded).unwrap();
    assert_eq!((again.is_new, again.server.url("d")), (true, first.url("d")));
}

/// Has a server whose state folder was removed under it, and gives its process and port.
fn orphan(project: &Project) -> (String, u16) {
    let port = project.start(Kind::Embedded).unwrap().server.port;
    let pid = pid(&project.state().join("data"));
    fs::remove_dir_all(project.state()).unwrap();
    (pid, port)
}

fn is_process(pid: &str) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat"));
    stat.is_ok_and(|stat| !stat.rsplit(')').next().unwrap().trim_start().starts_with('Z'))
}

fn server_of_a_removed_state_folder_is_ended() {
    let (project, other) = (Project::new(), Project::new());
    let neighbour = other.start(Kind::Embedded).unwrap().server;
    let (pid, port) = orphan(&project);
    // Works in a removed folder of that name as well, and is no server.
    let data = project.state().join("data");
    fs::create_dir_all(&data).unwrap();
    let mut bystander = Command::new("sleep").arg("60").current_dir(&data).spawn().unwrap();
    fs::remove_dir_all(project.state()).unwrap();
    let start = project.start(Kind::Embedded).unwrap();
    let lives = bystander.try_wait().unwrap().is_none();
    bystander.kill().unwrap();
    bystander.wait().unwrap();
    assert!(lives, "only servers are ended");
    assert!(!is_process(&pid));
    let ended = pid.parse().unwrap();
    assert_eq!(start.notes, [Note::OrphanEnded { pid: ended, data }]);
    assert_eq!((start.is_new, start.server.port), (true, port));
    assert_eq!(ask(&start.server, "SELECT 1") + &ask(&neighbour, "SELECT 1"), "11");
}

fn stop_ends_the_server_of_a_removed_state_folder() {
    let project = Project::new();
    // One whose files are gone may end by itself before it is told to, but not each time.
    let was_stopped = (0..3).any(|_| {
        let (pid, _) = orphan(&project);
        let stop = dev_server::stop(&project.root).unwrap();
        assert!(!is_process(&pid));
        stop == Stop::Stopped
    });
    assert!(was_stopped);
    assert_eq!(dev_server::stop(&project.root).unwrap(), Stop::WasNotRunning);
    assert!(!project.state().exists());
}
