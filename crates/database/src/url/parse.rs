//! A URL and what it leaves out, put together.

use super::address::{DatabaseUrl, Parsed, ServerUrl};
use super::defaults::{self, Defaults};
use super::error::DatabaseUrlError;
use super::host::Host;
use super::parameters::{self, Parameters};
use super::password_file::{PasswordFile, Unused};
use super::split::{self, Split};
use super::tls::{Protection, Root, Tls};

impl Parsed {
    /// Reads a `postgres://`, `postgresql://` or `ecto://` URL that leaves nothing to the environment.
    ///
    /// # Errors
    /// See [`DatabaseUrlError`].
    pub fn read(text: &str) -> Result<Self, DatabaseUrlError> {
        Self::read_with(text, &Defaults::default())
    }

    /// Reads a URL of the user's, who may have told libpq in other ways what it leaves out.
    ///
    /// # Errors
    /// See [`DatabaseUrlError`].
    pub fn read_with(text: &str, defaults: &Defaults) -> Result<Self, DatabaseUrlError> {
        let split = Split::read(text)?;
        let parameters = Parameters::read(split.parameters)?;
        let host = host(parameters.host.or(split.host), parameters.address, defaults)?;
        let protection = match host {
            Host::SocketDirectory(_) => Protection::UNSTATED,
            Host::Tcp(_) => protection(parameters.tls, parameters.root, parameters.binds, defaults)?,
        };
        let port = match parameters.port.or(split.port) {
            Some(port) => port,
            None => defaults::value("PGPORT", defaults.port.as_ref(), split::port)?.unwrap_or(5432),
        };
        let mut notes: Vec<String> =
            passed_over(&parameters.passed_over).into_iter().chain(protection.note()).collect();
        let password_file = parameters.password_file.as_ref().or(defaults.password_file.as_ref());
        let password = parameters.password.or(split.password);
        // An empty one is none: libpq looks into the file then.
        let passwords = match (password.as_deref(), password_file) {
            (None | Some(""), Some(path)) => PasswordFile::read(path).unwrap_or_else(|unused| {
                notes.extend(unused.note(path));
                PasswordFile::default()
            }),
            _ => PasswordFile::default(),
        };
        let server = ServerUrl {
            host,
            port,
            user: parameters.user.or(split.user).or_else(|| defaults.user.clone()),
            password: password.or_else(|| defaults.password.clone()),
            passwords,
            protection,
            connect_timeout: parameters.connect_timeout,
            settings: parameters.settings,
            ecto_parameters: parameters.ecto,
            notes,
        };
        Ok(match parameters.database.or(split.database) {
            Some(database) => Self::Database(DatabaseUrl { server, database }),
            None => Self::Server(server),
        })
    }
}

impl DatabaseUrl {
    /// Reads a URL that has to name a database.
    ///
    /// # Errors
    /// See [`DatabaseUrlError`].
    pub fn parse(text: &str) -> Result<Self, DatabaseUrlError> {
        match Parsed::read(text)? {
            Parsed::Database(url) => Ok(url),
            Parsed::Server(_) => Err(DatabaseUrlError::NoDatabase),
        }
    }
}

impl ServerUrl {
    /// Reads a URL; a database in it is passed over.
    ///
    /// # Errors
    /// See [`DatabaseUrlError`].
    pub fn parse(text: &str) -> Result<Self, DatabaseUrlError> {
        Ok(Parsed::read(text)?.server().clone())
    }
}

fn host(named: Option<String>, address: Option<String>, defaults: &Defaults) -> Result<Host, DatabaseUrlError> {
    let host = match (named, address) {
        // One tool would go there, and the others to the host.
        (Some(host), Some(address)) if host != address => {
            return Err(DatabaseUrlError::UnknownParameter("hostaddr".into()));
        }
        (named, address) => named.or(address).or_else(|| defaults.host.clone()).ok_or(DatabaseUrlError::NoHost)?,
    };
    if host.contains(',') {
        return Err(DatabaseUrlError::SeveralHosts);
    }
    Ok(if host.starts_with('/') { Host::SocketDirectory(host) } else { Host::Tcp(host) })
}

