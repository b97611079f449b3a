//! A server that takes connections.

use std::path::PathBuf;

use crate::kind::Kind;
use crate::secret::Secret;

/// A running development server.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Server {
    /// Where its programs come from.
    pub kind: Kind,
    /// Its version: `18.6`.
    pub version: String,
    /// Its port on 127.0.0.1.
    pub port: u16,
    /// The folder of its Unix socket; a container has none.
    pub socket_directory: Option<PathBuf>,
    /// The folder of its programs; those of a container are inside.
    pub bin_directory: Option<PathBuf>,
    /// Where its log is.
    pub log: Log,
    /// The superuser.
    pub user: String,
    /// The superuser's password.
    pub password: Secret,
    /// The same password in the form that `psql` reads.
    pub(crate) password_file: PathBuf,
}

/// Where a server's log is.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Log {
    /// In a file.
    File(PathBuf),
    /// With the container engine.
    Container {
        /// `docker` or `podman`.
        engine: String,
        /// The container's name.
        name: String,
    },
}

impl Server {
    /// The URL of `database`, on one line, as psql, sqlx and Ecto take it. It holds the password.
    #[must_use]
    pub fn url(&self, database: &str) -> String {
        self.url_with(self.password.expose(), database)
    }

    /// The same for messages: `***` instead of the password.
    #[must_use]
    pub fn redacted_url(&self, database: &str) -> String {
        self.url_with("***", database)
    }

    fn url_with(&self, password: &str, database: &str) -> String {
        let Self { user, port, .. } = self;
        let database = percent_encoded(database);
        format!("postgres://{user}:{password}@127.0.0.1:{port}/{database}")
    }
}

/// Everything but RFC 3986's unreserved characters is encoded.
fn percent_encoded(text: &str) -> String {
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"-._~".contains(byte);
    let encode = |byte: u8| if plain(&byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") };
    text.bytes().map(encode).collect()
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn example(log: Log) -> Server {
        Server {
            kind: Kind::Embedded,
            version: "18.6".to_owned(),
            port: 20_345,
            socket_directory: None,
            bin_directory: Some(PathBuf::from("/pg/bin")),
            log,
            user: "postgres".to_owned(),
            password: Secret::new("s3cret".to_owned()),
            password_file: PathBuf::from("/p/.dev-db/pgpass"),
        }
    }

    #[test]
    fn a_url_names_user_address_and_encoded_database() {
        let server = example(Log::File(PathBuf::from("/p/.dev-db/log")));
        assert_eq!(server.url("singularity_dev"), "postgres://postgres:s3cret@127.0.0.1:20345/singularity_dev");
        assert_eq!(server.url("a b/ü"), "postgres://postgres:s3cret@127.0.0.1:20345/a%20b%2F%C3%BC");
    }

    #[test]
    fn nothing_for_people_holds_the_password() {
        let server = example(Log::File(PathBuf::from("/p/.dev-db/log")));
        assert_eq!(server.redacted_url("d"), "postgres://postgres:***@127.0.0.1:20345/d");
        assert!(!format!("{server:?}").contains("s3cret"));
    }
}
