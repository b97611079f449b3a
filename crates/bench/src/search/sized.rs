//! What was measured with one number of rows.

use std::time::Duration;

use super::contest::Contest;
use super::ground::Ground;
use super::writes::Writes;

#[derive(Clone, Debug)]
pub(crate) struct Sized {
    pub(crate) ground: Ground,
    pub(crate) contests: Vec<Contest>,
    /// The median of a search in a repository that is not there: what it takes to check and to decide.
    pub(crate) nothing: Duration,
    pub(crate) writes: Vec<Writes>,
    /// Bytes of index for each vector, by form.
    pub(crate) forms: Vec<(&'static str, f64)>,
}
