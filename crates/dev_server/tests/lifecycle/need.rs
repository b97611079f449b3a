//! What a test needs of the machine it runs on.

use std::process::Command;
use std::sync::OnceLock;

use dev_server::{Error, Kind};

use crate::project::Project;

/// Something that not every machine has.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Need {
    /// The embedded PostgreSQL: pip, and an index or a cache that has it.
    Embedded,
    /// A kernel that tells which folder a process works in.
    Linux,
    /// The rights of root.
    Root,
    /// The right to mount a file system.
    Mount,
    /// Docker or Podman.
    Container,
}

impl Need {
    /// Why this machine does not have it; `None` where it does.
    pub(crate) fn missing(self) -> Option<String> {
        match self {
            Self::Embedded => {
                static MISSING: OnceLock<Option<String>> = OnceLock::new();
                MISSING.get_or_init(embedded_missing).clone()
            }
            Self::Linux => cfg!(not(target_os = "linux")).then(|| "needs Linux".to_owned()),
            Self::Root => (!is_root()).then(|| "needs root".to_owned()),
            Self::Mount => {
                static MISSING: OnceLock<Option<String>> = OnceLock::new();
                MISSING.get_or_init(mount_missing).clone()
            }
            Self::Container => {
                let answers =
                    |program| Command::new(program).arg("ps").output().is_ok_and(|output| output.status.success());
                (!answers("docker") && !answers("podman")).then(|| "needs Docker or Podman".to_owned())
            }
        }
    }
}

pub(crate) fn is_root() -> bool {
    let id = Command::new("id").arg("-u").output();
    id.is_ok_and(|output| output.stdout.trim_ascii() == b"0")
}

fn embedded_missing() -> Option<String> {
    let project = Project::new();
    match project.start(Kind::Embedded) {
        Err(error @ (Error::NoPip { .. } | Error::Fetch { .. } | Error::UnsupportedPlatform { .. })) => {
            Some(error.to_string())
        }
        // Any other failure is for the tests to find.
        _ => None,
    }
}

fn mount_missing() -> Option<String> {
    let folder = tempfile::tempdir().unwrap();
    let mounted = Command::new("mount").args(["-t", "tmpfs", "none"]).arg(folder.path()).output();
    if mounted.is_ok_and(|output| output.status.success()) {
        let unmounted = Command::new("umount").arg(folder.path()).output().unwrap();
        assert!(unmounted.status.success());
        return None;
    }
    Some("needs the right to mount a file system".to_owned())
}
