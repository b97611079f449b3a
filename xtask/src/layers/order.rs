//! The layers of a run, in the only order there is.

use ledger::ecto::Files;
use ledger::migration::Migrations;
use terminal::step::Step;

use super::bootstrap::known::wishes;
use super::bootstrap::layer::Bootstrap;
use super::contract::{Layer, Visitor};
use super::ecto::layer::Ecto;
use super::ecto::mix::Mix;
use super::error::LayerError;
use super::performance::Performance;
use crate::cli::{self, SetupOptions};
use crate::project::Project;
use crate::target::Target;

/// Those that the options ask for, with the files they work from.
pub(crate) struct Layers {
    bootstrap: Option<Bootstrap>,
    ecto: Option<Ecto>,
    performance: Option<Performance>,
}

impl Layers {
    pub(crate) async fn read(options: &SetupOptions, project: &Project, own_server: bool) -> Result<Self, LayerError> {
        let files = Files::read(&project.ecto_migrations()).map_err(ledger::Error::from)?;
        let migrations = Migrations::read(&project.sqlx_migrations()).await.map_err(ledger::Error::from)?;
        let wishes = wishes(&options.require, migrations.extensions())?;
        let ecto = Ecto {
            files: files.clone(),
            mode: options.ecto,
            command: options.ecto_command.clone(),
            mix: Mix::new(project.ecto_app()),
            structure: project.structure(),
        };
        let assume_ecto = options.dry_run && options.layers.contains(&cli::Layer::Ecto);
        let performance =
            Performance { files, migrations, assume_ecto, agreed: options.yes, index_memory: options.index_memory };
        Ok(Self {
            bootstrap: wanted(options, Bootstrap { wishes, own_server }),
            ecto: wanted(options, ecto),
            performance: wanted(options, performance),
        })
    }

    /// Does the same with each layer of a database. A layer has its turn when the one before it has ended well.
    pub(crate) async fn each(&self, target: &Target, visitor: &mut impl Visitor) -> Result<(), LayerError> {
        if let Some(layer) = of(target, self.bootstrap.as_ref()) {
            visitor.visit(layer).await?;
        }
        if let Some(layer) = of(target, self.ecto.as_ref()) {
            visitor.visit(layer).await?;
        }
        if let Some(layer) = of(target, self.performance.as_ref()) {
            visitor.visit(layer).await?;
        }
        Ok(())
    }
}

fn wanted<L: Layer>(options: &SetupOptions, layer: L) -> Option<L> {
    options.layers.contains(&L::NAME).then_some(layer)
}

fn of<'a, L: Layer>(target: &Target, layer: Option<&'a L>) -> Option<&'a L> {
    layer.filter(|_| target.has(L::NAME))
}

/// What a run would do that first has to start a server: everything, as far as it can be told without one.
pub(crate) struct Forecast<'a> {
    pub(crate) target: &'a Target,
    pub(crate) steps: Vec<Step>,
}

impl Visitor for Forecast<'_> {
    async fn visit<L: Layer>(&mut self, layer: &L) -> Result<(), LayerError> {
        self.steps.extend(layer.forecast(self.target)?);
        Ok(())
    }
}
