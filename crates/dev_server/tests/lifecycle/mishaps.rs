//! Servers and starts that were killed, disks that are full, clusters of other versions.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, SystemTime};

use dev_server::{Error, Kind, Note};
use libtest_mimic::Trial;

use crate::need::Need;
use crate::project::{Project, ask, pid};
use crate::{child, trial};

pub(crate) fn trials() -> Vec<Trial> {
    const EMBEDDED: &[Need] = &[Need::Embedded];
    vec![
        trial("killed_server_starts_again", EMBEDDED, killed_server_starts_again),
        trial("pid_of_another_program_is_no_server", EMBEDDED, pid_of_another_program_is_no_server),
        trial("start_killed_while_it_initialises_is_mended", EMBEDDED, start_killed_while_it_initialises_is_mended),
        trial("start_killed_at_any_step_is_mended", EMBEDDED, start_killed_at_any_step_is_mended),
        trial(
            "cluster_of_another_major_version_is_left_alone",
            EMBEDDED,
            cluster_of_another_major_version_is_left_alone,
        ),
        trial("lost_password_is_an_error", EMBEDDED, lost_password_is_an_error),
        trial("setting_that_stops_the_server_is_shown", EMBEDDED, setting_that_stops_the_server_is_shown),
        trial("full_disk_leaves_no_half_cluster", &[Need::Embedded, Need::Mount], full_disk_leaves_no_half_cluster),
        trial(
            "server_that_takes_too_long_is_an_error_with_its_log",
            EMBEDDED,
            server_that_takes_too_long_is_an_error_with_its_log,
        ),
        trial("ctrl_c_does_not_reach_the_server", EMBEDDED, ctrl_c_does_not_reach_the_server),
    ]
}

fn kill(pid: &str, signal: &str) {
    assert!(Command::new("sh").args(["-c", "kill \"$@\"", "sh"]).args([signal, pid]).status().unwrap().success());
}

fn killed_server_starts_again() {
    let project = Project::new();
    let server = project.start(Kind::Embedded).unwrap().server;
    ask(&server, "CREATE TABLE kept (id int)");
    kill(&pid(&project.state().join("data")), "-KILL");
    while dev_server::running(&project.root).unwrap().is_some() {
        thread::sleep(Duration::from_millis(5));
    }
    let start = project.start(Kind::Embedded).unwrap();
    assert!(matches!(start.notes[..], [Note::StalePidFile { reused: false, .. }]), "{:?}", start.notes);
    assert_eq!(ask(&start.server, "SELECT count(*) FROM kept"), "0");
}

fn pid_of_another_program_is_no_server() {
    let project = Project::new();
    project.start(Kind::Embedded).unwrap();
    let pid_file = project.state().join("data/postmaster.pid");
    let text = fs::read_to_string(&pid_file).unwrap();
    dev_server::stop(&project.root).unwrap();
    // This process lives, and is no server.
    let ours = std::process::id().to_string();
    fs::write(&pid_file, text.replacen(text.lines().next().unwrap(), &ours, 1)).unwrap();
    assert!(dev_server::running(&project.root).unwrap().is_none());
    let start = project.start(Kind::Embedded).unwrap();
    assert!(matches!(start.notes[..], [Note::StalePidFile { reused: true, .. }]), "{:?}", start.notes);
    assert_eq!(ask(&start.server, "SELECT 1"), "1");
}

fn start_killed_while_it_initialises_is_mended() {
    let project = Project::new();
    let partial = project.state().join("data.partial");
    let mut start = child::start(&project.root, "embedded").stdout(Stdio::null()).spawn().unwrap();
    while !partial.join("base").exists() {
        thread::sleep(Duration::from_millis(1));
    }
    start.kill().unwrap();
    start.wait().unwrap();
    let again = project.start(Kind::Embedded).unwrap();
    assert!(matches!(&again.notes[..], [Note::UnfinishedClusterRemoved { .. }]), "{:?}", again.notes);
    assert!(!partial.exists());
    assert_eq!(ask(&again.server, "SELECT 1"), "1");
}

/// Killed as soon as it has got so far; what the one before has left is in its way.
fn start_killed_at_any_step_is_mended() {
    let project = Project::new();
    for step in ["password", "data.partial", "data.partial/base/1", "data", "data/postmaster.pid"] {
        let began = SystemTime::now();
        let is_new =
            |path: &Path| fs::metadata(path).and_then(|found| found.modified()).is_ok_and(|time| time >= began);
        let path = project.state().join(step);
        let mut start = child::start(&project.root, "embedded").stdout(Stdio::null()).spawn().unwrap();
        while !is_new(&path) && start.try_wait().unwrap().is_none() {
            thread::sleep(Duration::from_millis(1));
        }
        assert!(is_new(&path), "`{step}` was not reached");
        start.kill().unwrap();
        start.wait().unwrap();
    }
    let server = project.start(Kind::Embedded).unwrap().server;
    assert_eq!(ask(&server, "SELECT 1"), "1");
    let names = fs::read_dir(project.state()).unwrap().map(|entry| entry.unwrap().file_name());
    let names: Vec<String> = names.map(|name| name.to_string_lossy().into_owned()).collect();
    assert!(!names.contains(&"data.partial".to_owned()) && !names.contains(&"password.initdb".to_owned()), "{names:?}");
}

