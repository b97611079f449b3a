//! How a connection is protected, in libpq's terms.

use std::path::PathBuf;

use sqlx::postgres::{PgConnectOptions, PgSslMode};

use super::error::DatabaseUrlError;

/// What `sslmode` asks for.
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
    /// libpq's `sslmode`, and node-postgres's `no-verify`.
    pub(super) fn parse(text: &str) -> Option<Self> {
        Some(match text {
            "disable" => Self::Disable,
            "prefer" | "allow" => Self::Prefer,
            "require" | "no-verify" => Self::Require,
            "verify-ca" => Self::VerifyCa,
            "verify-full" => Self::VerifyFull,
            _ => return None,
        })
    }

    /// The `sslmode` to write; none where nothing was asked for.
    fn mode(self) -> Option<&'static str> {
        match self {
            Self::Unstated => None,
            Self::Disable => Some("disable"),
            Self::Prefer => Some("prefer"),
            Self::Require => Some("require"),
            Self::VerifyCa => Some("verify-ca"),
            Self::VerifyFull => Some("verify-full"),
        }
    }

    fn for_sqlx(self) -> PgSslMode {
        match self {
            Self::Unstated | Self::Prefer => PgSslMode::Prefer,
            Self::Disable => PgSslMode::Disable,
            Self::Require => PgSslMode::Require,
            Self::VerifyCa => PgSslMode::VerifyCa,
            Self::VerifyFull => PgSslMode::VerifyFull,
        }
    }
}

/// Whose signature a server's certificate has to bear.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Root {
    /// One that this machine trusts, `sslrootcert=system`.
    System,
    File(PathBuf),
}

impl Root {
    pub(super) fn parse(text: &str) -> Self {
        if text == "system" { Self::System } else { Self::File(PathBuf::from(text)) }
    }
}

/// All that is asked for together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Protection {
    tls: Tls,
    root: Option<Root>,
    /// `channel_binding=require`: the login is to prove that the server has the certificate. No driver of ours can.
    binds: bool,
}

impl Protection {
    /// That of a socket, which has no network in between.
    pub(super) const UNSTATED: Self = Self { tls: Tls::Unstated, root: None, binds: false };

    pub(super) fn new(tls: Tls, root: Option<Root>, binds: bool) -> Result<Self, DatabaseUrlError> {
        if binds && tls == Tls::Disable {
            return Err(DatabaseUrlError::Contradiction("channel_binding"));
        }
        if root == Some(Root::System) && !matches!(tls, Tls::Unstated | Tls::VerifyFull) {
            return Err(DatabaseUrlError::Contradiction("sslrootcert"));
        }
        Ok(Self { tls, root, binds })
    }

    /// `sslmode` for a driver that knows nothing else: whatever libpq would prove in another way it proves by the
    /// certificate.
    fn effective(&self) -> Tls {
        match (&self.root, self.tls) {
            _ if self.binds => Tls::VerifyFull,
            (Some(Root::System), _) => Tls::VerifyFull,
            (Some(Root::File(_)), Tls::Require) => Tls::VerifyCa,
            (_, tls) => tls,
        }
    }

    /// Plaintext will not do.
    pub(super) fn is_required(&self) -> bool {
        matches!(self.effective(), Tls::Require | Tls::VerifyCa | Tls::VerifyFull)
    }

    /// What is not done as it was asked for, and what is done instead.
    pub(super) fn note(&self) -> Option<String> {
        self.binds.then(|| {
            "`channel_binding=require`: neither sqlx nor Ecto binds a login to its TLS channel; both verify the server's \
             certificate and name instead, as for `sslmode=verify-full`"
                .to_owned()
        })
    }

    pub(super) fn for_sqlx(&self, options: PgConnectOptions) -> PgConnectOptions {
        let options = options.ssl_mode(self.effective().for_sqlx());
        match &self.root {
            Some(Root::File(path)) => options.ssl_root_cert(path),
            // None besides those that it always takes; it would look for a file `system` if PGSSLROOTCERT says so.
            Some(Root::System) => options.ssl_root_cert_from_pem(Vec::new()),
            None => options,
        }
    }

    /// libpq's parameters.
    pub(super) fn for_libpq(&self) -> Vec<(&'static str, String)> {
        let root = self.root.as_ref().map(|root| match root {
            Root::System => "system".to_owned(),
            Root::File(path) => path.to_string_lossy().into_owned(),
        });
        let mode = self.tls.mode().map(|mode| ("sslmode", mode.to_owned()));
        let binding = self.binds.then(|| ("channel_binding", "require".to_owned()));
        mode.into_iter().chain(root.map(|root| ("sslrootcert", root))).chain(binding).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn effective(tls: Tls, root: Option<Root>, binds: bool) -> Option<Tls> {
        Protection::new(tls, root, binds).ok().map(|protection| protection.effective())
    }

    #[test]
    fn no_protection_is_weaker_than_libpqs() {
        let file = || Some(Root::parse("/ca.pem"));
        let system = || Some(Root::parse("system"));
        for (tls, root, binds, wanted) in [
            (Tls::Unstated, None, false, Some(Tls::Unstated)),
            (Tls::Require, None, false, Some(Tls::Require)),
            (Tls::Require, file(), false, Some(Tls::VerifyCa)),
            (Tls::VerifyFull, file(), false, Some(Tls::VerifyFull)),
            (Tls::Unstated, system(), false, Some(Tls::VerifyFull)),
            (Tls::Require, system(), false, None),
            (Tls::Require, None, true, Some(Tls::VerifyFull)),
            (Tls::Prefer, None, true, Some(Tls::VerifyFull)),
            (Tls::Disable, None, true, None),
        ] {
            assert_eq!(effective(tls, root.clone(), binds), wanted, "{tls:?}, {root:?}, {binds}");
        }
    }
}
