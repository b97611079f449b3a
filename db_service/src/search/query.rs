//! What is searched for, and where.

use std::fmt::Write as _;

use sqlx::types::JsonValue;

/// A search.
#[derive(Clone, Debug, PartialEq)]
pub struct Query {
    pub(super) vector: Vec<f32>,
    pub(super) scope: Scope,
    pub(super) k: u32,
    pub(super) model: Option<String>,
    pub(super) path_prefix: Option<String>,
    pub(super) language: Option<String>,
    pub(super) metadata: Option<JsonValue>,
    pub(super) recall: Recall,
}

/// Where it is searched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scope {
    /// In one repository.
    Repository(String),
    /// In some.
    Repositories(Vec<String>),
    /// In all of them.
    Everywhere,
}

/// How many of the true nearest are to be among those that are found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Recall {
    /// Most of them, as quickly as may be.
    Fast,
    /// 99 of 100.
    #[default]
    Balanced,
    /// All of them: every row that qualifies is compared.
    Exact,
}

impl Query {
    /// The ten nearest to a vector of 768 components, with the default recall and without a filter.
    #[must_use]
    pub fn new(vector: Vec<f32>, scope: Scope) -> Self {
        Self {
            vector,
            scope,
            k: 10,
            model: None,
            path_prefix: None,
            language: None,
            metadata: None,
            recall: Recall::default(),
        }
    }

    /// So many, from 1 to 10,000.
    #[must_use]
    pub fn nearest(self, k: u32) -> Self {
        Self { k, ..self }
    }

    /// Only vectors of this model; to be named where the table holds those of several.
    #[must_use]
    pub fn model(self, model: impl Into<String>) -> Self {
        Self { model: Some(model.into()), ..self }
    }

    /// Only paths that begin so: a folder of a repository, with its slash.
    #[must_use]
    pub fn path_prefix(self, prefix: impl Into<String>) -> Self {
        Self { path_prefix: Some(prefix.into()), ..self }
    }

    /// Only files in this language, as `code_files.language` has it.
    #[must_use]
    pub fn language(self, language: impl Into<String>) -> Self {
        Self { language: Some(language.into()), ..self }
    }

    /// Only rows whose metadata contain this (`@>`).
    #[must_use]
    pub fn metadata(self, metadata: JsonValue) -> Self {
        Self { metadata: Some(metadata), ..self }
    }

    /// With this recall.
    #[must_use]
    pub fn recall(self, recall: Recall) -> Self {
        Self { recall, ..self }
    }
}

/// A vector as pgvector reads it.
pub(crate) fn vector_text(vector: &[f32]) -> String {
    let mut text = String::with_capacity(12 * vector.len() + 2);
    text.push('[');
    for (position, component) in vector.iter().enumerate() {
        let comma = if position == 0 { "" } else { "," };
        // A String takes whatever is written to it.
        let _ = write!(text, "{comma}{component}");
    }
    text.push(']');
    text
}

impl Recall {
    /// As the functions have it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Fast => "fast",
            Self::Balanced => "balanced",
            Self::Exact => "exact",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_vector_is_written_as_pgvector_reads_it() {
        assert_eq!(vector_text(&[0.5, -1.0, 1e-7]), "[0.5,-1,0.0000001]");
        assert_eq!(vector_text(&[]), "[]");
    }
}
