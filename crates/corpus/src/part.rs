//! The pieces of a file that get a vector each.

/// Lines of a part; a file of no more is one part.
pub const LINES: usize = 60;

/// A piece of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part<'a> {
    /// The file's path; where the file has several parts, followed by `#` and the number of the part's first line, from 1.
    pub path: String,
    /// Its text.
    pub text: &'a str,
}

/// The parts of the file at `path`, in order; together they are `text`.
pub fn of<'a>(path: &str, text: &'a str) -> impl Iterator<Item = Part<'a>> {
    let mut rest = text;
    let mut line = 1;
    let is_whole = end(text) == text.len();
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let (text, after) = rest.split_at(end(rest));
        let path = if is_whole { path.to_owned() } else { format!("{path}#{line}") };
        rest = after;
        line += LINES;
        Some(Part { path, text })
    })
}

/// Where the first [`LINES`] lines of a text end.
fn end(text: &str) -> usize {
    text.match_indices('\n').nth(LINES - 1).map_or(text.len(), |(at, _)| at + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_file_has_parts_that_make_it_up() {
        let text: String =
            (1..=LINES * 2 + 1).flat_map(|line| ["line ".to_owned(), line.to_string(), "\n".to_owned()]).collect();
        let parts: Vec<Part<'_>> = of("a.rs", &text).collect();
        assert_eq!(parts.iter().map(|part| part.path.as_str()).collect::<Vec<_>>(), ["a.rs#1", "a.rs#61", "a.rs#121"]);
        assert_eq!(parts.iter().map(|part| part.text).collect::<String>(), text);
        assert!(parts[1].text.starts_with("line 61\n") && parts[1].text.ends_with("line 120\n"));
    }

    #[test]
    fn a_short_file_is_one_part_and_an_empty_one_none() {
        let text = "x\n".repeat(LINES);
        let whole = [Part { path: "a.rs".to_owned(), text: &text }];
        assert_eq!(of("a.rs", &text).collect::<Vec<_>>(), whole);
        assert_eq!(of("a.rs", "").count(), 0);
        assert_eq!(of("a.rs", &(text.clone() + "without an end")).count(), 2);
    }
}
