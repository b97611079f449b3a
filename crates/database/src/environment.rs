//! What a database is for, written into the database itself: `ALTER DATABASE … SET singularity.environment`.

use std::fmt;
use std::str::FromStr;

use sqlx::PgConnection;

/// The mark.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Environment {
    /// Development.
    Dev,
    /// Tests; what is in it can be made again.
    Test,
    /// Production: nothing in it may be destroyed.
    Prod,
}

impl Environment {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Dev, Self::Test, Self::Prod];

    /// As it is written.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Dev => "dev",
            Self::Test => "test",
            Self::Prod => "prod",
        }
    }
}

impl fmt::Display for Environment {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

/// A text that is no mark.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is none of `dev`, `test` and `prod`")]
pub struct NoEnvironment(pub String);

impl FromStr for Environment {
    type Err = NoEnvironment;

    fn from_str(text: &str) -> Result<Self, NoEnvironment> {
        Self::ALL
            .into_iter()
            .find(|environment| environment.name() == text)
            .ok_or_else(|| NoEnvironment(text.to_owned()))
    }
}

/// Reads the mark of the database that the connection is in. One that has none, or one that we do not know, counts as
/// production.
///
/// # Errors
/// When the query fails.
pub async fn read(connection: &mut PgConnection) -> Result<Environment, sqlx::Error> {
    Ok(mark(connection).await?.unwrap_or(Environment::Prod))
}

/// The same, where it matters whether there is a mark at all. One that we do not know counts as production.
///
/// # Errors
/// When the query fails.
pub async fn mark(connection: &mut PgConnection) -> Result<Option<Environment>, sqlx::Error> {
    let mark: Option<String> = sqlx::query_scalar("SELECT pg_catalog.current_setting('singularity.environment', true)")
        .fetch_one(connection)
        .await?;
    Ok(mark.filter(|mark| !mark.is_empty()).map(|mark| mark.parse().unwrap_or(Environment::Prod)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_is_read_back_as_it_was_written() {
        for environment in Environment::ALL {
            assert_eq!(environment.to_string().parse(), Ok(environment));
        }
        assert!("staging".parse::<Environment>().is_err());
    }
}
