//! Servers in containers, made from this repository's own `docker/` folder.

use std::fs;
use std::path::Path;
use std::process::Command;

use dev_server::{Kind, Log, Server, Stop};
use libtest_mimic::Trial;

use crate::need::Need;
use crate::project::{Project, ask};
use crate::trial;

pub(crate) fn trials() -> Vec<Trial> {
    let needs = &[Need::Container];
    vec![
        trial("container_starts_stops_and_keeps_its_data", needs, container_starts_stops_and_keeps_its_data),
        trial("project_without_a_dockerfile_has_no_container", needs, project_without_a_dockerfile_has_no_container),
    ]
}

fn container_starts_stops_and_keeps_its_data() {
    let project = Project::new();
    let docker = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docker");
    let copied = Command::new("cp").arg("-R").arg(docker).arg(&project.root).status().unwrap();
    assert!(copied.success());
    let _removed = Removed(&project);
    let first = project.start(Kind::Container).unwrap();
    assert_eq!((first.is_new, first.server.kind), (true, Kind::Container));
    assert!(first.server.version.starts_with("17."), "{}", first.server.version);
    for extension in ["vector", "timescaledb"] {
        assert_eq!(ask(&first.server, &format!("CREATE EXTENSION {extension}")), "CREATE EXTENSION");
    }
    assert!(!project.start(Kind::Container).unwrap().is_new);
    assert!(project.start(Kind::Embedded).is_err());
    let command_line = inspected(&first.server, "{{.Config.Cmd}} {{.Args}} {{.HostConfig.PortBindings}}");
    assert!(!command_line.contains(first.server.password.expose()));
    assert!(command_line.contains("127.0.0.1"), "{command_line}");

    assert_eq!(dev_server::stop(&project.root).unwrap(), Stop::Stopped);
    assert!(dev_server::running(&project.root).unwrap().is_none());
    assert_eq!(dev_server::stop(&project.root).unwrap(), Stop::WasNotRunning);

    let second = project.start(Kind::Container).unwrap();
    assert_eq!(second.server.url("d"), first.server.url("d"));
    assert_eq!(ask(&second.server, "SELECT count(*) FROM pg_extension WHERE extname = 'vector'"), "1");
}

fn project_without_a_dockerfile_has_no_container() {
    let project = Project::new();
    let error = project.start(Kind::Container).unwrap_err();
    assert!(error.to_string().contains("docker/Dockerfile"), "{error}");
}

fn inspected(server: &Server, format: &str) -> String {
    let Log::Container { engine, name } = &server.log else {
        panic!("{:?}", server.log);
    };
    let output = Command::new(engine).args(["inspect", "--format", format, name]).output().unwrap();
    String::from_utf8(output.stdout).unwrap()
}

/// Removes container and volume, which outlive a project on purpose.
struct Removed<'project>(&'project Project);

impl Drop for Removed<'_> {
    fn drop(&mut self) {
        let record = fs::read_to_string(self.0.state().join("server.json")).unwrap_or_default();
        let quoted: Vec<&str> = record.split('"').collect();
        let value = |key: &str| quoted.iter().position(|part| *part == key).and_then(|index| quoted.get(index + 2));
        if let (Some(engine), Some(name)) = (value("engine"), value("name")) {
            let volume = Command::new(engine)
                .args(["inspect", "--format", "{{index .Config.Labels \"singularity-dev.volume\"}}", name])
                .output();
            let _ = Command::new(engine).args(["rm", "--force", name]).output();
            if let Ok(volume) = volume {
                let volume = String::from_utf8_lossy(&volume.stdout).trim().to_owned();
                let _ = Command::new(engine).args(["volume", "rm", &volume]).output();
            }
        }
    }
}
