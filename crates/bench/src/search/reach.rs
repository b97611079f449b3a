//! What was to be reached.

use super::cases::Work;
use super::contender::Side;
use super::contest::{Contest, Outcome, WANTED_RECALL};
use super::sized::Sized;
use super::writes::Writes;
use crate::line::{Bound, Line, milliseconds, ratio};

/// From here on a large repository is one of many rows.
const MANY: i64 = 100_000;

pub(crate) fn lines(sized: &Sized) -> Vec<Line> {
    let mut lines: Vec<Line> =
        sized.contests.iter().flat_map(|contest| of_contest(contest, sized.ground.rows)).collect();
    lines.extend(sized.writes.iter().flat_map(of_writes));
    let bits = sized.forms.iter().filter(|(form, _)| *form == "bits");
    lines.extend(bits.map(|(_, bytes)| Line {
        work: "index of the codes as bits, of a vector".into(),
        against: "memory",
        value: *bytes,
        bound: Bound::Bytes(0.4 * 1024.0),
        but: None,
    }));
    lines
}

fn of_contest(contest: &Contest, rows: i64) -> Vec<Line> {
    let Some(ours) = contest.of(Side::Ours) else { return Vec::new() };
    let many = |least: f64| if rows >= MANY { least } else { 1.0 };
    let wanted: &[(Side, &'static str, f64)] = match contest.case.work {
        Work::Large => &[(Side::Flat, FLAT, many(10.0)), (Side::Partial, PARTIAL, 1.0)],
        Work::Middle => &[(Side::Flat, FLAT, 2.0), (Side::Partial, PARTIAL, 1.0)],
        Work::Small => &[(Side::Flat, FLAT, 1.0), (Side::Partial, PARTIAL, 1.0)],
        // Where the planner takes the index of the filter, both sides compare the same few rows.
        Work::Filtered => &[(Side::Iterative, ITERATIVE, 5.0), (Side::Flat, FLAT, 1.0)],
        Work::Across("bits") => &[(Side::Leaves, LEAVES, 3.0)],
        Work::Across("vchordrq") => &[(Side::Leaves, LEAVES, 8.0), (Side::Flat, FLAT, 1.0)],
        Work::Across(_) => &[(Side::Leaves, LEAVES, 6.0), (Side::Flat, FLAT, 1.0)],
    };
    // Across, most searches cost the same: the middle one counts. Elsewhere the worst do.
    let time = |it: &Outcome| match contest.case.work {
        Work::Across(_) => it.alone.p50,
        _ => it.alone.p95,
    };
    let line =
        |against, value, bound| Line { work: contest.case.name.clone(), against, value, bound, but: short(ours) };
    let mut lines = Vec::new();
    for (side, against, least) in wanted {
        if let Some(theirs) = contest.of(*side) {
            lines.push(line(*against, ratio(time(theirs), time(ours)), Bound::AtLeast(*least)));
        }
    }
    if let Some(by_hand) = contest.of(Side::ByHand) {
        let more = milliseconds(ours.alone.p50) - milliseconds(by_hand.alone.p50);
        lines.push(line(BY_HAND, more, Bound::Milliseconds(0.3)));
    }
    if let Some((_, times)) = ours.crowds.iter().find(|(count, _)| *count == 10) {
        lines.push(line("p95 with 10 clients", milliseconds(times.p95), Bound::Milliseconds(50.0)));
    }
    lines
}

const FLAT: &str = "one table, one vector index";
const ITERATIVE: &str = "its vector index, read on for the filter";
const PARTIAL: &str = "an index for this repository alone";
const LEAVES: &str = "merge-append over all leaves";
const BY_HAND: &str = "the best SQL for this very case";

fn short(ours: &Outcome) -> Option<String> {
    if ours.missing > 0 {
        Some(format!("{} rows are missing", ours.missing))
    } else if ours.recall < WANTED_RECALL {
        Some(format!("recall is {:.4}", ours.recall))
    } else {
        None
    }
}

fn of_writes(writes: &Writes) -> Vec<Line> {
    let line = |what: &str, against, value, most| Line {
        work: format!("{what}, with codes as {}", writes.form),
        against,
        value,
        bound: Bound::AtMost(most),
        but: None,
    };
    let work = format!("writing {} vectors", writes.rows);
    let written = line(&work, "without codes and versions", ratio(writes.with, writes.without), 1.2);
    let searched = line("searching across after that", "before", ratio(writes.after, writes.before), 2.0);
    vec![written, searched]
}
