//! What the program carries inside.

use db_service::layer::{self, LayerState, PerformancePlan};
use db_service::{Error, ecto_files};
use ledger::ecto::Files;
use ledger::migration::Migrations;

use crate::problem::Problem;

/// Our migrations, and the names of Ecto's.
pub(crate) struct Embedded {
    pub(crate) migrations: Migrations,
    pub(crate) ecto: Files,
}

impl Embedded {
    pub(crate) fn read() -> Result<Self, Problem> {
        let migrations = Migrations::embedded(sqlx::migrate!("../migrations")).map_err(ledger::Error::from)?;
        Ok(Self { migrations, ecto: ecto_files::embedded().map_err(ledger::Error::from)? })
    }

    pub(crate) fn plan(&self, state: &LayerState, database: &str) -> Result<PerformancePlan, Error> {
        Ok(layer::plan(&self.migrations, &self.ecto, state).map_err(ledger::Error::broken(database))?)
    }
}
