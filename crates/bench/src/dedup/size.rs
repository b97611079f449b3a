//! How much is asked for.

/// How much there is.
#[derive(Clone, Copy, Debug)]
pub struct Size {
    /// Contents of the filter that is probed, in memory alone.
    pub contents: u32,
    /// Rows of `code_files`.
    pub rows: u32,
}
