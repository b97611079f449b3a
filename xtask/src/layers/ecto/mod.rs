//! The second layer: Ecto's schema.

pub(crate) mod error;
pub(crate) mod layer;
mod load;
pub(crate) mod mix;
mod partitions;
