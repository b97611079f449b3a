//! A table, an index, a sequence: by schema and name, as the catalog has them.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::quote::identifier;

/// `Display` is its SQL text, quoted: `"public"."code_files"`. Catalog queries take that too, for `to_regclass`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Relation {
    /// Its schema.
    pub schema: String,
    /// Its name.
    pub name: String,
}

/// A text that is no name with its schema.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no name with its schema")]
pub struct NoRelation(pub String);

impl Relation {
    /// A relation of a schema.
    #[must_use]
    pub fn new(schema: impl Into<String>, name: impl Into<String>) -> Self {
        Self { schema: schema.into(), name: name.into() }
    }

    /// A relation of `public`, where Ecto's are.
    #[must_use]
    pub fn public(name: impl Into<String>) -> Self {
        Self::new("public", name)
    }

    /// For people: `public.code_files`.
    #[must_use]
    pub fn plain(&self) -> String {
        format!("{}.{}", self.schema, self.name)
    }

    /// Another one in the same schema: a table's index, for instance.
    #[must_use]
    pub fn sibling(&self, name: impl Into<String>) -> Self {
        Self::new(self.schema.clone(), name)
    }
}

impl fmt::Display for Relation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}.{}", identifier(&self.schema), identifier(&self.name))
    }
}

impl From<Relation> for String {
    fn from(relation: Relation) -> Self {
        relation.to_string()
    }
}

impl TryFrom<String> for Relation {
    type Error = NoRelation;

    fn try_from(text: String) -> Result<Self, NoRelation> {
        text.parse()
    }
}

/// As SQL has it, each part quoted or not.
impl FromStr for Relation {
    type Err = NoRelation;

    fn from_str(text: &str) -> Result<Self, NoRelation> {
        let parsed = || {
            let (schema, rest) = part(text)?;
            let (name, rest) = part(rest.strip_prefix('.')?)?;
            rest.is_empty().then_some(Self { schema, name })
        };
        parsed().ok_or_else(|| NoRelation(text.to_owned()))
    }
}

/// The first part of a name, and what follows it.
fn part(text: &str) -> Option<(String, &str)> {
    let Some(quoted) = text.strip_prefix('"') else {
        let end = text.find('.').unwrap_or(text.len());
        return (end > 0).then(|| (text[..end].to_owned(), &text[end..]));
    };
    let mut name = String::new();
    let mut rest = quoted;
    loop {
        let (before, after) = rest.split_once('"')?;
        name += before;
        match after.strip_prefix('"') {
            // A quote inside the name is written twice.
            Some(more) => {
                name.push('"');
                rest = more;
            }
            None => return Some((name, after)),
        }
    }
}

/// Comma-separated, for `LOCK TABLE` and the like.
#[must_use]
pub fn list<'a>(relations: impl IntoIterator<Item = &'a Relation>) -> String {
    relations.into_iter().map(Relation::to_string).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_relation_is_read_back_as_it_was_written() {
        for relation in [Relation::public("code_files"), Relation::new(r#"a"b"#, "c.d"), Relation::new("A", r#"""#)] {
            assert_eq!(relation.to_string().parse(), Ok(relation.clone()));
            let json = serde_json::to_string(&relation).unwrap();
            assert_eq!(serde_json::from_str::<Relation>(&json).unwrap(), relation);
        }
        assert_eq!("public.code_files_id_seq".parse(), Ok(Relation::public("code_files_id_seq")));
        assert_eq!(Relation::public("t").plain(), "public.t");
    }

    #[test]
    fn what_lacks_a_part_is_none() {
        for text in ["", "t", "a.", ".t", "\"a.t", "\"a\"t", "a.\"t\"x"] {
            assert!(text.parse::<Relation>().is_err(), "{text}");
        }
    }
}