fn cluster_of_another_major_version_is_left_alone() {
    let project = Project::new();
    project.start(Kind::Embedded).unwrap();
    dev_server::stop(&project.root).unwrap();
    let version = project.state().join("data/PG_VERSION");
    fs::write(&version, "14\n").unwrap();
    let error = project.start(Kind::Embedded).unwrap_err();
    assert!(matches!(error, Error::OtherMajor { cluster: 14, .. }), "{error}");
    assert!(error.to_string().contains("18.6"), "{error}");
    fs::write(&version, "18\n").unwrap();
    project.start(Kind::Embedded).unwrap();
}

fn lost_password_is_an_error() {
    let project = Project::new();
    project.start(Kind::Embedded).unwrap();
    dev_server::stop(&project.root).unwrap();
    fs::remove_file(project.state().join("password")).unwrap();
    assert!(matches!(project.start(Kind::Embedded), Err(Error::PasswordLost { .. })));
}

fn setting_that_stops_the_server_is_shown() {
    let project = Project::new();
    let server = project.start(Kind::Embedded).unwrap().server;
    ask(&server, "ALTER SYSTEM SET shared_preload_libraries = 'no_such_library'");
    dev_server::stop(&project.root).unwrap();
    let error = project.start(Kind::Embedded).unwrap_err();
    assert!(matches!(error, Error::Start { .. }), "{error}");
    assert!(error.to_string().contains("no_such_library"), "{error}");
}

fn full_disk_leaves_no_half_cluster() {
    let project = Project::new();
    let _disk = SmallDisk::mount(&project.root, "24m");
    let error = project.start(Kind::Embedded).unwrap_err();
    assert!(matches!(error, Error::DiskFull { .. }), "{error:?}");
    assert!(error.hint().unwrap().contains("free some space"));
    assert!(!project.state().join("data").exists() && !project.state().join("data.partial").exists());
    SmallDisk::resize(&project.root, "400m");
    let server = project.start(Kind::Embedded).unwrap().server;
    dev_server::stop(&project.root).unwrap();
    let rest = fs::File::create(project.root.join("rest")).unwrap();
    fill(rest);
    let error = project.start(Kind::Embedded).unwrap_err();
    assert!(error.hint().unwrap().contains("free some space"), "{error:?}");
    fs::remove_file(project.root.join("rest")).unwrap();
    assert_eq!(project.start(Kind::Embedded).unwrap().server.url("d"), server.url("d"));
    dev_server::stop(&project.root).unwrap();
}

fn fill(mut file: fs::File) {
    let block = vec![0; 4096];
    while std::io::Write::write_all(&mut file, &block).is_ok() {}
}

/// A file system of a few megabytes, unmounted at the end of a test however that ends.
struct SmallDisk<'path>(&'path Path);

impl<'path> SmallDisk<'path> {
    fn mount(path: &'path Path, size: &str) -> Self {
        let options = format!("size={size},mode=755");
        let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", &options, "none"]).arg(path).status();
        assert!(mounted.unwrap().success());
        Self(path)
    }

    fn resize(path: &Path, size: &str) {
        let options = format!("remount,size={size}");
        assert!(Command::new("mount").args(["-o", &options]).arg(path).status().unwrap().success());
    }
}

impl Drop for SmallDisk<'_> {
    fn drop(&mut self) {
        let _ = dev_server::stop(self.0);
        let _ = Command::new("umount").arg(self.0).status();
    }
}

fn server_that_takes_too_long_is_an_error_with_its_log() {
    let project = Project::new();
    project.start(Kind::Embedded).unwrap();
    let data = project.state().join("data");
    let text = fs::read_to_string(data.join("postmaster.pid")).unwrap();
    dev_server::stop(&project.root).unwrap();
    // Works in the cluster and is not ready, like a server that recovers.
    let mut busy = Command::new("sleep").arg("60").current_dir(&data).spawn().unwrap();
    let recovering =
        text.replacen(text.lines().next().unwrap(), &busy.id().to_string(), 1).replace("ready", "starting");
    fs::write(data.join("postmaster.pid"), recovering).unwrap();
    let settings = dev_server::Settings { timeout: Duration::from_millis(100), ..project.settings(Kind::Embedded) };
    let error = dev_server::start(&settings, &|_| ()).unwrap_err();
    busy.kill().unwrap();
    busy.wait().unwrap();
    assert!(matches!(error, Error::StartTimeout { .. }), "{error}");
    assert!(error.to_string().contains("database system is shut down"), "{error}");
    project.start(Kind::Embedded).unwrap();
}

fn ctrl_c_does_not_reach_the_server() {
    let project = Project::new();
    // The group of the caller is what a terminal's Ctrl-C goes to.
    let mut start = child::start(&project.root, "embedded");
    std::os::unix::process::CommandExt::process_group(&mut start, 0);
    let mut start = start.stdout(Stdio::null()).spawn().unwrap();
    let group = format!("-{}", start.id());
    assert!(start.wait().unwrap().success());
    // Nobody is left in that group to get the signal.
    assert!(
        !Command::new("sh")
            .args(["-c", "kill \"$@\"", "sh"])
            .args(["-INT", "--", &group])
            .stderr(Stdio::null())
            .status()
            .unwrap()
            .success()
    );
    let server = dev_server::running(&project.root).unwrap().unwrap();
    assert_eq!(ask(&server, "SELECT 1"), "1");
}
