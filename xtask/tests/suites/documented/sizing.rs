//! `docs/sizing.md`: what stands in its tables is what the formula computes.

use std::fs;
use std::time::Duration;

use db_service::sizing::{
    Amount, Sizes, build_time, cached, codes_build_memory, leaf_build_memory, memory_for, statistics,
};
use db_service::subject::codes::Form;
use relayout::layout::Bytes;

use super::table;
use crate::Verdict::{self, Passed};
use crate::server::{TestServer, project};

crate::tests![
    so_many_lines_take_what_the_page_says,
    a_vector_takes_what_the_page_says,
    the_example_is_worked_through_as_the_formula_has_it,
];

/// Cores of the table that says how long it takes.
const CORES: u64 = 8;

/// Holds the rows of a table to what their first cells are computed to.
fn holds(heading: &str, computed: impl Fn(&str) -> Vec<String>) -> Verdict {
    let page = fs::read_to_string(project().join("docs/sizing.md")).unwrap();
    let rows = table::rows(&page, heading);
    let line = |cells: &[String]| format!("| {} |", cells.join(" | "));
    let expected: Vec<String> =
        rows.iter().map(|cells| line(&[&cells[..1], &computed(&cells[0])[..]].concat())).collect();
    let written: Vec<String> = rows.iter().map(|cells| line(cells)).collect();
    assert_eq!(written, expected, "`{heading}` is to be:\n{}", expected.join("\n"));
    Passed
}

fn so_many_lines_take_what_the_page_says(_: &TestServer) -> Verdict {
    holds("## In short", |lines| {
        let amount = Amount::of_lines(lines.replace(',', "").parse().unwrap());
        let [halfvec, bits] = [Form::Halfvec, Form::Bits].map(|form| Sizes::of(&amount, form));
        vec![
            grouped(amount.vectors),
            grouped(amount.files),
            Bytes(halfvec.disk()).to_string(),
            Bytes(memory_for(halfvec.hot())).to_string(),
            Bytes(memory_for(bits.hot())).to_string(),
            time(build_time(amount.vectors, amount.leaves, Form::Halfvec, CORES)),
        ]
    })
}

fn a_vector_takes_what_the_page_says(_: &TestServer) -> Verdict {
    const MANY: u64 = 10_000_000;
    let each = |bytes: u64| vec![format!("{} bytes", grouped(bytes / MANY))];
    let of = |form| Sizes::of(&Amount::of_vectors(MANY), form);
    holds("## What one takes", |what| match what {
        "a row of `embeddings`, the vector inline" => each(of(Form::None).embeddings.rows),
        "in the vector index of its leaf" => each(of(Form::None).embeddings.vector_index),
        "in the primary key" => each(of(Form::None).embeddings.primary_key),
        "in the other indexes of `embeddings`" => each(of(Form::None).embeddings.other_indexes),
        "a row of the codes" => each(of(Form::Halfvec).codes.rows),
        "in their primary key" => each(of(Form::Halfvec).codes.primary_key),
        "in their index as `halfvec`" => each(of(Form::Halfvec).codes.vector_index),
        "in their index as `bits`" => each(of(Form::Bits).codes.vector_index),
        "in their index as `vchordrq`" => each(of(Form::Vchordrq).codes.vector_index),
        "memory while the index of a leaf is built" => each(leaf_build_memory(MANY)),
        "memory while that of the codes is built, `halfvec`" => each(codes_build_memory(MANY, Form::Halfvec)),
        "a search in `rag_performance_stats`" => each(statistics(MANY)),
        "a cached result of 1,500 bytes" => each(cached(MANY, 1500)),
        other => panic!("nothing here computes `{other}`"),
    })
}

fn the_example_is_worked_through_as_the_formula_has_it(_: &TestServer) -> Verdict {
    let amount = Amount::of_lines(750_000_000);
    let [halfvec, bits] = [Form::Halfvec, Form::Bits].map(|form| Sizes::of(&amount, form));
    let bytes = |bytes: u64| vec![Bytes(bytes).to_string()];
    holds("## 750 million lines", |what| match what {
        "rows of `embeddings`" => bytes(halfvec.embeddings.rows),
        "their vector indexes, 16" => bytes(halfvec.embeddings.vector_index),
        "their other indexes" => bytes(halfvec.embeddings.primary_key + halfvec.embeddings.other_indexes),
        "rows of the codes" => bytes(halfvec.codes.rows),
        "their index as `halfvec`" => bytes(halfvec.codes.vector_index),
        "their index as `bits`" => bytes(bits.codes.vector_index),
        "their primary key" => bytes(halfvec.codes.primary_key),
        "rows of `code_files`, with content" => bytes(halfvec.code_files.rows),
        "indexes of `code_files`" => bytes(halfvec.code_files.primary_key + halfvec.code_files.other_indexes),
        "**disk**, codes as `halfvec`" => bytes(halfvec.disk()),
        "disk while `embeddings` is laid out, beside that" => bytes(halfvec.embeddings.bytes()),
        "**indexes to keep in memory**, `halfvec`" => bytes(halfvec.hot()),
        "the same, `bits`" => bytes(bits.hot()),
        "memory while two leaves are built at once" => bytes(2 * leaf_build_memory(amount.vectors / amount.leaves)),
        other => panic!("nothing here computes `{other}`"),
    })
}

/// `15,000,000`
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let groups = digits.as_bytes().rchunks(3).rev().map(|group| String::from_utf8_lossy(group).into_owned());
    groups.collect::<Vec<_>>().join(",")
}

fn time(duration: Duration) -> String {
    match duration.as_secs() {
        seconds @ ..7200 => format!("{} min", seconds.div_ceil(60)),
        seconds => format!("{} h", seconds.div_ceil(3600)),
    }
}
