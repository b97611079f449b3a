//! A container with another Nix, PostgreSQL and direnv than this machine has. The project, the toolchain and cargo's folder
//! are where they are outside, so this very program runs there as well.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use libtest_mimic::{Completion, Failed};

use crate::checkout::{Said, TARGET, target};
use crate::project;

const IMAGE: &str = "singularity-flake-tests";

pub(crate) struct Container {
    id: String,
}

static CONTAINER: OnceLock<Result<Container, String>> = OnceLock::new();

impl Container {
    /// Starts it once; or why there is none.
    pub(crate) fn get() -> &'static Result<Self, String> {
        CONTAINER.get_or_init(Self::start)
    }

    pub(crate) fn remove() {
        if let Some(Ok(container)) = CONTAINER.get() {
            let _ = Command::new("docker").args(["rm", "--force", &container.id]).output();
        }
    }

    fn start() -> Result<Self, String> {
        if !said("docker", &["info"]).is_ok_and(|said| said.code == Some(0)) {
            return Err("no container engine answers".to_owned());
        }
        // The server's own image, and Nix beside it.
        let base = dev_server::image(project(), &|text| eprintln!("{text}")).map_err(|error| error.to_string())?;
        let folder = project().join("nix/stub").display().to_string();
        let base = format!("BASE={base}");
        succeeded(said("docker", &["build", "--quiet", "--build-arg", &base, "--tag", IMAGE, &folder])?)?;
        let (own_target, sysroot) = (seed_target()?, sysroot()?);
        let mut docker = Command::new("docker");
        docker.args(["run", "--detach", "--init"]);
        let program = std::env::current_exe().map_err(|error| error.to_string())?;
        let programs = program.parent().and_then(Path::parent).unwrap_or(&program);
        for folder in [project(), programs, &sysroot, &cargo_home()?] {
            docker.arg("--volume").arg(format!("{0}:{0}", folder.display()));
        }
        let path = format!("PATH={}/bin:/usr/local/bin:/usr/bin:/bin", sysroot.display());
        let cargo_home = format!("CARGO_HOME={}", cargo_home()?.display());
        let target = format!("{TARGET}={}", own_target.display());
        docker.args(["--env", &path, "--env", &cargo_home, "--env", &target, IMAGE]);
        let id = succeeded(Said::of(&docker.output().map_err(|error| error.to_string())?))?;
        let container = Self { id: id.trim().to_owned() };
        let version = said("docker", &["exec", &container.id, "nix", "--version"])?;
        eprint!("container: {}", version.text);
        Ok(container)
    }

    /// Runs one test of this program there.
    pub(crate) fn run(&self, test: &str) -> Result<Completion, Failed> {
        let program = std::env::current_exe().map_err(|error| error.to_string())?;
        let program = program.display().to_string();
        let run = ["exec", &self.id, &program, "--exact", test, "--format", "pretty", "--color", "never"];
        let said = said("docker", &run)?;
        if let Some((_, why)) = said.text.lines().find_map(|line| line.split_once("... ignored")) {
            return Ok(Completion::ignored_with(why.trim_matches([' ', ',', '(', ')'])));
        }
        match said.code {
            Some(0) if said.text.contains("1 passed") => Ok(Completion::Completed),
            _ => Err(format!("{}\n{}", said.text, said.errors).into()),
        }
    }
}

fn said(program: &str, arguments: &[&str]) -> Result<Said, String> {
    let output = Command::new(program).args(arguments).output();
    output.map(|output| Said::of(&output)).map_err(|error| format!("{program}: {error}"))
}

fn succeeded(said: Said) -> Result<String, String> {
    if said.code == Some(0) { Ok(said.text) } else { Err(said.errors) }
}

fn sysroot() -> Result<PathBuf, String> {
    said("rustc", &["--print", "sysroot"]).and_then(succeeded).map(|path| PathBuf::from(path.trim()))
}

fn cargo_home() -> Result<PathBuf, String> {
    let home = || std::env::home_dir().map(|home| home.join(".cargo"));
    std::env::var_os("CARGO_HOME").map(PathBuf::from).or_else(home).ok_or_else(|| "there is no home".to_owned())
}

/// What was built here serves there as well; what is built there, against a newer libc, does not serve here.
fn seed_target() -> Result<PathBuf, String> {
    let (here, there) = (target(), target().with_extension("container"));
    if here.exists() && !there.exists() {
        succeeded(said("cp", &["--archive", &here.display().to_string(), &there.display().to_string()])?)?;
    }
    Ok(there)
}
