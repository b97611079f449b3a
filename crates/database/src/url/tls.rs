//! How a connection is protected, in libpq's terms.

use sqlx::postgres::PgSslMode;

/// What a URL asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tls {
    /// Nothing was asked for: TLS where the driver tries it and the server offers it.
    Unstated,
    Disable,
    Prefer,
    Require,
    VerifyCa,
    VerifyFull,
}

impl Tls {
    /// libpq's `sslmode`.
    pub(super) fn parse(text: &str) -> Option<Self> {
        Some(match text {
            "disable" => Self::Disable,
            "prefer" | "allow" => Self::Prefer,
            "require" => Self::Require,
            "verify-ca" => Self::VerifyCa,
            "verify-full" => Self::VerifyFull,
            _ => return None,
        })
    }

    /// The `sslmode` to write; none where nothing was asked for.
    pub(super) fn mode(self) -> Option<&'static str> {
        match self {
            Self::Unstated => None,
            Self::Disable => Some("disable"),
            Self::Prefer => Some("prefer"),
            Self::Require => Some("require"),
            Self::VerifyCa => Some("verify-ca"),
            Self::VerifyFull => Some("verify-full"),
        }
    }

    /// Plaintext will not do.
    pub(super) fn is_required(self) -> bool {
        matches!(self, Self::Require | Self::VerifyCa | Self::VerifyFull)
    }

    pub(super) fn for_sqlx(self) -> PgSslMode {
        match self {
            Self::Unstated | Self::Prefer => PgSslMode::Prefer,
            Self::Disable => PgSslMode::Disable,
            Self::Require => PgSslMode::Require,
            Self::VerifyCa => PgSslMode::VerifyCa,
            Self::VerifyFull => PgSslMode::VerifyFull,
        }
    }
}
