//! What was measured, for people and for programs.

use std::fmt::Write as _;
use std::time::Duration;

use serde_json::{Value, json};

use super::cases::Work;
use super::contender::Side;
use super::contest::{Outcome, Times};
use super::ground::Ground;
use super::growth;
use super::reach;
use super::sized::Sized;
use crate::line::{Line, milliseconds};

/// The outcome of the benchmark.
#[derive(Clone, Debug)]
pub struct Measured {
    pub(crate) sizes: Vec<Sized>,
}

/// Not measured, and why.
const LEFT_OUT: &str = "codes as VectorChord's `vchordrq`: this server does not offer the extension `vchord`";

impl Measured {
    /// For people.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = String::new();
        for sized in &self.sizes {
            text.push_str(&sized.text());
        }
        for (work, points) in self.growth() {
            let exponent = growth::exponent(&points);
            let exponent = exponent.map(|it| format!(": like rows to the power of {it:.2} (a logarithm has 0.1)"));
            let _ = writeln!(text, "{work}, p50{}", exponent.unwrap_or_default());
            for line in growth::plot(&points) {
                let _ = writeln!(text, "  {line}");
            }
        }
        text.extend(self.left_out().map(|what| format!("left out: {what}\n")));
        text.truncate(text.trim_end().len());
        text
    }

    /// For `--json`.
    #[must_use]
    pub fn document(&self) -> Value {
        let sizes: Vec<Value> = self.sizes.iter().map(Sized::document).collect();
        let growth: Vec<Value> = self
            .growth()
            .into_iter()
            .map(|(work, points)| {
                let times: Vec<Value> = points
                    .iter()
                    .map(|(rows, time)| json!({ "rows": rows, "p50_milliseconds": milliseconds(*time) }))
                    .collect();
                json!({ "work": work, "exponent": growth::exponent(&points), "points": times })
            })
            .collect();
        json!({ "version": 1, "command": "bench search", "sizes": sizes, "growth": growth, "left_out": self.left_out().collect::<Vec<_>>() })
    }

    fn left_out(&self) -> impl Iterator<Item = &'static str> {
        self.sizes.iter().any(|sized| !sized.ground.has_vchord).then_some(LEFT_OUT).into_iter()
    }

    /// The medians of the searches that should hardly grow.
    fn growth(&self) -> Vec<(&'static str, Vec<(i64, Duration)>)> {
        let points = |work: Work| {
            let point = |sized: &Sized| {
                let contest = sized.contests.iter().find(|contest| contest.case.work == work)?;
                Some((sized.ground.rows, contest.of(Side::Ours)?.alone.p50))
            };
            self.sizes.iter().filter_map(point).collect::<Vec<_>>()
        };
        let all = [("in the largest repository", Work::Large), ("across", Work::Across("halfvec"))];
        let growth = all.map(|(name, work)| (name, points(work)));
        growth.into_iter().filter(|(_, points)| points.len() > 1).collect()
    }
}

impl Sized {
    fn text(&self) -> String {
        let Ground { rows, repositories, model, queries, .. } = &self.ground;
        let mut text = format!(
            "{rows} vectors of {repositories} repositories, model `{model}`, {} searches for vectors that are not stored\n",
            queries.len()
        );
        if let Some(note) = self.ground.note() {
            let _ = writeln!(text, "  note: {note}");
        }
        for contest in &self.contests {
            let _ = writeln!(text, "  {}", contest.case.name);
            for outcome in &contest.outcomes {
                let _ = writeln!(text, "    {}", shown(outcome));
            }
        }
        for writes in &self.writes {
            let _ = writeln!(
                text,
                "  writing {} vectors, with codes as {}: {:.1} s, without codes and versions {:.1} s; a search across \
                 took {:.2} ms before and {:.2} ms after",
                writes.rows,
                writes.form,
                writes.with.as_secs_f64(),
                writes.without.as_secs_f64(),
                milliseconds(writes.before),
                milliseconds(writes.after),
            );
        }
        for line in reach::lines(self) {
            let _ = writeln!(text, "  {}", line.verdict());
        }
        text
    }

    fn document(&self) -> Value {
        let contests: Vec<Value> = self
            .contests
            .iter()
            .map(|contest| {
                let outcomes: Vec<Value> = contest.outcomes.iter().map(outcome_document).collect();
                json!({ "work": contest.case.name, "outcomes": outcomes })
            })
            .collect();
        let writes: Vec<Value> = self
            .writes
            .iter()
            .map(|writes| {
                json!({
                    "form": writes.form, "rows": writes.rows,
                    "milliseconds": { "with": milliseconds(writes.with), "without": milliseconds(writes.without) },
                    "search_milliseconds": { "before": milliseconds(writes.before), "after": milliseconds(writes.after) },
                })
            })
            .collect();
        let reach: Vec<Value> = reach::lines(self).iter().map(Line::document).collect();
        let forms: Vec<Value> =
            self.forms.iter().map(|(form, bytes)| json!({ "form": form, "index_bytes_a_vector": bytes })).collect();
        json!({
            "rows": self.ground.rows, "repositories": self.ground.repositories, "model": self.ground.model,
            "searches": self.ground.queries.len(), "note": self.ground.note(), "contests": contests, "writes": writes, "codes": forms, "reach": reach,
        })
    }
}

fn shown(outcome: &Outcome) -> String {
    let Outcome { contender, recall, missing, way, alone, crowds } = outcome;
    let side = match contender.side {
        Side::Ours => "",
        Side::Flat => "one table, ",
        Side::Iterative => "one table, by its vector index, ",
        Side::Partial => "an index for it alone, ",
        Side::Leaves => "merge-append, ",
        Side::ByHand => "by hand, ",
    };
    let by = if way.is_empty() { String::new() } else { format!(" by {way}") };
    let missing = if *missing == 0 { String::new() } else { format!(", {missing} rows missing") };
    let crowds: Vec<String> =
        crowds.iter().map(|(count, times)| format!("; {count} clients {}", both(*times))).collect();
    format!("{side}{}{by}: {}, recall {recall:.4}{missing}{}", contender.name, both(*alone), crowds.concat())
}

/// The middle one and the twentieth-worst of a hundred.
fn both(times: Times) -> String {
    format!("p50 {:.2} p95 {:.2} ms", milliseconds(times.p50), milliseconds(times.p95))
}

fn outcome_document(outcome: &Outcome) -> Value {
    let times = |clients: u16, times: Times| json!({ "clients": clients, "p50": milliseconds(times.p50), "p95": milliseconds(times.p95) });
    let all: Vec<Value> = [times(1, outcome.alone)]
        .into_iter()
        .chain(outcome.crowds.iter().map(|(count, crowd)| times(*count, *crowd)))
        .collect();
    let side = match outcome.contender.side {
        Side::Ours => "ours",
        Side::Flat => "one_table",
        Side::Iterative => "one_table_by_vector_index",
        Side::Partial => "partial_index",
        Side::Leaves => "merge_append",
        Side::ByHand => "by_hand",
    };
    json!({
        "side": side, "name": outcome.contender.name, "way": outcome.way, "recall": outcome.recall,
        "missing": outcome.missing, "milliseconds": all,
    })
}
