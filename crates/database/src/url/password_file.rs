//! libpq's password file, `~/.pgpass`. sqlx reads it too, but for the host that the environment names and not for ours.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use super::host::Host;

/// Its lines, in order: the first that fits counts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct PasswordFile(Vec<Line>);

/// `host:port:database:user:password`; none stands for `*`, which fits anything.
#[derive(Clone, PartialEq, Eq)]
struct Line {
    host: Option<String>,
    port: Option<String>,
    database: Option<String>,
    user: Option<String>,
    password: String,
}

/// Why a file is not used.
#[derive(Debug)]
pub(super) enum Unused {
    Missing,
    NoFile,
    Readable,
    Unreadable(std::io::Error),
}

/// Where libpq looks for a server's socket by itself; such a server is `localhost` in the file.
const SOCKET_DIRECTORIES: [&str; 3] = ["/tmp", "/run/postgresql", "/var/run/postgresql"];

impl PasswordFile {
    /// As libpq does, only if nobody else may read it.
    pub(super) fn read(path: &Path) -> Result<Self, Unused> {
        let metadata = match fs::metadata(path) {
            Ok(metadata) => metadata,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Err(Unused::Missing),
            Err(error) => return Err(Unused::Unreadable(error)),
        };
        if !metadata.is_file() {
            return Err(Unused::NoFile);
        }
        if metadata.permissions().mode() & 0o077 != 0 {
            return Err(Unused::Readable);
        }
        fs::read_to_string(path).map(|text| Self::parse(&text)).map_err(Unused::Unreadable)
    }

    fn parse(text: &str) -> Self {
        Self(text.lines().filter(|line| !line.starts_with('#')).filter_map(Line::parse).collect())
    }

    /// The password for one database of a server.
    pub(super) fn password(&self, host: &Host, port: u16, database: &str, user: &str) -> Option<&str> {
        let line =
            self.0.iter().find(|line| line.is_for(host, port, user) && fits(line.database.as_ref(), database))?;
        Some(&line.password)
    }

    /// The passwords for all databases of a server.
    pub(super) fn passwords(&self, host: &Host, port: u16, user: &str) -> impl Iterator<Item = &str> {
        self.0.iter().filter(move |line| line.is_for(host, port, user)).map(|line| line.password.as_str())
    }
}

impl Line {
    fn parse(line: &str) -> Option<Self> {
        let mut fields = Fields(line);
        let [host, port, database, user] = [fields.next()?, fields.next()?, fields.next()?, fields.next()?];
        let password = fields.next()?.text;
        let pattern = |field: Field| (!field.is_any).then_some(field.text);
        let [host, port, database, user] = [host, port, database, user].map(pattern);
        Some(Self { host, port, database, user, password })
    }

    fn is_for(&self, host: &Host, port: u16, user: &str) -> bool {
        let host = match host {
            Host::SocketDirectory(directory) if SOCKET_DIRECTORIES.contains(&directory.as_str()) => "localhost",
            Host::Tcp(host) | Host::SocketDirectory(host) => host,
        };
        fits(self.host.as_ref(), host) && fits(self.port.as_ref(), &port.to_string()) && fits(self.user.as_ref(), user)
    }
}

fn fits(pattern: Option<&String>, text: &str) -> bool {
    pattern.is_none_or(|pattern| pattern == text)
}

struct Field {
    text: String,
    /// `*`, and not `\*`.
    is_any: bool,
}

/// Ends at a colon; a backslash takes away the meaning of what follows it.
struct Fields<'a>(&'a str);

impl Iterator for Fields<'_> {
    type Item = Field;

    fn next(&mut self) -> Option<Field> {
        if self.0.is_empty() {
            return None;
        }
        let mut text = String::new();
        let mut characters = self.0.char_indices();
        let mut end = (self.0.len(), self.0.len());
        while let Some((at, character)) = characters.next() {
            match character {
                ':' => {
                    end = (at, at + 1);
                    break;
                }
                '\\' => text.push(characters.next().map_or('\\', |(_, escaped)| escaped)),
                _ => text.push(character),
            }
        }
        let is_any = &self.0[..end.0] == "*";
        self.0 = &self.0[end.1..];
        Some(Field { text, is_any })
    }
}

impl std::fmt::Debug for Line {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Line(***)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "# db:5432:a:u:comment\n\nincomplete:5432\ndb:5432:a:u:first\ndb:5432:*:u:p\\:a\\\\ss:rest\n\
                        *:*:star:\\*:of the star\nlocalhost:5432:a:u:of the socket\n\\:\\:1:5432:a:u:of ipv6\r\n";

    fn password(host: &str, database: &str, user: &str) -> Option<String> {
        let host = if host.starts_with('/') { Host::SocketDirectory(host.into()) } else { Host::Tcp(host.into()) };
        PasswordFile::parse(FILE).password(&host, 5432, database, user).map(str::to_owned)
    }

    #[test]
    fn the_first_line_that_fits_has_the_password() {
        for (host, database, user, wanted) in [
            ("db", "a", "u", Some("first")),
            ("db", "b", "u", Some(r"p:a\ss")),
            ("db", "a", "v", None),
            ("x", "star", "*", Some("of the star")),
            ("x", "star", "y", None),
            ("::1", "a", "u", Some("of ipv6")),
            ("localhost", "a", "u", Some("of the socket")),
            ("/var/run/postgresql", "a", "u", Some("of the socket")),
            ("/home/u/.dev-db", "a", "u", None),
        ] {
            assert_eq!(password(host, database, user).as_deref(), wanted, "{host} {database} {user}");
        }
    }

    #[test]
    fn a_file_that_others_may_read_is_not_used() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("pgpass");
        assert!(matches!(PasswordFile::read(&path), Err(Unused::Missing)));
        assert!(matches!(PasswordFile::read(folder.path()), Err(Unused::NoFile)));
        fs::write(&path, FILE).unwrap();
        for (mode, is_used) in [(0o600, true), (0o400, true), (0o640, false), (0o604, false)] {
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            assert_eq!(PasswordFile::read(&path).is_ok(), is_used, "{mode:o}");
        }
    }
}
