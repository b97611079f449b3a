//! The parts of a URL as libpq takes them apart. The URL standard asks for a host; libpq does not.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;

use super::error::{DatabaseUrlError, Malformed};

/// The parts, percent-decoded; what is empty is not there.
#[derive(Debug)]
pub(super) struct Split {
    pub(super) user: Option<String>,
    /// Here alone empty is not absent: a URL may say that there is none.
    pub(super) password: Option<String>,
    pub(super) host: Option<String>,
    pub(super) port: Option<u16>,
    pub(super) database: Option<String>,
    pub(super) parameters: Vec<(String, String)>,
}

impl Split {
    pub(super) fn read(text: &str) -> Result<Self, DatabaseUrlError> {
        let rest = after_scheme(unquoted(text.trim()))?;
        if rest.contains('#') {
            return Err(DatabaseUrlError::Fragment);
        }
        let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
        let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
        if path.contains('@') {
            return Err(Malformed::AtSign.into());
        }
        if path.contains('/') {
            return Err(DatabaseUrlError::PathSegments);
        }
        let (login, place) = match authority.rsplit_once('@') {
            Some((login, place)) => (Some(login), place),
            None => (None, authority),
        };
        if place.contains(',') {
            return Err(DatabaseUrlError::SeveralHosts);
        }
        let (user, password) = match login.map(|login| login.split_once(':').ok_or(login)) {
            Some(Ok((user, password))) => (user, Some(password)),
            Some(Err(user)) => (user, None),
            None => ("", None),
        };
        let (host, port) = host_and_port(place)?;
        Ok(Self {
            user: decode_non_empty(user, "user")?,
            password: password.map(|password| decode(password, "password")).transpose()?,
            host: decode_non_empty(host, "host")?,
            port: if port.is_empty() { None } else { Some(self::port(port).ok_or(Malformed::Port)?) },
            database: decode_non_empty(path, "database name")?,
            parameters: parameters(query)?,
        })
    }
}

/// A port is a number from 1.
pub(super) fn port(text: &str) -> Option<u16> {
    text.parse().ok().filter(|port| *port != 0)
}

/// The quotes of an `.env` file belong to the shell; Docker's `--env-file` hands them over.
fn unquoted(text: &str) -> &str {
    let inner = |quote| text.strip_prefix(quote).and_then(|text| text.strip_suffix(quote));
    inner('"').or_else(|| inner('\'')).map_or(text, str::trim)
}

fn after_scheme(text: &str) -> Result<&str, DatabaseUrlError> {
    let (scheme, rest) = text.split_once(':').ok_or(Malformed::Scheme)?;
    let scheme = scheme.to_ascii_lowercase();
    // What else there is before a colon may be a part of a login.
    let is_scheme = scheme.chars().all(|character| character.is_ascii_alphanumeric() || "+-.".contains(character));
    match (scheme.as_str(), rest.strip_prefix("//")) {
        ("postgres" | "postgresql" | "ecto", Some(rest)) => Ok(rest),
        // `jdbc:postgresql://`
        (_, after) if is_scheme && (after.is_some() || rest.contains("://")) => Err(DatabaseUrlError::Scheme(scheme)),
        _ => Err(Malformed::Scheme.into()),
    }
}

fn host_and_port(place: &str) -> Result<(&str, &str), Malformed> {
    let Some(address) = place.strip_prefix('[') else {
        return Ok(place.split_once(':').unwrap_or((place, "")));
    };
    let (address, rest) = address.split_once(']').ok_or(Malformed::Bracket)?;
    match rest.strip_prefix(':') {
        _ if address.is_empty() => Err(Malformed::Bracket),
        Some(port) => Ok((address, port)),
        None if rest.is_empty() => Ok((address, "")),
        None => Err(Malformed::Bracket),
    }
}

/// As libpq has them: a `+` is a plus sign, and the last one of a name counts.
fn parameters(query: &str) -> Result<Vec<(String, String)>, DatabaseUrlError> {
    query
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let name = decode(name, "parameter")?;
            // Else it is the rest of a password, which is not to be quoted.
            if !name.chars().all(|character| character.is_ascii_alphanumeric() || "_-.[]".contains(character)) {
                return Err(Malformed::Parameter.into());
            }
            Ok((name, decode(value, "parameter")?))
        })
        .collect()
}

fn decode_non_empty(text: &str, part: &'static str) -> Result<Option<String>, DatabaseUrlError> {
    if text.is_empty() { Ok(None) } else { decode(text, part).map(Some) }
}

fn decode(text: &str, part: &'static str) -> Result<String, DatabaseUrlError> {
    let decoded = percent_decode_str(text).decode_utf8().map_err(|_| DatabaseUrlError::NotUtf8(part))?;
    if decoded.contains('\0') { Err(Malformed::Nul.into()) } else { Ok(Cow::into_owned(decoded)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(text: &str) -> (Option<String>, Option<u16>) {
        let split = Split::read(text).unwrap();
        (split.host, split.port)
    }

    #[test]
    fn quotes_around_a_url_are_not_a_part_of_it() {
        for text in ["\"postgres://u@h/d\"", "'postgres://u@h/d'", "  \" postgres://u@h/d \"\n"] {
            assert_eq!(place(text), (Some("h".into()), None), "{text}");
        }
        assert!(Split::read("\"postgres://u@h/d").is_err());
        assert_eq!(Split::read("postgres://u@h/d'").unwrap().database.as_deref(), Some("d'"));
    }

    #[test]
    fn a_host_may_be_absent_and_a_port_too() {
        for (text, host, port) in [
            ("postgres://", None, None),
            ("postgres:///d", None, None),
            ("postgres://u@/d", None, None),
            ("postgres://u:p@:5432/d", None, Some(5432)),
            ("postgres://:5432/d", None, Some(5432)),
            ("postgres://h:/d", Some("h"), None),
            ("postgres://@h", Some("h"), None),
            ("POSTGRES://%68ost?user=u", Some("host"), None),
            ("postgres://[2001:db8::1]:1/d", Some("2001:db8::1"), Some(1)),
            ("postgres://[::1]", Some("::1"), None),
            ("postgres://u@%2Fvar%2Frun/d", Some("/var/run"), None),
        ] {
            assert_eq!(place(text), (host.map(str::to_owned), port), "{text}");
        }
    }

    #[test]
    fn no_rest_of_a_password_is_taken_for_another_part() {
        for text in [
            "postgres://u:p/w@h/d",
            "postgres://u:12/34@h",
            "postgres://u:12?34@h/d",
            "postgres://h:0/d",
            "postgres://h:65536/d",
            "postgres://[::1/d",
            "postgres://[]/d",
            "postgres://[::1]z/d",
            "postgres://h%00/d",
            "u:p@h/d",
            "h/d",
        ] {
            let error = Split::read(text).unwrap_err();
            assert!(matches!(error, DatabaseUrlError::Syntax(_)), "{text}: {error}");
        }
    }
}
