//! What was measured with one number of rows.

use super::contest::Contest;
use super::ground::Ground;
use super::writes::Writes;

#[derive(Clone, Debug)]
pub(crate) struct Sized {
    pub(crate) ground: Ground,
    pub(crate) contests: Vec<Contest>,
    pub(crate) writes: Vec<Writes>,
    /// Bytes of index for each vector, by form.
    pub(crate) forms: Vec<(&'static str, f64)>,
}
