//! The one place where names become SQL text. Values are bound, never quoted.

use std::fmt::Write as _;

/// Quotes an identifier: `my "table"` becomes `"my ""table"""`.
#[must_use]
pub fn identifier(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// Columns, comma-separated, quoted, each with a prefix (`new.`).
#[must_use]
pub fn columns<'a>(prefix: &str, names: impl IntoIterator<Item = &'a String>) -> String {
    names.into_iter().map(|name| format!("{prefix}{}", identifier(name))).collect::<Vec<_>>().join(", ")
}

/// Quotes a literal for the few utility statements that take no parameters (`ALTER DATABASE … SET … TO …`).
///
/// The `E` form is used where a backslash occurs, so that the text means the same whatever `standard_conforming_strings` says.
#[must_use]
pub fn literal(text: &str) -> String {
    let quoted = text.replace('\'', "''");
    if quoted.contains('\\') { format!("E'{}'", quoted.replace('\\', "\\\\")) } else { format!("'{quoted}'") }
}

/// Bytes as hexadecimal digits, as the server writes them behind `\\x`.
#[must_use]
pub fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut digits, byte| {
        // A String takes whatever is written to it.
        let _ = write!(digits, "{byte:02x}");
        digits
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_inside_names_are_doubled() {
        assert_eq!(identifier(r#"a "b" c"#), r#""a ""b"" c""#);
        assert_eq!(columns("new.", &["a".to_owned(), "B".to_owned()]), r#"new."a", new."B""#);
        assert_eq!(literal("it's"), "'it''s'");
        assert_eq!(literal(r"a\b"), r"E'a\\b'");
        assert_eq!(hexadecimal(&[0xab, 1, 0]), "ab0100");
    }
}
