//! What was to be reached.

use super::cases::Work;
use super::contender::Side;
use super::contest::{Contest, Outcome, WANTED_RECALL};
use super::sized::Sized;
use super::writes::Writes;
use crate::line::{Bound, Line, microseconds, milliseconds, ratio};

/// From here on a large repository is one of many rows.
const MANY: i64 = 100_000;

pub(crate) fn lines(sized: &Sized) -> Vec<Line> {
    let mut lines: Vec<Line> = sized.contests.iter().flat_map(|contest| of_contest(contest, sized)).collect();
    lines.extend(sized.writes.iter().flat_map(of_writes));
    let bits = sized.forms.iter().filter(|(form, _)| *form == "bits");
    lines.extend(bits.map(|(_, bytes)| {
        Line::new("index of the codes as bits, of a vector", "memory", *bytes, Bound::Bytes(0.4 * 1024.0))
    }));
    lines
}

fn of_contest(contest: &Contest, sized: &Sized) -> Vec<Line> {
    let Some(ours) = contest.of(Side::Ours) else { return Vec::new() };
    let many = |least: f64| if sized.ground.rows >= MANY { least } else { 1.0 };
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
    let line = |against, value, bound| Line {
        but: short(ours),
        ..Line::new(contest.case.name.clone(), against, value, bound)
    };
    let nothing = milliseconds(sized.nothing);
    let mut lines = Vec::new();
    for (side, against, least) in wanted {
        if let Some(theirs) = contest.of(*side) {
            let because = beaten_by(theirs, ours, nothing, milliseconds(time(ours)));
            lines.push(line(*against, ratio(time(theirs), time(ours)), Bound::AtLeast(*least)).because(because));
        }
    }
    if let Some(by_hand) = contest.of(Side::ByHand) {
        let more = milliseconds(ours.alone.p50) - milliseconds(by_hand.alone.p50);
        let because =
            format!("a search in a repository that is not there takes {nothing:.2} ms: checking and deciding");
        lines.push(line(BY_HAND, more, Bound::Milliseconds(0.3)).because(because));
    }
    if let Some((_, times)) = ours.crowds.iter().find(|(count, _)| *count == 10) {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let because = format!("alone it takes {:.1} ms, and 10 share {cores} cores", milliseconds(ours.alone.p95));
        let p95 = Bound::Milliseconds(50.0);
        lines.push(line("p95 with 10 clients", milliseconds(times.p95), p95).because(because));
    }
    lines
}

/// Why another side is nearer than was wanted, as far as it can be seen here.
fn beaten_by(theirs: &Outcome, ours: &Outcome, nothing: f64, time: f64) -> Option<String> {
    if theirs.missing > 0 {
        Some(format!("the other side lacks {} rows", theirs.missing))
    } else if theirs.recall < WANTED_RECALL && theirs.recall <= ours.recall {
        Some(format!("the other side finds {:.4} of the nearest, and this one {:.4}", theirs.recall, ours.recall))
    } else if nothing > time / 2.0 {
        Some(format!("{nothing:.2} ms of {time:.2} ms go to checking and deciding, whatever is found"))
    } else if theirs.way == ours.way {
        Some(format!("both find them by {}", ours.way))
    } else {
        None
    }
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
    let line = |what: &str, against, value, most| {
        Line::new(format!("{what}, with codes as {}", writes.form), against, value, Bound::AtMost(most))
    };
    let work = format!("writing {} vectors", writes.rows);
    let written = line(&work, "without codes and versions", ratio(writes.with, writes.without), 1.2);
    let each = writes.after.saturating_sub(writes.before) / u32::try_from(writes.rows).unwrap_or(u32::MAX).max(1);
    let because = format!(
        "each of {} vectors that no index has yet is compared, which takes {:.2} µs",
        writes.rows,
        microseconds(each)
    );
    let searched = line("searching across after that", "before", ratio(writes.after, writes.before), 2.0);
    let searched = searched.because(because);
    vec![written, searched]
}
