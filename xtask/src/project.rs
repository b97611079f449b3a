//! Where the parts of the project are.

use std::path::{Path, PathBuf};

/// There is no project.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ProjectError {
    #[error("cannot tell the working directory")]
    WorkingDirectory(#[source] std::io::Error),
    #[error("cannot open the project folder `{}`", .folder.display())]
    Folder {
        folder: PathBuf,
        #[source]
        source: std::io::Error,
    },
    #[error("`{}` is not inside the project", .0.display())]
    Outside(PathBuf),
}

/// The project folder.
#[derive(Clone, Debug)]
pub(crate) struct Project {
    root: PathBuf,
}

impl Project {
    /// The folder given, or the nearest one upwards that looks like the project.
    pub(crate) fn find(given: Option<&Path>) -> Result<Self, ProjectError> {
        let start = match given {
            Some(folder) => folder.to_owned(),
            None => std::env::current_dir().map_err(ProjectError::WorkingDirectory)?,
        };
        // Absolute: the folder is handed to servers and to mix, which run elsewhere.
        let start = start.canonicalize().map_err(|source| ProjectError::Folder { folder: start.clone(), source })?;
        let candidates = if given.is_some() { 1 } else { usize::MAX };
        let root = start.ancestors().take(candidates).find(|folder| is_project(folder));
        root.map(|root| Self { root: root.to_owned() }).ok_or(ProjectError::Outside(start))
    }

    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// The Mix project.
    pub(crate) fn ecto_app(&self) -> PathBuf {
        self.root.join("singularity_app")
    }

    pub(crate) fn ecto_migrations(&self) -> PathBuf {
        self.ecto_app().join("priv/repo/migrations")
    }

    /// The dump of what Ecto's migrations make.
    pub(crate) fn structure(&self) -> PathBuf {
        self.ecto_app().join("priv/repo/structure.sql")
    }

    pub(crate) fn sqlx_migrations(&self) -> PathBuf {
        self.root.join("migrations")
    }
}

fn is_project(folder: &Path) -> bool {
    folder.join("singularity_app/mix.exs").is_file() && folder.join("migrations").is_dir()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_project_is_found_from_any_folder_inside_it() {
        let inside = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
        let root = inside.ancestors().nth(2).unwrap();
        assert_eq!(Project::find(Some(root)).unwrap().root(), root.canonicalize().unwrap());
        assert!(matches!(Project::find(Some(&inside)), Err(ProjectError::Outside(_))));
    }
}
