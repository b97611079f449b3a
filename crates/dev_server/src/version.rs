//! Versions as PostgreSQL's programs print them.

use std::fmt;

/// The oldest major version that a development server may have.
pub(crate) const MINIMUM_MAJOR: u16 = 16;

/// A version such as `18.6` or `19beta1`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Version {
    pub(crate) major: u16,
    pub(crate) text: String,
}

impl fmt::Display for Version {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(&self.text)
    }
}

/// Reads the answer to `--version`, for instance `postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)`.
pub(crate) fn parse(answer: &str) -> Option<Version> {
    let text = answer.split("(PostgreSQL)").nth(1)?.split_whitespace().next()?;
    let digits: String = text.chars().take_while(char::is_ascii_digit).collect();
    Some(Version { major: digits.parse().ok()?, text: text.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_the_programs_print() {
        for (answer, major, text) in [
            ("postgres (PostgreSQL) 18.6\n", 18, "18.6"),
            ("postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)\n", 15, "15.18"),
            ("pg_isready (PostgreSQL) 19beta1", 19, "19beta1"),
        ] {
            let version = parse(answer).unwrap();
            assert_eq!((version.major, version.text.as_str()), (major, text));
        }
    }

    #[test]
    fn another_program_has_no_version() {
        assert_eq!(parse("postgres 18.6"), None);
        assert_eq!(parse("postgres (PostgreSQL)"), None);
        assert_eq!(parse("postgres (PostgreSQL) devel"), None);
    }
}
