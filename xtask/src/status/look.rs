//! One database, read in one transaction.

use std::collections::BTreeSet;
use std::time::Duration;

use database::lock;
use futures_util::future::join_all;
use terminal::Failure as _;
use terminal::console::Console;
use terminal::step::Step;

use crate::error::Error;
use crate::layers::contract::{Layer, Visitor};
use crate::layers::error::LayerError;
use crate::layers::order::Layers;
use crate::layers::session::Session;
use crate::layers::telling::Telling;
use crate::target::Target;

/// What was seen of a database.
pub(super) struct Seen {
    pub(super) name: String,
    /// False where there is none of that name.
    pub(super) exists: bool,
    /// Who is at work on it: a run of this tool.
    pub(super) runner: Option<String>,
    pub(super) steps: Vec<Step>,
}

/// Looks at all of them side by side.
pub(super) async fn at(targets: &[Target], layers: &Layers, console: &Console) -> Vec<(Seen, Vec<Error>)> {
    let telling = Telling::new(console, targets.len());
    join_all(targets.iter().enumerate().map(async |(place, target)| {
        let mut session = Session::new(target, console, telling.teller(place), Duration::ZERO).of_one_moment();
        let mut look = Look { session: &mut session, errors: Vec::new() };
        // It ends early where nothing more can be asked.
        let mut last = layers.each(target, &mut look).await.err();
        let mut errors: Vec<LayerError> = look.errors;
        let runner = match runner(&mut session).await {
            Ok(runner) => runner,
            Err(error) => {
                last = last.or(Some(error));
                None
            }
        };
        errors.extend(last);
        // One rule may stand between two layers, and is told once.
        let mut told = BTreeSet::new();
        errors.retain(|error| told.insert((error.to_string(), error.causes())));
        let seen = Seen {
            name: target.name().to_owned(),
            exists: session.is_connected(),
            runner,
            steps: std::mem::take(&mut session.steps),
        };
        session.end().await;
        (seen, errors.into_iter().map(Error::from).collect())
    }))
    .await
}

async fn runner(session: &mut Session<'_>) -> Result<Option<String>, LayerError> {
    let target = session.target;
    let Some(connection) = session.connection().await? else { return Ok(None) };
    let failed = database::Error::sql("look for other runs", target.name());
    Ok(lock::runner(connection).await.map_err(failed)?)
}

/// What is wrong with one layer hides nothing of the next.
struct Look<'a, 'b> {
    session: &'a mut Session<'b>,
    errors: Vec<LayerError>,
}

impl Visitor for Look<'_, '_> {
    async fn visit<L: Layer>(&mut self, layer: &L) -> Result<(), LayerError> {
        const BEFORE: &str = "SAVEPOINT before_layer";
        const BACK: &str = "ROLLBACK TO SAVEPOINT before_layer";
        let target = self.session.target;
        let failed = || database::Error::sql("read one layer after the other", target.name());
        if let Some(connection) = self.session.connection().await? {
            sqlx::raw_sql(BEFORE).execute(connection).await.map_err(failed())?;
        }
        if let Err(error) = layer.look(self.session).await {
            self.errors.push(error);
            if let Some(connection) = self.session.connection().await? {
                sqlx::raw_sql(BACK).execute(connection).await.map_err(failed())?;
            }
        }
        Ok(())
    }
}
