//! Where the parts of the project are.

use std::path::{Path, PathBuf};

use crate::error::Error;

/// The project folder.
#[derive(Clone, Debug)]
pub(crate) struct Project {
    root: PathBuf,
}

impl Project {
    /// The folder given, or the nearest one upwards that looks like the project.
    pub(crate) fn find(given: Option<&Path>) -> Result<Self, Error> {
        let start = match given {
            Some(folder) => folder.to_owned(),
            None => std::env::current_dir().map_err(Error::WorkingDirectory)?,
        };
        // Absolute: the folder is handed to servers and to mix, which run elsewhere.
        let start = start.canonicalize().map_err(|source| Error::ProjectFolder { folder: start.clone(), source })?;
        let candidates = if given.is_some() { 1 } else { usize::MAX };
        let root = start.ancestors().take(candidates).find(|folder| is_project(folder));
        root.map(|root| Self { root: root.to_owned() }).ok_or(Error::NoProject(start))
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
        assert!(matches!(Project::find(Some(&inside)), Err(Error::NoProject(_))));
    }
}
