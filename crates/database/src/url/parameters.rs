//! The parameters of a URL. Each is understood and reaches every tool, or does no harm where it is passed over, or is refused.

use std::path::PathBuf;
use std::time::Duration;

use super::error::DatabaseUrlError;
use super::settings;
use super::split;
use super::tls::{Root, Tls};

/// What they say.
#[derive(Debug)]
pub(super) struct Parameters {
    /// A socket's folder too.
    pub(super) host: Option<String>,
    /// libpq goes there, whatever the host.
    pub(super) address: Option<String>,
    pub(super) port: Option<u16>,
    pub(super) user: Option<String>,
    pub(super) password: Option<String>,
    pub(super) database: Option<String>,
    pub(super) password_file: Option<PathBuf>,
    pub(super) tls: Tls,
    pub(super) root: Option<Root>,
    pub(super) binds: Option<bool>,
    pub(super) connect_timeout: Duration,
    pub(super) settings: Vec<(String, String)>,
    pub(super) ecto: Vec<(String, String)>,
    /// The names of those that change nothing here.
    pub(super) passed_over: Vec<String>,
}

/// libpq's and other tools': who ignores one of them does the same work in the same place, as safely.
const HARMLESS: &[&str] = &[
    // libpq
    "application_name",
    "client_encoding",
    "fallback_application_name",
    "keepalives",
    "keepalives_count",
    "keepalives_idle",
    "keepalives_interval",
    "load_balance_hosts",
    "max_protocol_version",
    "min_protocol_version",
    "sslcompression",
    "sslnegotiation",
    "sslsni",
    "target_session_attrs",
    "tcp_user_timeout",
    // sqlx
    "statement-cache-capacity",
    // Prisma
    "connection_limit",
    "max_connection_lifetime",
    "max_idle_connection_lifetime",
    "pgbouncer",
    "pool_timeout",
    "single_use_connections",
    "socket_timeout",
    "statement_cache_size",
    // Rails, Django, Doctrine
    "charset",
    "checkout_timeout",
    "conn_max_age",
    "encoding",
    "pool",
    "prepared_statements",
    "reaping_frequency",
    "serverVersion",
    // JDBC, Npgsql
    "ApplicationName",
    "loginTimeout",
    "prepareThreshold",
    "reWriteBatchedInserts",
    "socketTimeout",
    "tcpKeepAlive",
    // pgx, lib/pq, asyncpg, node-postgres
    "binary_parameters",
    "default_query_exec_mode",
    "max_connections",
    "pool_max_conn_idle_time",
    "pool_max_conn_lifetime",
    "pool_max_conns",
    "pool_min_conns",
    "prepared_statement_cache_size",
    "statement_cache_capacity",
    "statement_cache_mode",
    "uselibpqcompat",
    // Session settings that we set as we need them
    "idle_in_transaction_session_timeout",
    "lock_timeout",
    "statement_timeout",
    "timezone",
    // Vercel's marks for Supabase
    "supa",
    "workaround",
];

impl Parameters {
    pub(super) fn read(pairs: Vec<(String, String)>) -> Result<Self, DatabaseUrlError> {
        let mut read = Self {
            host: None,
            address: None,
            port: None,
            user: None,
            password: None,
            database: None,
            password_file: None,
            tls: Tls::Unstated,
            root: None,
            binds: None,
            connect_timeout: Duration::from_secs(10),
            settings: Vec::new(),
            ecto: Vec::new(),
            passed_over: Vec::new(),
        };
        let mut ssl = None;
        for (name, value) in pairs {
            match name.as_str() {
                "host" | "socket_dir" => read.host = non_empty(value),
                "hostaddr" => read.address = non_empty(value),
                "port" if value.contains(',') => return Err(DatabaseUrlError::SeveralHosts),
                "port" => read.port = Some(parsed("port", value, split::port)?),
                "user" => read.user = non_empty(value),
                "password" => read.password = Some(value),
                "dbname" => read.database = non_empty(value),
                "passfile" => read.password_file = Some(value.into()),
                "sslmode" => read.tls = parsed("sslmode", value, Tls::parse)?,
                "ssl" => ssl = Some(parsed("ssl", value, |value| value.parse::<bool>().ok())?),
                "sslrootcert" => read.root = Some(Root::parse(&value)),
                "channel_binding" => read.binds = Some(parsed("channel_binding", value, binds)?),
                "gssencmode" if value == "require" => return Err(DatabaseUrlError::UnknownParameter(name)),
                "gssencmode" => read.passed_over.push(name),
                "connect_timeout" => read.connect_timeout = parsed("connect_timeout", value, seconds)?,
                "schema" | "currentSchema" | "search_path" => {
                    if !settings::is_public(&value) {
                        return Err(DatabaseUrlError::Schema { parameter: name, value });
                    }
                    read.passed_over.push(name);
                }
                "options" => read.take_options(name, &value)?,
                // Ecto's own complaint about a wrong number prints the whole URL.
                "pool_size" | "timeout" | "idle_interval" => {
                    let number: u32 = value.parse().map_err(|_| DatabaseUrlError::EctoNumber(name.clone()))?;
                    read.ecto.push((name, number.to_string()));
                }
                harmless if HARMLESS.contains(&harmless) => read.passed_over.push(name),
                _ => return Err(DatabaseUrlError::UnknownParameter(name)),
            }
        }
        read.tls = match (ssl, read.tls) {
            (Some(true), Tls::Unstated) => Tls::VerifyFull,
            (Some(false), Tls::Unstated) => Tls::Disable,
            (None, tls)
            | (Some(true), tls @ (Tls::Require | Tls::VerifyCa | Tls::VerifyFull))
            | (Some(false), tls @ Tls::Disable) => tls,
            _ => return Err(DatabaseUrlError::Contradiction("ssl")),
        };
        Ok(read)
    }

    fn take_options(&mut self, name: String, value: &str) -> Result<(), DatabaseUrlError> {
        let (settings, has_more) = settings::read(value);
        if let Some((setting, _)) = settings.iter().find(|(name, value)| settings::changes_meaning(name, value)) {
            return Err(DatabaseUrlError::Setting(setting.clone()));
        }
        self.settings = settings;
        if has_more {
            self.passed_over.push(name);
        }
        Ok(())
    }
}

/// libpq's `channel_binding`: whether it is more than a wish.
pub(super) fn binds(value: &str) -> Option<bool> {
    match value {
        "require" => Some(true),
        "prefer" | "disable" => Some(false),
        _ => None,
    }
}

/// libpq's 0 waits without end.
fn seconds(value: &str) -> Option<Duration> {
    let seconds: u32 = value.parse().ok()?;
    Some(if seconds == 0 { Duration::MAX } else { Duration::from_secs(seconds.into()) })
}

fn non_empty(value: String) -> Option<String> {
    (!value.is_empty()).then_some(value)
}

fn parsed<T>(
    parameter: &'static str,
    value: String,
    parse: impl FnOnce(&str) -> Option<T>,
) -> Result<T, DatabaseUrlError> {
    parse(&value).ok_or(DatabaseUrlError::ParameterValue { parameter, value })
}
