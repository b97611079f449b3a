//! Triggers that may change the columns that choose a leaf before a row is written: PostgreSQL then refuses the row.

use terminal::Finding;

use crate::table::definition::Definition;

/// The columns that choose a row's leaf are `keys`.
pub(super) fn check(definition: &Definition, keys: &[&str]) -> Vec<Finding> {
    let Some(first) = keys.first() else { return Vec::new() };
    let triggers = definition.triggers.iter().filter(|it| it.may_change_row);
    triggers
        .filter_map(|trigger| {
            let source = trigger.source.as_deref().unwrap_or_default();
            let reason = match trigger.language.as_str() {
                "plpgsql" => keys.iter().find(|key| assigns(source, key)).map(|key| format!("may change `{key}`"))?,
                // These set the column that their argument names.
                "internal" if source.starts_with("tsvector_update_trigger") => return None,
                other => format!("is written in {other}, so that nobody can see whether it changes `{first}`"),
            };
            Some(
                Finding::new(
                    "trigger-changes-key",
                    format!("its trigger `{}` {reason} before a row is written", trigger.name),
                )
                .help("PostgreSQL refuses a row that would move to another leaf then"),
            )
        })
        .collect()
}

/// Whether PL/pgSQL may assign to a column of the new row, or to the row as a whole.
fn assigns(source: &str, column: &str) -> bool {
    let words = words(source);
    let is = |at: usize, word: &str| words.get(at).is_some_and(|found| found == word);
    (0..words.len()).any(|at| {
        let is_target = is(at, "new") && !is(at.wrapping_sub(1), ".");
        if !is_target {
            // The old row, or one that was put together, may be returned in its place.
            return is(at, "return") && !["new", "null", "query", "next"].iter().any(|word| is(at + 1, word))
                || is(at, "return") && is(at + 1, "new") && !is(at + 2, ";");
        }
        let end = match is(at + 1, ".") {
            true if is(at + 2, &column.to_lowercase()) => at + 3,
            true => return false,
            false => at + 1,
        };
        // `new.key := …`, `new := …`; and as one of the targets of INTO.
        let is_assigned = is(end, ":=") || is(end, "=") && starts_statement(&words, at);
        is_assigned || words[..at].iter().rev().take_while(|word| *word != ";").take(40).any(|word| word == "into")
    })
}

fn starts_statement(words: &[String], at: usize) -> bool {
    let Some(before) = at.checked_sub(1) else { return true };
    matches!(words[before].as_str(), ";" | "begin" | "then" | "else" | "loop" | ">>")
}

/// Words in lower case, `:=`, and other characters one by one; without comments and literals. Quoted names lose their quotes.
fn words(source: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut rest = source;
    while let Some(first) = rest.chars().next() {
        let length = if rest.starts_with("--") {
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with("/*") {
            rest.find("*/").map_or(rest.len(), |end| end + 2)
        } else if first == '\'' {
            rest[1..].find('\'').map_or(rest.len(), |end| end + 2)
        } else if first == '"' {
            let end = rest[1..].find('"').map_or(rest.len(), |end| end + 2);
            words.push(rest[..end].trim_matches('"').to_lowercase());
            end
        } else if first.is_alphanumeric() || first == '_' {
            let end = rest.find(|it: char| !it.is_alphanumeric() && it != '_' && it != '$').unwrap_or(rest.len());
            words.push(rest[..end].to_lowercase());
            end
        } else if rest.starts_with(":=") {
            words.push(":=".to_owned());
            2
        } else {
            if !first.is_whitespace() {
                words.push(first.to_string());
            }
            first.len_utf8()
        };
        rest = &rest[length..];
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::obstacle::example::*;

    fn changes(source: &str) -> bool {
        let mut table = table();
        table.triggers.push(Trigger {
            may_change_row: true,
            language: "plpgsql".into(),
            source: Some(source.into()),
            ..trigger("t", false)
        });
        !check(&table, &["repo_name"]).is_empty()
    }

    #[test]
    fn assignments_to_the_key_are_seen() {
        for source in [
            "begin new.repo_name := lower(new.repo_name); return new; end",
            "BEGIN\n  NEW.\"repo_name\" = 'x';\n  RETURN NEW;\nEND",
            "begin if true then new.repo_name = 'x'; end if; return new; end",
            "begin select a, b into new.path, new.repo_name from c; return new; end",
            "begin new := jsonb_populate_record(new, '{}'); return new; end",
            "begin return old; end",
            "begin return row(1, 2); end",
        ] {
            assert!(changes(source), "{source}");
        }
    }

    #[test]
    fn what_leaves_the_key_alone_is_carried() {
        for source in [
            "begin new.language := coalesce(new.language, 'rust'); return new; end",
            "begin if new.repo_name = 'x' then new.path := new.repo_name; end if; return new; end",
            "begin -- new.repo_name := 1\n return new; end",
            "begin perform f('new.repo_name := 1'); return null; end",
            "begin select 1 into x; new.path := x; return new; end",
        ] {
            assert!(!changes(source), "{source}");
        }
    }

    #[test]
    fn what_cannot_be_looked_into_is_refused() {
        let mut table = table();
        table.triggers.push(Trigger { may_change_row: true, language: "c".into(), ..trigger("t", false) });
        assert_eq!(check(&table, &["repo_name"]).len(), 1);
        table.triggers[0].may_change_row = false;
        assert_eq!(check(&table, &["repo_name"]), []);
    }
}
