//! Projects in awkward places.

use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;

use dev_server::{Kind, Note, Stop};
use libtest_mimic::Trial;

use crate::need::Need;
use crate::project::{Project, ask};
use crate::trial;

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        trial("long_path_puts_the_socket_elsewhere", &[Need::Embedded], long_path_puts_the_socket_elsewhere),
        trial("spaces_and_quotes_in_the_path_are_fine", &[Need::Embedded], spaces_and_quotes_in_the_path_are_fine),
        trial(
            "root_runs_the_server_as_a_system_account_for_an_owner_without_a_name",
            &[Need::Embedded, Need::Root],
            root_runs_the_server_as_a_system_account_for_an_owner_without_a_name,
        ),
        trial(
            "root_in_a_private_folder_gets_a_cluster_elsewhere",
            &[Need::Embedded, Need::Root],
            root_in_a_private_folder_gets_a_cluster_elsewhere,
        ),
        trial(
            "root_runs_the_server_as_the_projects_owner",
            &[Need::Embedded, Need::Root],
            root_runs_the_server_as_the_projects_owner,
        ),
        trial("state_folder_that_is_a_link_is_followed", &[Need::Embedded], state_folder_that_is_a_link_is_followed),
    ]
}

fn long_path_puts_the_socket_elsewhere() {
    let project = Project::named(&"a".repeat(120));
    let server = project.start(Kind::Embedded).unwrap().server;
    let folder = server.socket_directory.clone().unwrap();
    assert!(!folder.starts_with(&project.root));
    assert_eq!(fs::metadata(&folder).unwrap().mode() & 0o777, 0o700);
    assert!(folder.join(format!(".s.PGSQL.{}", server.port)).exists());
    assert_eq!(ask(&server, "SELECT 1"), "1");
    dev_server::stop(&project.root).unwrap();
    fs::remove_dir(folder).unwrap();
}

fn spaces_and_quotes_in_the_path_are_fine() {
    let project = Project::named("it's \"a\" $HOME `id` \\, pröject");
    let server = project.start(Kind::Embedded).unwrap().server;
    assert_eq!(ask(&server, "SELECT 1"), "1");
    assert!(server.socket_directory.unwrap().starts_with(&project.root));
    assert!(!project.start(Kind::Embedded).unwrap().is_new);
    assert_eq!(dev_server::stop(&project.root).unwrap(), Stop::Stopped);
}

fn root_in_a_private_folder_gets_a_cluster_elsewhere() {
    let project = Project::new();
    fs::set_permissions(project.root.parent().unwrap(), Permissions::from_mode(0o700)).unwrap();
    let first = project.start(Kind::Embedded).unwrap();
    let [Note::Relocated { home, .. }] = &first.notes[..] else {
        panic!("{:?}", first.notes);
    };
    assert!(home.starts_with("/var/lib/singularity-dev"));
    assert!(home.join("data/PG_VERSION").exists());
    assert!(!project.state().join("data").exists());
    assert_eq!(ask(&first.server, "SELECT 1"), "1");
    assert_eq!(dev_server::stop(&project.root).unwrap(), Stop::Stopped);
    let second = project.start(Kind::Embedded).unwrap();
    assert!(second.notes.is_empty(), "{:?}", second.notes);
    assert_eq!(second.server.url("d"), first.server.url("d"));
}

fn root_runs_the_server_as_the_projects_owner() {
    let project = Project::new();
    let daemon = 1;
    std::os::unix::fs::chown(&project.root, Some(daemon), Some(daemon)).unwrap();
    let server = project.start(Kind::Embedded).unwrap().server;
    assert_eq!(ask(&server, "SELECT 1"), "1");
    for name in ["", "data", "data/dev_server.conf", "password", "server.json", "socket", "log"] {
        assert_eq!(owner_of(&project.state().join(name)), daemon, "{name}");
    }
}

fn root_runs_the_server_as_a_system_account_for_an_owner_without_a_name() {
    let project = Project::new();
    let nameless = 424_242;
    std::os::unix::fs::chown(&project.root, Some(nameless), Some(nameless)).unwrap();
    let server = project.start(Kind::Embedded).unwrap().server;
    assert_eq!(ask(&server, "SELECT 1"), "1");
    assert!(![0, nameless].contains(&owner_of(&project.state().join("data"))));
    assert_eq!(dev_server::stop(&project.root).unwrap(), Stop::Stopped);
}

fn state_folder_that_is_a_link_is_followed() {
    let project = Project::new();
    let elsewhere = project.root.parent().unwrap().join("elsewhere");
    fs::create_dir(&elsewhere).unwrap();
    std::os::unix::fs::symlink(&elsewhere, project.state()).unwrap();
    let server = project.start(Kind::Embedded).unwrap().server;
    assert_eq!(ask(&server, "SELECT 1"), "1");
    assert_eq!(dev_server::stop(&project.root).unwrap(), Stop::Stopped);
}

fn owner_of(path: &Path) -> u32 {
    fs::metadata(path).unwrap().uid()
}
