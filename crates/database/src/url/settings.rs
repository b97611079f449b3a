//! libpq's `options`: settings of the server for one session, `-c name=value` or `--name=value`.

/// The settings in it, and whether there is something else too, which a pooler may understand.
pub(super) fn read(options: &str) -> (Vec<(String, String)>, bool) {
    let mut settings = Vec::new();
    let mut has_more = false;
    let mut words = words(options).into_iter();
    while let Some(word) = words.next() {
        let setting = match word.strip_prefix("-c").or_else(|| word.strip_prefix("--")) {
            Some("") if word == "-c" => words.next(),
            Some(setting) => Some(setting.to_owned()),
            None => None,
        };
        match setting.as_deref().and_then(|setting| setting.split_once('=')) {
            Some((name, value)) => settings.push((name.replace('-', "_").to_lowercase(), value.to_owned())),
            None => has_more = true,
        }
    }
    (settings, has_more)
}

/// Whether a setting changes who does the work, where, or what we take the database for. Ecto would do without.
pub(super) fn changes_meaning(name: &str, value: &str) -> bool {
    match name {
        "role" | "session_authorization" => true,
        "search_path" => !is_public(value),
        _ => name.starts_with("singularity."),
    }
}

/// Whether tables are looked for and made in `public`, as they are without being told.
pub(super) fn is_public(path: &str) -> bool {
    let schemas: Vec<&str> = path.split(',').map(|schema| schema.trim().trim_matches('"')).collect();
    matches!(schemas.as_slice(), ["public"] | ["$user", "public"])
}

/// As the server takes them apart: at white space, unless there is a backslash before it.
fn words(text: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        let word = words.last_mut().expect("there is always one");
        match character {
            '\\' => word.extend(characters.next()),
            _ if character.is_whitespace() => words.push(String::new()),
            _ => word.push(character),
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_read_as_the_server_reads_them() {
        let (settings, has_more) = read(r"-c geqo=off -cwork_mem=1MB --search-path=a,\ b  endpoint=ep-1 -x");
        let wanted = [("geqo", "off"), ("work_mem", "1MB"), ("search_path", "a, b")];
        assert_eq!(settings, wanted.map(|(name, value)| (name.to_owned(), value.to_owned())));
        assert!(has_more);
        assert!(!read("-c geqo=off").1);
        assert_eq!(read(""), (Vec::new(), false));
    }

    #[test]
    fn who_does_the_work_and_where_is_not_changed_in_passing() {
        for (name, value, wanted) in [
            ("role", "other", true),
            ("session_authorization", "other", true),
            ("search_path", "app", true),
            ("search_path", "\"$user\", public", false),
            ("search_path", "public", false),
            ("singularity.environment", "dev", true),
            ("statement_timeout", "1s", false),
        ] {
            assert_eq!(changes_meaning(name, value), wanted, "{name}={value}");
        }
    }
}
