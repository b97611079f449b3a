//! The first layer: the database and its extensions.

mod absence;
mod apply;
pub(crate) mod error;
mod extension;
mod facts;
pub(crate) mod known;
pub(crate) mod layer;
mod plan;
mod preload;
mod version;
