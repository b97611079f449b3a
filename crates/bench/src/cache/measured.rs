//! What was measured, for people and for programs.

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::hits::Hits;
use super::misses::Misses;
use crate::line::{Bound, Line, microseconds, ratio};
use crate::upkeep::Upkeep;

/// The outcome of the benchmark.
#[derive(Clone, Debug)]
pub struct Measured {
    pub(super) vectors: i64,
    pub(super) hits: Hits,
    pub(super) misses: Misses,
    pub(super) writes: Upkeep,
}

impl Measured {
    /// For people.
    #[must_use]
    pub fn text(&self) -> String {
        let Hits { uncached, known, read, shared } = self.hits;
        let mut text = format!("{} vectors, searched across all repositories, p50\n", self.vectors);
        for (what, time) in [
            ("without a cache", uncached),
            ("from memory, versions at most 100 ms old", known),
            ("from memory, versions read each time", read),
            ("from the database", shared),
        ] {
            // A String takes whatever is written to it.
            let _ = writeln!(text, "  {what}: {:.1} µs", microseconds(time));
        }
        for line in self.lines() {
            let _ = writeln!(text, "  {}", line.verdict());
        }
        text.truncate(text.trim_end().len());
        text
    }

    /// For `--json`.
    #[must_use]
    pub fn document(&self) -> Value {
        let Hits { uncached, known, read, shared } = self.hits;
        let lines: Vec<Value> = self.lines().iter().map(Line::document).collect();
        json!({
            "version": 1, "command": "bench cache", "rows": self.vectors,
            "p50_microseconds": {
                "uncached": microseconds(uncached), "memory_known_versions": microseconds(known),
                "memory": microseconds(read), "database": microseconds(shared),
            },
            "reach": lines,
        })
    }

    fn lines(&self) -> Vec<Line> {
        let Hits { uncached, known, read, shared } = self.hits;
        let hit =
            |work, time, least| Line::new(work, "the search without it", ratio(uncached, time), Bound::AtLeast(least));
        let Misses { asked, computed } = self.misses;
        let Upkeep { row, statement } = self.writes;
        vec![
            hit("from memory, versions at most 100 ms old", known, 2000.0),
            hit("from memory, versions read each time", read, 20.0),
            hit("from the database", shared, 10.0),
            Line::new(
                format!("computing what {asked} ask for at once in four caches"),
                "one computation",
                f64::from(computed),
                Bound::Times(1.0),
            ),
            row.line("versions, of a row of many", 1.0),
            statement.line("versions, of a statement of one row", 30.0),
        ]
    }
}
