//! Which databases one run is about.

use database::DatabaseUrl;
use database::environment::Environment;
use database::url::Parsed;

use crate::cli::Layer;

/// One database, and what is to be set up in it.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    pub(crate) url: DatabaseUrl,
    /// What to mark an unmarked database as.
    pub(crate) environment: Environment,
    /// Whether the environment was asked for on the command line, so that another mark is replaced.
    pub(crate) environment_is_explicit: bool,
    layers: &'static [Layer],
}

/// The development databases. `singularity_embeddings` is left over from an older version of the application, which
/// still wants its extensions there; it has no schema.
const DEVELOPMENT: [(&str, Environment, &[Layer]); 3] = [
    ("singularity_dev", Environment::Dev, &Layer::ALL),
    ("singularity_test", Environment::Test, &Layer::ALL),
    ("singularity_embeddings", Environment::Dev, &[Layer::Bootstrap]),
];

impl Target {
    /// The database's name.
    pub(crate) fn name(&self) -> &str {
        self.url.database()
    }

    pub(crate) fn has(&self, layer: Layer) -> bool {
        self.layers.contains(&layer)
    }
}

/// The one database that the URL names, or the development databases of its server.
pub(crate) fn choose(named: &Parsed, environment: Option<Environment>) -> Vec<Target> {
    match named {
        Parsed::Server(server) => {
            let target = |(name, default, layers): &(&str, Environment, &'static [Layer])| {
                target(server.database(name), *default, environment, layers)
            };
            DEVELOPMENT.iter().map(target).collect()
        }
        Parsed::Database(url) => vec![one(url, environment)],
    }
}

/// A database by its URL.
pub(crate) fn one(url: &DatabaseUrl, environment: Option<Environment>) -> Target {
    let known = DEVELOPMENT.iter().find(|(known, ..)| *known == url.database());
    let (default, layers) =
        known.map_or((Environment::Prod, &Layer::ALL[..]), |(_, default, layers)| (*default, *layers));
    target(url.clone(), default, environment, layers)
}

fn target(
    url: DatabaseUrl,
    default: Environment,
    environment: Option<Environment>,
    layers: &'static [Layer],
) -> Target {
    let environment_is_explicit = environment.is_some();
    Target { url, environment: environment.unwrap_or(default), environment_is_explicit, layers }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(url: &str) -> Vec<(String, Environment, bool)> {
        let targets = choose(&Parsed::read(url).unwrap(), None);
        targets
            .into_iter()
            .map(|target| (target.name().to_owned(), target.environment, target.has(Layer::Ecto)))
            .collect()
    }

    #[test]
    fn a_server_has_three_development_databases() {
        assert_eq!(
            chosen("postgres://h"),
            [
                ("singularity_dev".into(), Environment::Dev, true),
                ("singularity_test".into(), Environment::Test, true),
                ("singularity_embeddings".into(), Environment::Dev, false),
            ]
        );
    }

    #[test]
    fn a_database_of_another_name_counts_as_production() {
        assert_eq!(chosen("postgres://h/live"), [("live".into(), Environment::Prod, true)]);
        assert_eq!(chosen("postgres://h/singularity_test"), [("singularity_test".into(), Environment::Test, true)]);
    }
}
