//! Whether one machine carries it.

use std::time::Duration;

use relayout::layout::Bytes;
use serde_json::json;
use terminal::elapsed::Elapsed;

use super::measured::Measured;
use super::point::Advice;
use super::room::{self, Room, hot, which_memory};
use super::setting::Setting;
use super::threshold::{LARGEST_MACHINE, PAGES_A_SEARCH, READ_MICROSECONDS};
use crate::sizing::memory_for;
use crate::subject::codes::Form;

const RULE: &str = "machine";

pub(super) fn advise(measured: &Measured) -> Vec<Advice> {
    if measured.vectors() == 0 {
        return Vec::new();
    }
    let [halfvec, bits] = [Form::Halfvec, Form::Bits].map(|form| hot(measured, form));
    let figures = json!({
        "vectors": measured.vectors(), "hot_bytes": measured.hot(),
        "hot_bytes_halfvec": halfvec, "hot_bytes_bits": bits,
        "needed_bytes_halfvec": memory_for(halfvec), "needed_bytes_bits": memory_for(bits),
        "memory_bytes": measured.memory().map(|(bytes, _)| bytes), "largest_machine_bytes": LARGEST_MACHINE,
    });
    let message = format!(
        "about {} vectors: the indexes that searches go through take {} with codes as halfvec, {} as bits, and want a machine of {} \
         or {}",
        measured.vectors(),
        Bytes(halfvec),
        Bytes(bits),
        Setting(memory_for(halfvec)),
        Setting(memory_for(bits))
    );
    if memory_for(bits) > LARGEST_MACHINE {
        let why = format!(
            "no ordinary machine has more than {}: shard by `repo_name` over several, with Citus; before that, replicas for searches, \
             and `embeddings` on a server of its own: docs/sizing.md, \"When one machine will no longer do\"",
            Setting(LARGEST_MACHINE)
        );
        return vec![Advice::to_do(RULE, message, figures).why(why).run(commands(measured))];
    }
    vec![match (room::room(measured), measured.memory()) {
        (Room::ForNone { memory }, _) => {
            let cold = Elapsed(Duration::from_micros(PAGES_A_SEARCH * READ_MICROSECONDS));
            let message = format!("{message}; this one has {}, as `--memory` says", Setting(memory));
            let why = format!(
                "a search reads {PAGES_A_SEARCH} pages of an index at random: from a disk of {READ_MICROSECONDS} µs that alone is \
                 {cold}; give it {} of memory, or less to search: docs/sizing.md",
                Setting(memory_for(bits))
            );
            Advice::to_do(RULE, message, figures).why(why)
        }
        (Room::ForAll | Room::ForBits, _) => Advice::fine(RULE, message, figures),
        (Room::NotKnown, _) if memory_for(halfvec) <= measured.settings.shared_buffers => {
            Advice::fine(RULE, message, figures).why("`shared_buffers` alone is as large")
        }
        (Room::NotKnown, Some((memory, _))) if memory_for(halfvec) <= memory => {
            Advice::fine(RULE, message, figures).why(which_memory(measured).why)
        }
        (Room::NotKnown, _) => Advice::not_known(RULE, message, figures, &which_memory(measured)),
    }]
}

/// Citus takes plain tables, and its shards are the partitions.
fn commands(measured: &Measured) -> &'static [&'static str] {
    const ALL: [&str; 4] = [
        "CREATE EXTENSION citus",
        "migrations revert --yes",
        "SELECT create_distributed_table_concurrently('code_files', 'repo_name')",
        "SELECT create_distributed_table_concurrently('embeddings', 'repo_name', colocate_with => 'code_files')",
    ];
    if measured.extensions.citus.is_some() { &ALL[1..] } else { &ALL }
}
