//! Databases as they are measured, for tests.

use std::time::Duration;

use relayout::layout::Leaf;
use relayout::layout::planner::Policy;

use super::measured::{
    Codes, Extensions, Layer, LeafSize, Measured, Repository, Searches, Settings, Statistics, Table, Wanted,
};
use super::unknown::Unknown;
use crate::sizing::{Amount, Sizes};
use crate::subject::codes::Form;

pub(super) const GB: u64 = 1 << 30;

/// As `db-setup` leaves it, with a few rows, on a server as it was installed.
pub(super) fn tiny() -> Measured {
    Measured {
        wanted: Wanted::ORDINARY,
        settings: Settings {
            shared_buffers: 128 << 20,
            effective_cache_size: 4 * GB,
            is_cache_size_set: false,
            maintenance_work_mem: 64 << 20,
            parallel_builders: 2,
        },
        database_bytes: 30_000_000,
        sessions: 1,
        is_standby: false,
        searches: Err(Unknown::new("the extension `pg_stat_statements` is not installed in this database")),
        extensions: Extensions {
            vector: Some("0.8.6".into()),
            vector_offered: Some("0.8.6".into()),
            ..Extensions::default()
        },
        layer: Layer::Absent,
        embeddings: Some(plain("embeddings", 2_000)),
        code_files: Some(plain("code_files", 450)),
        codes: None,
        statistics: Some(Statistics { rows: 100, bytes: 50_000, is_in_parts: false }),
        cached_bytes: None,
        keeps_versions: false,
        is_noted: false,
    }
}

/// Fifteen million vectors in plain tables, on a machine that was set up for them.
pub(super) fn large() -> Measured {
    let vectors = 15_000_000;
    Measured {
        wanted: Wanted { memory: Some(256 * GB), users: Some(20), ..Wanted::ORDINARY },
        settings: Settings {
            shared_buffers: 100 * GB,
            effective_cache_size: 192 * GB,
            is_cache_size_set: true,
            maintenance_work_mem: 8 * GB,
            parallel_builders: 4,
        },
        database_bytes: 160_000_000_000,
        sessions: 30,
        searches: Ok(Searches {
            calls: 12_000,
            mean: Duration::from_millis(83),
            slowest: Duration::from_millis(760),
            hidden: 0,
        }),
        embeddings: Some(plain("embeddings", vectors)),
        code_files: Some(plain("code_files", 3_400_000)),
        ..tiny()
    }
}

/// The same, in leaves and with codes.
pub(super) fn in_use(form: Form) -> Measured {
    let Measured { embeddings, code_files, .. } = large();
    let vectors = embeddings.as_ref().map(Table::rows).unwrap_or_default();
    let codes = Sizes::of(&Amount::of_vectors(vectors), form).codes;
    Measured {
        layer: Layer::There,
        embeddings: embeddings.map(in_leaves),
        code_files: code_files.map(in_leaves),
        codes: Some(Codes {
            form,
            rows: vectors,
            table_bytes: codes.rows,
            vector_index_bytes: codes.vector_index,
            primary_key_bytes: codes.primary_key,
        }),
        cached_bytes: Some(40_000_000),
        keeps_versions: true,
        ..large()
    }
}

/// A plain table of so many rows.
pub(super) fn plain(name: &'static str, rows: u64) -> Table {
    let sizes = Sizes::of(&Amount { leaves: 1, ..Amount::of_vectors(rows) }, Form::None);
    let of_files =
        Sizes::of(&Amount { leaves: 1, files: rows, content_bytes: rows * 8_000, ..Amount::of_vectors(0) }, Form::None);
    let stored = if name == "embeddings" { sizes.embeddings } else { of_files.code_files };
    let policy = match name {
        "embeddings" => Policy { leaf_rows: 1_000_000, most_leaves: 32 },
        _ => Policy { leaf_rows: 5_000_000, most_leaves: 64 },
    };
    let leaf = LeafSize {
        leaf: None,
        rows,
        is_guessed: false,
        parts: 1,
        table_bytes: stored.rows,
        index_bytes: stored.bytes() - stored.rows,
        vector_index_bytes: stored.vector_index,
        primary_key_bytes: stored.primary_key,
    };
    Table { name, leaves: vec![leaf], declared: None, policy, is_inline: false, repositories: Ok(Vec::new()) }
}

/// The same in sixteen leaves of equal size.
pub(super) fn in_leaves(table: Table) -> Table {
    let whole = table.largest();
    let part = |remainder| LeafSize {
        leaf: Some(Leaf::new(16, remainder)),
        rows: whole.rows / 16,
        table_bytes: whole.table_bytes / 16,
        index_bytes: whole.index_bytes / 16,
        vector_index_bytes: whole.vector_index_bytes / 16,
        primary_key_bytes: whole.primary_key_bytes / 16,
        ..whole
    };
    Table { leaves: (0..16).map(part).collect(), declared: Some(16), is_inline: true, ..table }
}

/// One that is nearly all of leaf 16/5, which holds so many rows.
pub(super) fn with_giant(table: Table, rows: u64) -> Table {
    let giant = Repository { name: "linux".into(), hash: 5, rows: rows / 10 * 9 };
    let leaves = table.leaves.into_iter().map(|leaf| match leaf.leaf {
        Some(it) if it.remainder == 5 => LeafSize { rows, ..leaf },
        _ => leaf,
    });
    Table { leaves: leaves.collect(), repositories: Ok(vec![giant]), ..table }
}
