//! The form of a URL that each tool takes.

use std::fmt::{self, Write as _};

use sqlx::postgres::PgConnectOptions;

use super::address::{DatabaseUrl, Host, ServerUrl, encode};

impl DatabaseUrl {
    /// For sqlx.
    #[must_use]
    pub fn for_sqlx(&self) -> PgConnectOptions {
        let server = &self.server;
        let mut options =
            PgConnectOptions::new().port(server.port).ssl_mode(server.tls.for_sqlx()).database(&self.database);
        options = match &server.host {
            Host::Tcp(host) => options.host(host),
            Host::SocketDirectory(directory) => options.socket(directory),
        };
        if let Some(user) = &server.user {
            options = options.username(user);
        }
        if let Some(password) = &server.password {
            options = options.password(password);
        }
        if let Some(certificate) = &server.root_certificate {
            options = options.ssl_root_cert(certificate);
        }
        options
    }

    /// For Ecto's `DATABASE_URL`: `ssl` instead of `sslmode`, `socket_dir` instead of `host`.
    ///
    /// Ecto has no "TLS if the server offers it", so `prefer` becomes plaintext, as libpq's `prefer` may. `ssl=true` makes
    /// Postgrex verify the certificate against the system's roots, which is at least what any `sslmode` asks for.
    #[must_use]
    pub fn for_ecto(&self) -> String {
        let server = &self.server;
        let mut parameters = server.ecto_parameters.clone();
        if server.tls.is_required() {
            parameters.push(("ssl".into(), "true".into()));
        }
        let form = Form { scheme: "ecto", socket_parameter: "socket_dir", parameters };
        form.text(server, Some(&self.database), server.password.as_deref().map(encode))
    }

    /// For libpq (psql, `pg_dump`) and sqlx-cli.
    #[must_use]
    pub fn for_libpq(&self) -> String {
        self.server.libpq_text(Some(&self.database), self.server.password.as_deref().map(encode))
    }

    /// For libpq's programs, as environment variables: a command line can be read by everybody on the machine.
    #[must_use]
    pub fn libpq_environment(&self) -> Vec<(&'static str, String)> {
        let server = &self.server;
        let host = match &server.host {
            Host::Tcp(host) | Host::SocketDirectory(host) => host.clone(),
        };
        let mut variables =
            vec![("PGHOST", host), ("PGPORT", server.port.to_string()), ("PGDATABASE", self.database.clone())];
        variables.extend(server.user.clone().map(|user| ("PGUSER", user)));
        variables.extend(server.password.clone().map(|password| ("PGPASSWORD", password)));
        for (name, value) in server.libpq_parameters() {
            variables.push((if name == "sslmode" { "PGSSLMODE" } else { "PGSSLROOTCERT" }, value));
        }
        variables
    }
}

impl ServerUrl {
    /// For libpq, without a database.
    #[must_use]
    pub fn for_libpq(&self) -> String {
        self.libpq_text(None, self.password.as_deref().map(encode))
    }

    fn libpq_text(&self, database: Option<&str>, password: Option<String>) -> String {
        let form = Form { scheme: "postgres", socket_parameter: "host", parameters: self.libpq_parameters() };
        form.text(self, database, password)
    }

    /// For people.
    fn hidden_text(&self, database: Option<&str>) -> String {
        self.libpq_text(database, self.password.as_ref().map(|_| "***".to_owned()))
    }

    fn libpq_parameters(&self) -> Vec<(String, String)> {
        let mode = self.tls.mode().map(|mode| ("sslmode".to_owned(), mode.to_owned()));
        let certificate = self.root_certificate.as_ref();
        let certificate = certificate.map(|path| ("sslrootcert".to_owned(), path.to_string_lossy().into_owned()));
        mode.into_iter().chain(certificate).collect()
    }
}

/// How a tool writes it.
struct Form {
    scheme: &'static str,
    socket_parameter: &'static str,
    parameters: Vec<(String, String)>,
}

