//! The URL that a command is given: typed, or in a variable.

use terminal::variables;

use crate::error::Error;
use crate::url::{Defaults, Parsed};

/// Where a database URL was found. Not read yet.
#[derive(Clone)]
pub struct Given {
    text: String,
    variable: Option<&'static str>,
}

impl Given {
    /// What was typed, if anything was.
    #[must_use]
    pub fn typed(text: Option<&str>) -> Option<Self> {
        Some(Self { text: text?.to_owned(), variable: None })
    }

    /// What the variable holds, if it holds anything.
    #[must_use]
    pub fn in_variable() -> Option<Self> {
        Some(Self { text: variables::database_url()?, variable: Some(variables::DATABASE_URL) })
    }

    /// Reads it; what it leaves out is as the process's environment says.
    ///
    /// # Errors
    /// [`Error::DatabaseUrl`], [`Error::VariableUrl`].
    pub fn read(&self) -> Result<Parsed, Error> {
        Parsed::read_with(&self.text, &Defaults::of_process()).map_err(|source| match self.variable {
            Some(name) => Error::VariableUrl { name, source },
            None => source.into(),
        })
    }
}

impl std::fmt::Debug for Given {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The text may hold a password.
        formatter.debug_struct("Given").field("variable", &self.variable).finish_non_exhaustive()
    }
}
