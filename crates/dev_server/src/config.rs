//! The server's settings, written anew at every start.

use std::fmt::Write;
use std::path::Path;

use crate::installation::{Installation, LIBRARY_SUFFIX};

/// The file in the cluster that holds our settings. `postgresql.conf` includes it at its end; what a user sets with
/// `ALTER SYSTEM` comes after both.
pub(crate) const FILE_NAME: &str = "dev_server.conf";

/// Libraries that extensions need loaded when the server starts.
const PRELOAD: [&str; 4] = ["pg_stat_statements", "timescaledb", "vectors", "vchord"];

/// Those of [`PRELOAD`] that `installation` has. A name without a library keeps a server from starting.
pub(crate) fn preload(installation: &Installation) -> Vec<&'static str> {
    let library = |name: &&str| installation.library.join(format!("{name}.{LIBRARY_SUFFIX}"));
    PRELOAD.into_iter().filter(|name| library(name).is_file()).collect()
}

/// The line at the end of `postgresql.conf`.
pub(crate) fn include() -> String {
    format!("\n# Written anew at every start of the development server.\ninclude {}\n", literal(FILE_NAME))
}

/// The text of the settings file.
pub(crate) fn text(port: u16, socket_directory: &Path, preload: &[&str]) -> String {
    let socket_directory = literal(&listed(&socket_directory.to_string_lossy()));
    let mut text = format!(
        "# Written by dev_server at every start; changes are lost. Use ALTER SYSTEM instead.\n\
         listen_addresses = '127.0.0.1'\n\
         port = {port}\n\
         unix_socket_directories = {socket_directory}\n\
         shared_preload_libraries = {}\n\
         # Every leaf of a partitioned table takes a lock of its own.\n\
         max_locks_per_transaction = 256\n\
         logging_collector = off\n",
        literal(&preload.join(", ")),
    );
    if preload.contains(&"timescaledb") {
        // Writing to a `String` cannot fail.
        let _ = writeln!(text, "timescaledb.telemetry_level = off");
    }
    text
}

/// A string of a configuration file. Unlike SQL's, it knows backslash escapes and ends with its line.
fn literal(text: &str) -> String {
    let escaped = text.replace('\\', "\\\\").replace('\'', "''").replace('\n', "\\n");
    format!("'{escaped}'")
}

/// One entry of a setting that is a list: quoted, so that a comma in it separates nothing.
fn listed(entry: &str) -> String {
    format!("\"{}\"", entry.replace('"', "\"\""))
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::PathBuf;

    use super::*;
    use crate::kind::Kind;
    use crate::version::Version;

    #[test]
    fn literals_survive_quotes_backslashes_and_line_ends() {
        assert_eq!(literal("it's \\ a\nb"), r"'it''s \\ a\nb'");
        assert_eq!(listed("a \"b\", c"), "\"a \"\"b\"\", c\"");
    }

    #[test]
    fn settings_are_complete() {
        let text = text(20_345, Path::new("/p/it's, \"here\"/socket"), &["pg_stat_statements", "timescaledb"]);
        for line in [
            "listen_addresses = '127.0.0.1'",
            "port = 20345",
            "unix_socket_directories = '\"/p/it''s, \"\"here\"\"/socket\"'",
            "shared_preload_libraries = 'pg_stat_statements, timescaledb'",
            "max_locks_per_transaction = 256",
            "logging_collector = off",
            "timescaledb.telemetry_level = off",
        ] {
            assert!(text.lines().any(|found| found == line), "{line}\n{text}");
        }
    }

    #[test]
    fn only_libraries_that_are_there_are_loaded() {
        let folder = tempfile::tempdir().unwrap();
        let installation = Installation {
            kind: Kind::Local,
            version: Version { major: 17, text: "17.2".to_owned() },
            bin: PathBuf::new(),
            share: PathBuf::new(),
            library: folder.path().to_owned(),
        };
        assert!(preload(&installation).is_empty());
        assert!(text(1, Path::new("/s"), &[]).contains("shared_preload_libraries = ''\n"));
        fs::write(folder.path().join(format!("vectors.{LIBRARY_SUFFIX}")), "").unwrap();
        assert_eq!(preload(&installation), ["vectors"]);
        assert!(!text(1, Path::new("/s"), &["vectors"]).contains("telemetry"));
    }
}
