//! What one run did or would do, object by object. Both the lines for people and `--json` are made from this.

use std::fmt;
use std::time::Duration;

use serde::{Serialize, Serializer};

use crate::elapsed::{Elapsed, as_milliseconds};

/// One thing that was brought about, or found to be there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Step {
    /// The database it belongs to; none for what belongs to the server.
    pub database: Option<String>,
    /// `server`, `bootstrap`, `ecto`, `sqlx` or `seed`.
    pub layer: &'static str,
    /// The kind of object: `database`, `extension`, `migration`, …
    pub object: &'static str,
    /// The object's name.
    pub name: String,
    /// What became of it.
    pub status: Status,
    /// A version, a reason: what the line ends with.
    pub detail: Option<String>,
    /// What to do about something left out.
    pub remedy: Option<String>,
    /// How long it took; none where nothing was done.
    #[serde(rename = "milliseconds", serialize_with = "milliseconds")]
    pub duration: Option<Duration>,
    /// What the detail says, for programs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub facts: Option<serde_json::Value>,
}

/// What became of an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// A run had nothing to do about it.
    Unchanged,
    /// It is there: who asked only wanted to know.
    Found,
    /// It was checked, and is as it should be.
    Verified,
    /// It was missing and is there now.
    Created,
    /// A migration ran.
    Applied,
    /// A schema was loaded from its dump.
    Loaded,
    /// A setting was set.
    Set,
    /// A table was brought into another layout.
    Converted,
    /// A server was started.
    Started,
    /// Would be done; `--dry-run` does nothing.
    Pending,
    /// An optional part that could not be had.
    LeftOut,
}

impl Step {
    /// A step of a database; its remaining fields are set by the methods below.
    #[must_use]
    pub fn new(
        database: &str,
        layer: &'static str,
        object: &'static str,
        name: impl Into<String>,
        status: Status,
    ) -> Self {
        Self { database: Some(database.to_owned()), ..Self::of_server(layer, object, name, status) }
    }

    /// A step that belongs to no database.
    #[must_use]
    pub fn of_server(layer: &'static str, object: &'static str, name: impl Into<String>, status: Status) -> Self {
        let name = name.into();
        Self { database: None, layer, object, name, status, detail: None, remedy: None, duration: None, facts: None }
    }

    /// Adds a version or a reason.
    #[must_use]
    pub fn detail(mut self, detail: impl Into<String>) -> Self {
        self.detail = Some(detail.into());
        self
    }

    /// Adds what to do about it.
    #[must_use]
    pub fn remedy(mut self, remedy: impl Into<String>) -> Self {
        self.remedy = Some(remedy.into());
        self
    }

    /// Adds what the detail says, for programs.
    #[must_use]
    pub fn facts(mut self, facts: serde_json::Value) -> Self {
        self.facts = Some(facts);
        self
    }

    /// Adds how long it took.
    #[must_use]
    pub fn took(mut self, duration: Duration) -> Self {
        self.duration = Some(duration);
        self
    }

    /// The same as something that somebody has only asked for.
    #[must_use]
    pub fn as_found(self) -> Self {
        let status = if self.status == Status::Unchanged { Status::Found } else { self.status };
        Self { status, ..self }
    }

    /// Whether the run changed something here.
    #[must_use]
    pub fn is_change(&self) -> bool {
        use Status::{Applied, Converted, Created, Loaded, Set, Started};
        matches!(self.status, Created | Applied | Loaded | Set | Converted | Started)
    }
}

/// Objects that are looked at all together: none of them is named.
const WHOLE: [&str; 2] = ["indexes", "leftovers"];

/// Objects whose detail is a sentence of its own, after the place.
const COUNTED: [&str; 1] = ["corpus"];

/// ``Created extension `vector` 0.8.6 in `singularity_dev` (41 ms)``
impl fmt::Display for Step {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if WHOLE.contains(&self.object) {
            write!(formatter, "{} {}:", self.status, self.object)?;
        } else {
            write!(formatter, "{} {} `{}`", self.status, self.object, self.name)?;
        }
        let is_last = self.status == Status::LeftOut || COUNTED.contains(&self.object);
        if let Some(detail) = self.detail.as_deref().filter(|_| !is_last) {
            write!(formatter, " {detail}")?;
        }
        if let Some(database) =
            self.database.as_deref().filter(|database| *database != self.name || self.object != "database")
        {
            write!(formatter, " in `{database}`")?;
        }
        if let Some(detail) = self.detail.as_deref().filter(|_| is_last) {
            write!(formatter, ": {detail}")?;
        }
        match self.duration {
            Some(duration) if self.status != Status::LeftOut => write!(formatter, " ({})", Elapsed(duration)),
            _ => Ok(()),
        }
    }
}

impl fmt::Display for Status {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Unchanged => "Unchanged",
            Self::Found => "Found",
            Self::Verified => "Verified",
            Self::Created => "Created",
            Self::Applied => "Applied",
            Self::Loaded => "Loaded",
            Self::Set => "Set",
            Self::Converted => "Converted",
            Self::Started => "Started",
            Self::Pending => "Pending",
            Self::LeftOut => "Left out",
        })
    }
}

// serde hands over a reference to the field.
#[expect(clippy::ref_option, reason = "the signature is serde's")]
fn milliseconds<S: Serializer>(duration: &Option<Duration>, serializer: S) -> Result<S::Ok, S::Error> {
    duration.map(as_milliseconds).serialize(serializer)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_starts_with_what_was_done_and_ends_with_the_fact() {
        let created = Step::new("dev", "bootstrap", "database", "dev", Status::Created).took(Duration::from_millis(41));
        assert_eq!(created.to_string(), "Created database `dev` (41 ms)");
        let unchanged = Step::new("dev", "bootstrap", "extension", "vector", Status::Unchanged).detail("0.8.6");
        assert_eq!(unchanged.to_string(), "Unchanged extension `vector` 0.8.6 in `dev`");
        let left_out = Step::new("dev", "bootstrap", "extension", "vectors", Status::LeftOut)
            .detail("this server does not offer it");
        assert_eq!(left_out.to_string(), "Left out extension `vectors` in `dev`: this server does not offer it");
        let all = Step::new("dev", "sqlx", "indexes", "all", Status::Verified).detail("all are valid");
        assert_eq!(all.to_string(), "Verified indexes: all are valid in `dev`");
        assert!(!all.is_change());
        let corpus = Step::new("dev", "seed", "corpus", "c", Status::Loaded).detail("3 files, 5 vectors");
        let corpus = corpus.took(Duration::from_millis(41));
        assert_eq!(corpus.to_string(), "Loaded corpus `c` in `dev`: 3 files, 5 vectors (41 ms)");
    }

    #[test]
    fn json_gives_durations_in_milliseconds() {
        let step = Step::new("d", "ecto", "migration", "1", Status::Applied).took(Duration::from_micros(1500));
        let json = serde_json::to_value(step).unwrap();
        assert_eq!(json["milliseconds"], 1.5);
        assert_eq!(json["status"], "applied");
        assert!(json.get("facts").is_none());
    }
}
