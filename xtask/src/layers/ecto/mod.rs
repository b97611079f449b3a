//! The second layer: Ecto's schema.

pub(crate) mod error;
pub(crate) mod layer;
pub(crate) mod mix;
