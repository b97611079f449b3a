//! The server's memory settings against the size of what they are for.

use std::fmt::Display;

use relayout::layout::Bytes;
use serde_json::{Value, json};

use super::measured::{Measured, Table};
use super::point::Advice;
use super::room::which_memory;
use super::setting::Setting;
use super::threshold::{BUFFERS, CACHE, FOR_BUILDS, SAFE_BUILDS, Version, hundredths, rounded};
use super::{need, way};
use crate::sizing;

/// Graphs of fewer vectors are built in seconds, whatever helps.
const WORTH_HELP: u64 = 100_000;

pub(super) fn advise(measured: &Measured) -> Vec<Advice> {
    vec![buffers(measured), cache(measured), builds(measured), builders(measured)]
}

/// `shared_buffers` against the indexes that searches go through.
fn buffers(measured: &Measured) -> Advice {
    const RULE: &str = "shared-buffers";
    let (hot, set) = (measured.hot(), measured.settings.shared_buffers);
    let figures = figures("shared_buffers", set, hot, measured);
    let message =
        format!("`shared_buffers` is {}, and the indexes that searches go through are {}", Setting(set), Bytes(hot));
    if hot <= set {
        return Advice::fine(RULE, message, figures);
    }
    let Some(memory) = measured.wanted.memory else {
        return Advice::not_known(RULE, message, figures, &which_memory(measured));
    };
    let (begin, most) = (hundredths(memory, BUFFERS.0), hundredths(memory, BUFFERS.1));
    let wanted = (hot / 10 * 11).clamp(begin, most);
    // As much as people begin with, give or take what rounding does.
    if set >= hundredths(begin, 95) && (set >= hundredths(wanted, 95) || wanted == begin) {
        return Advice::fine(RULE, message, figures).why("the rest is for the system's cache of files");
    }
    let why = format!(
        "of {} of memory it should have {} to {} %, after a restart; a page that is not in it is copied from the system's cache, or read",
        Setting(memory),
        BUFFERS.0,
        BUFFERS.1
    );
    Advice::to_do(RULE, message, figures).why(why).run(&[alter("shared_buffers", Setting(wanted))])
}

/// `effective_cache_size`, by which the planner takes an index to be in memory or not.
fn cache(measured: &Measured) -> Advice {
    const RULE: &str = "effective-cache-size";
    let (hot, set) = (measured.hot(), measured.settings.effective_cache_size);
    let figures = figures("effective_cache_size", set, hot, measured);
    let message = format!("`effective_cache_size` is {}", Setting(set));
    let Some(memory) = measured.wanted.memory else {
        let message = format!("{message}, and the indexes that searches go through are {}", Bytes(hot));
        return if hot <= set {
            Advice::fine(RULE, message, figures)
        } else {
            Advice::not_known(RULE, message, figures, &which_memory(measured))
        };
    };
    let wanted = hundredths(memory, CACHE);
    let message = format!("{message}, of {} of memory", Setting(memory));
    if set > memory {
        let why = "the planner takes for granted what is not there, and prefers indexes that have to be read";
        return Advice::to_do(RULE, message, figures).why(why).run(&reloaded("effective_cache_size", Setting(wanted)));
    }
    // Where all fits it makes no difference.
    if set >= hot || set >= hundredths(wanted, 66) {
        return Advice::fine(RULE, message, figures);
    }
    let why = "the planner takes indexes for colder than they are, and may sort all rows instead";
    Advice::to_do(RULE, message, figures).why(why).run(&reloaded("effective_cache_size", Setting(wanted)))
}

/// `maintenance_work_mem` against the largest graph that may have to be built again.
fn builds(measured: &Measured) -> Advice {
    const RULE: &str = "build-memory";
    // Of a plain table that is to be in leaves, one of these.
    let of_largest = |table: &Table| {
        let parts = if table.is_plain() && need::is_needed(measured) { u64::from(way::leaves(table)) } else { 1 };
        sizing::leaf_build_memory(table.largest().rows / parts)
    };
    let largest = measured.embeddings.as_ref().map(of_largest).unwrap_or_default();
    let set = measured.settings.maintenance_work_mem;
    let figures = figures("maintenance_work_mem", set, largest, measured);
    let message = format!(
        "`maintenance_work_mem` is {}, and the largest vector index of a leaf takes {} while it is built",
        Setting(set),
        Setting(largest)
    );
    if measured.vectors() == 0 || largest <= set {
        return Advice::fine(RULE, message, figures);
    }
    let why = "a graph that does not fit is built many times slower; `migrations` takes what `--index-memory` says, a REINDEX by hand \
               what its session has";
    let most = measured.memory().map(|(memory, _)| hundredths(memory, FOR_BUILDS));
    match most {
        Some(most) if most < largest => {
            let why = format!(
                "{why}. It is more than a quarter of the memory: let smaller leaves be built one after the other"
            );
            Advice::to_do(RULE, message, figures).why(why).run(&[set_for_session(most)])
        }
        _ => Advice::to_do(RULE, message, figures).why(why).run(&[set_for_session(rounded(largest))]),
    }
}

/// `max_parallel_maintenance_workers`.
fn builders(measured: &Measured) -> Advice {
    const RULE: &str = "parallel-builds";
    let set = measured.settings.parallel_builders;
    let largest = measured.embeddings.as_ref().map(|table| table.largest().rows).unwrap_or_default();
    let figures = json!({ "setting": "max_parallel_maintenance_workers", "value": set, "largest_leaf_rows": largest });
    let message = format!("`max_parallel_maintenance_workers` is {set}");
    let version = measured.extensions.vector.as_deref().and_then(Version::of);
    if set > 0 && version.is_some_and(Version::builds_unsafely) {
        let message = format!("{message}, and pgvector is older than 0.8.2");
        return Advice::to_do(RULE, message, figures)
            .why("its parallel builds write beyond their memory (CVE-2026-3172): build with one process until it is updated")
            .run(&reloaded("max_parallel_maintenance_workers", 0));
    }
    if set == 0 && largest >= WORTH_HELP && version.is_some_and(|version| version >= SAFE_BUILDS) {
        let message = format!("{message}, and the largest vector index has about {largest} vectors");
        return Advice::to_do(RULE, message, figures)
            .why("a REINDEX uses one core; in a container, give it /dev/shm as large as `maintenance_work_mem`")
            .run(&reloaded("max_parallel_maintenance_workers", 2));
    }
    Advice::fine(RULE, message, figures)
}

fn figures(setting: &str, value: u64, needed: u64, measured: &Measured) -> Value {
    json!({
        "setting": setting, "bytes": value, "needed_bytes": needed,
        "memory_bytes": measured.memory().map(|(bytes, _)| bytes), "memory_is_said": measured.wanted.memory.is_some(),
    })
}

/// It takes a restart.
fn alter(setting: &str, value: impl Display) -> String {
    format!("ALTER SYSTEM SET {setting} = '{value}'")
}

fn reloaded(setting: &str, value: impl Display) -> [String; 2] {
    [alter(setting, value), "SELECT pg_reload_conf()".to_owned()]
}

fn set_for_session(bytes: u64) -> String {
    format!("SET maintenance_work_mem = '{}'", Setting(bytes))
}