impl Form {
    fn text(mut self, server: &ServerUrl, database: Option<&str>, password: Option<String>) -> String {
        let mut text = format!("{}://", self.scheme);
        if let Some(user) = &server.user {
            text += &encode(user);
            if let Some(password) = password {
                text.push(':');
                text += &password;
            }
            text.push('@');
        }
        match &server.host {
            Host::Tcp(host) if host.contains(':') => write!(text, "[{host}]:{}", server.port),
            Host::Tcp(host) => write!(text, "{host}:{}", server.port),
            Host::SocketDirectory(directory) => {
                self.parameters.insert(0, (self.socket_parameter.into(), directory.clone()));
                write!(text, "localhost:{}", server.port)
            }
        }
        .expect("writing to a string succeeds");
        if let Some(database) = database {
            text.push('/');
            text += &encode(database);
        }
        for (index, (name, value)) in self.parameters.iter().enumerate() {
            let separator = if index == 0 { '?' } else { '&' };
            write!(text, "{separator}{name}={}", encode(value)).expect("writing to a string succeeds");
        }
        text
    }
}

impl fmt::Display for DatabaseUrl {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.server.hidden_text(Some(&self.database)))
    }
}

impl fmt::Display for ServerUrl {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.hidden_text(None))
    }
}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "DatabaseUrl({self})")
    }
}

impl fmt::Debug for ServerUrl {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "ServerUrl({self})")
    }
}

#[cfg(test)]
mod tests {
    use sqlx::postgres::PgSslMode;

    use super::*;

    fn parsed(text: &str) -> DatabaseUrl {
        DatabaseUrl::parse(text).unwrap()
    }

    #[test]
    fn special_characters_survive_in_every_form() {
        let url = parsed(r"postgresql://us%20er:p%40s%23s%2F@db.example:6432/my%20%22db%22");
        assert_eq!(url.database(), r#"my "db""#);
        assert_eq!(url.for_ecto(), "ecto://us%20er:p%40s%23s%2F@db.example:6432/my%20%22db%22");
        assert_eq!(url.for_libpq(), "postgres://us%20er:p%40s%23s%2F@db.example:6432/my%20%22db%22");
        assert_eq!(parsed(&url.for_libpq()), url);
        assert_eq!(url.secrets(), ["p@s#s/", "p%40s%23s%2F"]);
    }

    #[test]
    fn no_form_for_people_shows_the_password() {
        let url = parsed("postgres://u:hidden@h/d");
        assert_eq!(url.to_string(), "postgres://u:***@h:5432/d");
        assert!(!format!("{url:?}").contains("hidden"));
    }

    #[test]
    fn tls_reaches_both_drivers() {
        let url = parsed("postgres://u@h/d?sslmode=require");
        assert_eq!(url.for_ecto(), "ecto://u@h:5432/d?ssl=true");
        assert!(matches!(url.for_sqlx().get_ssl_mode(), PgSslMode::Require));
        let url = parsed("ecto://u@h/d?ssl=true&pool_size=4");
        assert_eq!(url.for_ecto(), "ecto://u@h:5432/d?pool_size=4&ssl=true");
        assert_eq!(url.for_libpq(), "postgres://u@h:5432/d?sslmode=verify-full");
    }

    #[test]
    fn sockets_are_named_in_each_tools_own_way() {
        for text in
            ["postgres:///d?host=/run/pg", "postgres://localhost/d?socket_dir=/run/pg", "postgres://%2Frun%2Fpg/d"]
        {
            let url = parsed(text);
            assert_eq!(url.for_ecto(), "ecto://localhost:5432/d?socket_dir=%2Frun%2Fpg", "{text}");
            assert_eq!(url.for_libpq(), "postgres://localhost:5432/d?host=%2Frun%2Fpg", "{text}");
        }
    }

    #[test]
    fn an_ipv6_host_keeps_its_brackets() {
        assert_eq!(parsed("postgres://u@[::1]:5433/d").for_libpq(), "postgres://u@[::1]:5433/d");
    }
}
