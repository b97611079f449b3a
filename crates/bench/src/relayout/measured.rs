//! What is measured of a conversion.

use std::time::Duration;

use crate::load::Noticed;

/// What was measured.
#[derive(Debug)]
pub struct Measured {
    pub(super) writers: u32,
    pub(super) tables: Vec<Table>,
    pub(super) capture: Vec<Capture>,
}

#[derive(Debug)]
pub(super) struct Table {
    pub(super) name: &'static str,
    pub(super) rows: i64,
    /// The offline way, on an idle machine.
    pub(super) offline: Duration,
    /// The offline way, while the same writers take their share of the machine.
    pub(super) offline_beside: Duration,
    /// From the first phase to the swap: what the offline way does as well.
    pub(super) until_swap: Duration,
    /// With the comparison of all rows and dropping the old form.
    pub(super) in_all: Duration,
    /// How long each phase took.
    pub(super) phases: Vec<(String, Duration)>,
    pub(super) before: Noticed,
    /// While it was converted offline.
    pub(super) control: Noticed,
    pub(super) during: Noticed,
}

/// What the change log costs, by kind of statement.
#[derive(Debug)]
pub(super) struct Capture {
    pub(super) rows_per_statement: u32,
    pub(super) added: f64,
}
