//! The index that is wanted.

use database::quote::identifier;

/// Bytes of an identifier that PostgreSQL keeps, `NAMEDATALEN - 1`.
const LONGEST_NAME: usize = 63;

/// What is wanted, in the terms of Ecto's `index/3`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Index {
    /// The table, in `public`.
    pub table: String,
    /// Its name; Ecto's by default.
    pub name: Option<String>,
    /// Columns as SQL has them between the parentheses: `language`, `embedding vector_cosine_ops`.
    pub columns: Vec<String>,
    /// Access method.
    pub using: String,
    /// No two rows alike.
    pub unique: bool,
    /// Columns that are only stored.
    pub include: Vec<String>,
    /// Storage parameters: `m = 16, ef_construction = 64`.
    pub with: Option<String>,
    /// Only rows for which this holds.
    pub filter: Option<String>,
}

impl Index {
    /// The name given, or the one that Ecto gives: table, columns and `index`, each with `_` for what is not a letter,
    /// digit or `_` of ASCII, and none at its end (`Ecto.Migration`, `default_index_name/1`); cut where PostgreSQL cuts it.
    #[must_use]
    pub fn name(&self) -> String {
        let word = |text: &str| {
            let plain = |character: char| character.is_ascii_alphanumeric() || character == '_';
            let text: String = text.chars().map(|character| if plain(character) { character } else { '_' }).collect();
            text.trim_end_matches('_').to_owned()
        };
        let by_default = || {
            let words = std::iter::once(self.table.as_str()).chain(self.columns.iter().map(String::as_str));
            words.chain(["index"]).map(word).collect::<Vec<_>>().join("_")
        };
        let mut name = self.name.clone().unwrap_or_else(by_default);
        name.truncate(name.floor_char_boundary(LONGEST_NAME));
        name
    }

    /// From `USING` on.
    pub(super) fn definition(&self) -> String {
        let mut text = format!("USING {} ({})", identifier(&self.using), self.columns.join(", "));
        if !self.include.is_empty() {
            text += " INCLUDE (";
            text += &self.include.join(", ");
            text += ")";
        }
        if let Some(with) = &self.with {
            text += " WITH (";
            text += with;
            text += ")";
        }
        if let Some(filter) = &self.filter {
            text += " WHERE ";
            text += filter;
        }
        text
    }

    pub(super) fn create(&self, how: Build, relation: &str) -> String {
        let unique = if self.unique { "UNIQUE " } else { "" };
        let (kind, only) = match how {
            Build::AtOnce => ("", ""),
            Build::Concurrently => ("CONCURRENTLY ", ""),
            Build::RootAlone => ("", "ONLY "),
        };
        format!("CREATE {unique}INDEX {kind}{} ON {only}{relation} {}", identifier(&self.name()), self.definition())
    }
}

/// How an index is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Build {
    /// With everything below it, while writers wait.
    AtOnce,
    /// Beside the writers.
    Concurrently,
    /// Without what is below it: not valid yet.
    RootAlone,
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(in crate::concurrent_index) fn index() -> Index {
        Index {
            table: "t".into(),
            name: None,
            columns: vec!["repo_name".into(), "embedding public.vector_cosine_ops".into()],
            using: "hnsw".into(),
            unique: false,
            include: Vec::new(),
            with: Some("m = 16".into()),
            filter: None,
        }
    }

    #[test]
    fn a_name_is_the_one_that_ecto_gives() {
        let index = Index { columns: vec!["repo_name".into(), "size".into()], ..index() };
        assert_eq!(index.name(), "t_repo_name_size_index");
        let index = Index { columns: vec!["lower(file_path)".into(), "(a ->> 'b')".into()], ..index };
        assert_eq!(index.name(), "t_lower_file_path__a______b_index");
        let index = Index { name: Some("ä".repeat(40)), ..index };
        assert_eq!(index.name(), "ä".repeat(31));
    }
}
