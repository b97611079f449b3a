//! For tests: a job on a table that nothing stands against.

use super::journal::Job;
use super::phase::Phase;
use crate::layout::Shape;
use crate::table::obstacle::example::table;

pub(crate) fn job(source: Shape, target: Shape) -> Job {
    let (definition, phase) = (table(), Phase::Planned);
    Job { id: 1, table: "t".into(), source, target, definition, phase }
}
