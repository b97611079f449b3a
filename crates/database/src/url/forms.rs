//! The form of a URL that each tool takes.

use std::fmt::{self, Write as _};

use sqlx::postgres::PgConnectOptions;

use super::address::{DatabaseUrl, ServerUrl, encode};
use super::host::Host;

impl DatabaseUrl {
    /// For sqlx.
    #[must_use]
    pub fn for_sqlx(&self) -> PgConnectOptions {
        let server = &self.server;
        // The password file's is ours to find: sqlx would look there for the server that the environment names.
        let mut options = PgConnectOptions::new_without_pgpass().port(server.port).database(&self.database);
        // PgBouncer refuses it; to print floats exactly has long been the server's own way.
        options = options.extra_float_digits(None);
        options = match &server.host {
            Host::Tcp(host) => options.host(host),
            Host::SocketDirectory(directory) => options.socket(directory),
        };
        if let Some(user) = &server.user {
            options = options.username(user);
        }
        if let Some(password) = self.password() {
            options = options.password(password);
        }
        if !server.settings.is_empty() {
            options = options.options(server.settings.iter().map(|(name, value)| (name, value)));
        }
        server.protection.for_sqlx(options)
    }

    /// For Ecto's `DATABASE_URL`: `ssl` instead of `sslmode`, `socket_dir` instead of `host`.
    ///
    /// Ecto has no "TLS if the server offers it", so `prefer` becomes plaintext, as libpq's `prefer` may. `ssl=true` makes
    /// Postgrex verify the certificate against the system's roots, which is at least what any `sslmode` asks for.
    #[must_use]
    pub fn for_ecto(&self) -> String {
        let server = &self.server;
        let mut parameters = server.ecto_parameters.clone();
        if server.protection.is_required() {
            parameters.push(("ssl".into(), "true".into()));
        }
        let form = Form { scheme: "ecto", socket_parameter: "socket_dir", parameters };
        form.text(server, Some(&self.database), self.password().map(encode))
    }

    /// For libpq (psql, `pg_dump`) and sqlx-cli.
    #[must_use]
    pub fn for_libpq(&self) -> String {
        self.server.libpq_text(Some(&self.database), self.password().map(encode))
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
        variables.extend(self.password().map(|password| ("PGPASSWORD", password.to_owned())));
        variables.extend(server.protection.for_libpq().into_iter().map(|(name, value)| {
            let variable = match name {
                "sslmode" => "PGSSLMODE",
                "sslrootcert" => "PGSSLROOTCERT",
                _ => "PGCHANNELBINDING",
            };
            (variable, value)
        }));
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
        self.protection.for_libpq().into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
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
        if server.user.is_some() || password.is_some() {
            text += &encode(server.user.as_deref().unwrap_or_default());
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
    use terminal::Secret;

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
        let names = ["us er", "db.example", "my \"db\""].map(str::to_owned);
        assert_eq!(url.secrets(), [Secret::new(["p@s#s/", "p%40s%23s%2F"].map(str::to_owned), names)]);
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

    /// Forms of libpq's own tests and of hosting platforms, and what every tool gets of them.
    #[test]
    fn one_meaning_has_one_form() {
        for (text, form) in [
            ("postgresql://u:p@h:1/d", "postgres://u:p@h:1/d"),
            ("postgresql://h/d?user=u&port=1&password=p%40", "postgres://u:p%40@h:1/d"),
            ("postgresql://h:12345?u%73er=u&dbname=d", "postgres://u@h:12345/d"),
            ("postgresql://?hostaddr=127.0.0.1&dbname=d", "postgres://127.0.0.1:5432/d"),
            ("postgres://u@/d?host=/s", "postgres://u@localhost:5432/d?host=%2Fs"),
            ("postgres://u@:12345/d?host=/s", "postgres://u@localhost:12345/d?host=%2Fs"),
            ("postgres://:12345/d?host=/s+t", "postgres://localhost:12345/d?host=%2Fs%2Bt"),
            ("postgres://%2Fvar%2Flib%2Fpg/d", "postgres://localhost:5432/d?host=%2Fvar%2Flib%2Fpg"),
            ("postgres://[2001:db8::1234]/d", "postgres://[2001:db8::1234]:5432/d"),
            ("postgres://u:@h/d", "postgres://u:@h:5432/d"),
            ("'postgres://u:p@h/d'", "postgres://u:p@h:5432/d"),
            ("postgres://u:p@ss@h/d", "postgres://u:p%40ss@h:5432/d"),
            ("postgres://h/d?host=/s&sslmode=require", "postgres://localhost:5432/d?host=%2Fs"),
            ("postgres://h/d?sslmode=no-verify", "postgres://h:5432/d?sslmode=require"),
            ("postgres://h/d?sslrootcert=system", "postgres://h:5432/d?sslrootcert=system"),
            (
                "postgres://u:p@ep-1.neon.tech/d?sslmode=require&channel_binding=require",
                "postgres://u:p@ep-1.neon.tech:5432/d?sslmode=require&channel_binding=require",
            ),
        ] {
            let url = parsed(text);
            assert_eq!(url.for_libpq(), form, "{text}");
            assert_eq!(parsed(form), url, "{text}");
        }
    }

    #[test]
    fn a_login_that_cannot_be_bound_to_its_channel_asks_for_a_verified_certificate() {
        let url = parsed("postgres://u@h/d?sslmode=require&channel_binding=require");
        assert!(matches!(url.for_sqlx().get_ssl_mode(), PgSslMode::VerifyFull));
        assert_eq!(url.for_ecto(), "ecto://u@h:5432/d?ssl=true");
        assert!(url.libpq_environment().contains(&("PGCHANNELBINDING", "require".into())));
        let url = parsed("postgres://u@h/d?channel_binding=prefer");
        assert!(matches!(url.for_sqlx().get_ssl_mode(), PgSslMode::Prefer));
    }

    #[test]
    fn settings_reach_the_driver_that_knows_them() {
        let url = parsed("postgres://u@h/d?options=-c%20geqo%3Doff%20--work-mem=1MB");
        assert_eq!(url.for_sqlx().get_options(), Some("-c geqo=off -c work_mem=1MB"));
        assert_eq!(url.for_ecto(), "ecto://u@h:5432/d");
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
