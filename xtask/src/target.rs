//! Which databases one run is about.

use db_service::DatabaseUrl;

use crate::cli::{Environment, Layer};

/// One database, and what is to be set up in it.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    pub(crate) url: DatabaseUrl,
    pub(crate) name: String,
    /// What to mark an unmarked database as.
    pub(crate) environment: Environment,
    /// Whether the environment was asked for on the command line, so that another mark is replaced.
    pub(crate) environment_is_explicit: bool,
    layers: &'static [Layer],
}

const ALL: &[Layer] = &[Layer::Bootstrap, Layer::Ecto, Layer::Sqlx];

/// The development databases. `singularity_embeddings` is left over from an older version of the application, which
/// still wants its extensions there; it has no schema.
const DEVELOPMENT: [(&str, Environment, &[Layer]); 3] = [
    ("singularity_dev", Environment::Dev, ALL),
    ("singularity_test", Environment::Test, ALL),
    ("singularity_embeddings", Environment::Dev, &[Layer::Bootstrap]),
];

impl Target {
    pub(crate) fn has(&self, layer: Layer) -> bool {
        self.layers.contains(&layer)
    }
}

/// The one database that the URL names, or the development databases of its server.
pub(crate) fn choose(url: &DatabaseUrl, environment: Option<Environment>) -> Vec<Target> {
    let target = |name: &str, default: Environment, layers| Target {
        url: url.with_database(name),
        name: name.to_owned(),
        environment: environment.unwrap_or(default),
        environment_is_explicit: environment.is_some(),
        layers,
    };
    match url.database() {
        None => DEVELOPMENT.iter().map(|(name, environment, layers)| target(name, *environment, layers)).collect(),
        Some(name) => {
            let known = DEVELOPMENT.iter().find(|(known, ..)| *known == name);
            vec![known.map_or_else(
                || target(name, Environment::Prod, ALL),
                |(_, environment, layers)| target(name, *environment, layers),
            )]
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(url: &str) -> Vec<(String, Environment, bool)> {
        let targets = choose(&DatabaseUrl::parse(url).unwrap(), None);
        targets.into_iter().map(|target| (target.name.clone(), target.environment, target.has(Layer::Ecto))).collect()
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
