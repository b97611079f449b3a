//! Passwords in what other programs and servers print. Our own words never hold one: a URL shows itself without it.

use std::fmt;
use std::ops::Range;

/// What is shown in place of a password.
const HIDDEN: &str = "***";

/// Shorter ones are found where a password stands, and not among other words.
const SHORTEST_WORD: usize = 8;

/// Words that say nothing, whatever password they may be.
const COMMON: [&str; 8] = [
    "database",
    "localhost",
    "password",
    "postgres",
    "postgresql",
    "singularity",
    "singularity_dev",
    "singularity_test",
];

/// After these, and `=`, `:` or `=>`, stands a password.
const KEYS: [&str; 4] = ["password", "passwd", "pass", "pwd"];

/// A password, in each form that another program may print.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret {
    forms: Vec<String>,
    /// Of users, hosts and databases: a password that is equal to one of them is not given away by it.
    names: Vec<String>,
}

impl Secret {
    /// A password as it is written here and there, and the names that may stand beside it.
    pub fn new(forms: impl IntoIterator<Item = String>, names: impl IntoIterator<Item = String>) -> Self {
        let mut forms: Vec<String> = forms.into_iter().filter(|form| !form.is_empty()).collect();
        // The longest first: one form may be a part of another.
        forms.sort_by_key(|form| std::cmp::Reverse(form.len()));
        forms.dedup();
        Self { forms, names: names.into_iter().collect() }
    }

    /// The text without it.
    #[must_use]
    pub fn hidden_in(&self, text: &str) -> String {
        let mut found: Vec<Range<usize>> = Vec::new();
        for form in &self.forms {
            for (start, _) in text.match_indices(form.as_str()) {
                let range = start..start + form.len();
                let is_new = found.iter().all(|other| range.end <= other.start || other.end <= range.start);
                if is_new && self.is_told(text, &range) {
                    found.push(range);
                }
            }
        }
        found.sort_by_key(|range| range.start);
        let mut hidden = String::with_capacity(text.len());
        let mut shown_until = 0;
        for range in found {
            hidden += &text[shown_until..range.start];
            hidden += HIDDEN;
            shown_until = range.end;
        }
        hidden + &text[shown_until..]
    }

    /// Whether what stands there is understood as a password.
    fn is_told(&self, text: &str, range: &Range<usize>) -> bool {
        let (before, word, after) = (&text[..range.start], &text[range.clone()], &text[range.end..]);
        is_in_url(before, after)
            || (is_after_key(before, word) && !after.starts_with(is_of_word))
            || (self.is_remarkable(word) && !before.ends_with(is_of_word) && !after.starts_with(is_of_word))
    }

    /// Nobody would write it by chance.
    fn is_remarkable(&self, word: &str) -> bool {
        word.chars().count() >= SHORTEST_WORD
            && !COMMON.contains(&word.to_lowercase().as_str())
            && !self.names.iter().any(|name| name == word)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Secret({HIDDEN})")
    }
}

/// `scheme://user:` and `@` around it.
fn is_in_url(before: &str, after: &str) -> bool {
    let Some((_, user)) = before.rsplit_once("://") else { return false };
    let is_user = |user: &str| !user.contains(|it: char| it.is_whitespace() || matches!(it, ':' | '/' | '@' | '"'));
    after.starts_with('@') && user.strip_suffix(':').is_some_and(is_user)
}

/// `password=`, `"password": "`, `password => '`.
fn is_after_key(before: &str, word: &str) -> bool {
    const QUOTES: [char; 2] = ['"', '\''];
    let key = match before.strip_suffix(QUOTES) {
        Some(key) => key,
        // The quote is not a part of it.
        None if word.starts_with(QUOTES) => return false,
        None => before,
    };
    let key = key.trim_end();
    let Some(key) = key.strip_suffix("=>").or_else(|| key.strip_suffix(['=', ':'])) else { return false };
    let key = key.trim_end().trim_end_matches(QUOTES).to_lowercase();
    KEYS.iter().any(|it| key.ends_with(it))
}

fn is_of_word(it: char) -> bool {
    it.is_alphanumeric() || it == '_'
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hidden(password: &str, text: &str) -> String {
        let names = ["postgres", "db.example.org", "my_database"].map(str::to_owned);
        Secret::new([password.to_owned(), password.replace('@', "%40")], names).hidden_in(text)
    }

    #[test]
    fn a_password_is_hidden_in_its_place_however_short() {
        assert_eq!(hidden("p", "cannot reach postgres://p:p@p:5432/p"), "cannot reach postgres://p:***@p:5432/p");
        assert_eq!(hidden("a@b", "ecto://u:a%40b@h/d"), "ecto://u:***@h/d");
        assert_eq!(hidden("postgres", "postgres://postgres:postgres@h/postgres"), "postgres://postgres:***@h/postgres");
        assert_eq!(
            hidden("x", r#"[username: "x", password: "x", database: "x"]"#),
            r#"[username: "x", password: "***", database: "x"]"#
        );
        assert_eq!(hidden("x", "PGPASSWORD=x host=x"), "PGPASSWORD=*** host=x");
        assert_eq!(hidden("p", "password: postgres"), "password: postgres");
    }

    #[test]
    fn a_remarkable_one_is_hidden_wherever_it_stands_alone() {
        assert_eq!(hidden("s3cr@t-pass", "got s3cr@t-pass, s3cr%40t-pass"), "got ***, ***");
        assert_eq!(hidden("s3cr@t-pass", "s3cr@t-passes"), "s3cr@t-passes");
        assert_eq!(hidden("s3cr@t", "s3cr@t"), "s3cr@t", "short");
    }

    #[test]
    fn other_words_are_left_alone() {
        let text = r#"error: password authentication failed for user "postgres" of my_database on db.example.org"#;
        for password in ["", "e", "postgres", "error", "my_database", "db.example.org", "password", ".*", "user"] {
            assert_eq!(hidden(password, text), text, "{password}");
        }
    }

    #[test]
    fn it_does_not_show_itself() {
        assert_eq!(format!("{:?}", Secret::new(["hunter2".to_owned()], [])), "Secret(***)");
    }
}