fn protection(
    tls: Tls,
    root: Option<Root>,
    binds: Option<bool>,
    defaults: &Defaults,
) -> Result<Protection, DatabaseUrlError> {
    let tls = match tls {
        Tls::Unstated => defaults::value("PGSSLMODE", defaults.sslmode.as_ref(), Tls::parse)?.unwrap_or(Tls::Unstated),
        stated => stated,
    };
    let root = root.or_else(|| defaults.sslrootcert.as_deref().map(Root::parse));
    let binds = match binds {
        Some(binds) => binds,
        None => defaults::value("PGCHANNELBINDING", defaults.channel_binding.as_ref(), parameters::binds)?
            .unwrap_or_default(),
    };
    Protection::new(tls, root, binds)
}

fn passed_over(names: &[String]) -> Option<String> {
    let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    (!names.is_empty())
        .then(|| format!("passed over in the database URL, since it changes nothing here: {}", names.join(", ")))
}

impl Unused {
    /// Nothing where there is no such file: it need not be there.
    fn note(&self, path: &std::path::Path) -> Option<String> {
        let path = path.display();
        match self {
            Self::Missing => None,
            Self::NoFile => Some(format!("passed over the password file `{path}`, which is not a plain file")),
            Self::Readable => Some(format!(
                "passed over the password file `{path}`, which others may read: `chmod 600` makes it yours"
            )),
            Self::Unreadable(error) => Some(format!("passed over the password file `{path}`: {error}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use terminal::Secret;

    use super::*;

    fn refused(text: &str) -> String {
        let error = DatabaseUrl::parse(text).unwrap_err();
        assert!(!error.hint().is_empty());
        error.to_string()
    }

    #[test]
    fn a_url_may_name_no_database() {
        assert!(matches!(Parsed::read("postgres://u@h"), Ok(Parsed::Server(_))));
        assert_eq!(refused("postgres://u@h/"), "it names no database");
        assert_eq!(ServerUrl::parse("postgres://u@h/").unwrap().database("x").database(), "x");
    }

    #[test]
    fn what_one_tool_would_ignore_is_refused() {
        for (text, why) in [
            ("mysql://u@h/d", "its scheme is `mysql`, not `postgres`"),
            ("jdbc:postgresql://h/d", "its scheme is `jdbc`, not `postgres`"),
            ("no url", "it is not a URL"),
            ("postgres://u:p@h/d#x", "it holds a `#`"),
            ("postgres:///d", "it names no host"),
            ("postgres://u@/d", "it names no host"),
            ("postgres://a:1,b:2/d", "it names several hosts"),
            ("postgres://h/d?host=a,b", "it names several hosts"),
            ("postgres://h/d?port=1,2", "it names several hosts"),
            ("postgres://h/a/b", "its path has more than one segment"),
            ("postgres://h/%FF", "its database name is not UTF-8"),
            ("postgres://h/d?sslcert=x", "it has the parameter `sslcert`, which not every tool understands"),
            ("postgres://h/d?service=x", "it has the parameter `service`, which not every tool understands"),
            ("postgres://h/d?hostaddr=::1", "it has the parameter `hostaddr`, which not every tool understands"),
            (
                "postgres://h/d?gssencmode=require",
                "it has the parameter `gssencmode`, which not every tool understands",
            ),
            ("postgres://h/d?sslmode=on", "its parameter `sslmode` has the value `on`"),
            ("postgres://h/d?sslmode=", "its parameter `sslmode` has the value ``"),
            ("postgres://h/d?ssl=false&sslmode=require", "`ssl` and `sslmode` contradict each other"),
            ("postgres://h/d?sslrootcert=system&sslmode=require", "`sslrootcert` and `sslmode` contradict each other"),
            (
                "postgres://h/d?channel_binding=require&sslmode=disable",
                "`channel_binding` and `sslmode` contradict each other",
            ),
            ("postgres://h/d?channel_binding=x", "its parameter `channel_binding` has the value `x`"),
            ("postgres://h/d?connect_timeout=soon", "its parameter `connect_timeout` has the value `soon`"),
            ("postgres://h/d?timeout=x", "its parameter `timeout` is no number"),
            ("postgres://h/d?schema=app", "its parameter `schema` names `app`, not `public`"),
            ("postgres://h/d?options=-c%20role%3Dx", "its `options` set `role`, which Ecto would not"),
        ] {
            assert_eq!(refused(text), why, "{text}");
        }
    }

    #[test]
    fn what_does_no_harm_is_passed_over_and_said_once() {
        let notes = |text| DatabaseUrl::parse(text).unwrap().server().notes().to_vec();
        let said = "passed over in the database URL, since it changes nothing here: ";
        assert_eq!(
            notes("postgres://h/d?application_name=x&pgbouncer=true&schema=public&options=endpoint%3Dep-1"),
            [format!("{said}`application_name`, `pgbouncer`, `schema`, `options`")]
        );
        assert_eq!(notes("postgres://h/d?sslmode=require&channel_binding=prefer&options=-c%20geqo%3Doff"), [""; 0]);
        let bound = notes("postgres://h/d?sslmode=require&channel_binding=require");
        assert!(bound[0].contains("verify the server's certificate and name instead"), "{bound:?}");
    }

    fn with(text: &str, defaults: &Defaults) -> Result<String, DatabaseUrlError> {
        match Parsed::read_with(text, defaults)? {
            Parsed::Database(url) => Ok(url.for_libpq()),
            Parsed::Server(_) => Err(DatabaseUrlError::NoDatabase),
        }
    }

    #[test]
    fn the_environment_says_what_a_url_leaves_out() {
        let defaults = || Defaults {
            host: Some("/run/pg".into()),
            port: Some("6543".into()),
            user: Some("me".into()),
            password: Some("secret".into()),
            sslmode: Some("verify-full".into()),
            sslrootcert: Some("/ca.pem".into()),
            ..Defaults::default()
        };
        for (text, form) in [
            ("postgres:///d", "postgres://me:secret@localhost:6543/d?host=%2Frun%2Fpg"),
            ("postgres://h/d", "postgres://me:secret@h:6543/d?sslmode=verify-full&sslrootcert=%2Fca.pem"),
            ("postgres://u:p@h:1/d?ssl=false", "postgres://u:p@h:1/d?sslmode=disable&sslrootcert=%2Fca.pem"),
        ] {
            assert_eq!(with(text, &defaults()).unwrap(), form, "{text}");
        }
        let refused = with("postgres://h/d", &Defaults { sslmode: Some("maybe".into()), ..defaults() }).unwrap_err();
        assert_eq!(refused.to_string(), "the variable `PGSSLMODE` has the value `maybe`");
        let refused = with("postgres://h/d", &Defaults { port: Some("1,2".into()), ..defaults() }).unwrap_err();
        assert_eq!(refused.to_string(), "the variable `PGPORT` has the value `1,2`");
    }

    #[test]
    fn a_password_file_serves_every_tool_and_is_kept_secret() {
        use std::os::unix::fs::PermissionsExt as _;
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "h:*:d:me:of d\nh:*:*:me:of others\n").unwrap();
        let defaults =
            || Defaults { user: Some("me".into()), password_file: Some(file.path().to_owned()), ..Defaults::default() };
        let read = |text: &str| match Parsed::read_with(text, &defaults()).unwrap() {
            Parsed::Database(url) => url,
            Parsed::Server(url) => url.database("other"),
        };
        let url = read("postgres://h/d");
        assert_eq!(url.for_ecto(), "ecto://me:of%20d@h:5432/d");
        assert!(url.libpq_environment().contains(&("PGPASSWORD", "of d".to_owned())));
        assert_eq!(url.with_database("x").for_libpq(), "postgres://me:of%20others@h:5432/x");
        let secret = |text: &str, encoded: &str| {
            Secret::new([text, encoded].map(str::to_owned), ["me", "h", "d"].map(str::to_owned))
        };
        assert_eq!(url.secrets(), [secret("of d", "of%20d"), secret("of others", "of%20others")]);
        assert_eq!(url.to_string(), "postgres://me@h:5432/d");
        assert!(!format!("{url:?}").contains("of"));
        assert_eq!(read("postgres://me:own@h/d").for_libpq(), "postgres://me:own@h:5432/d");
        assert_eq!(read("postgres://me:@h/d").for_libpq(), "postgres://me:of%20d@h:5432/d");
        std::fs::set_permissions(file.path(), std::fs::Permissions::from_mode(0o644)).unwrap();
        let url = read("postgres://h/d");
        assert_eq!(url.for_libpq(), "postgres://me@h:5432/d");
        assert!(url.server().notes()[0].ends_with("which others may read: `chmod 600` makes it yours"));
    }
}
