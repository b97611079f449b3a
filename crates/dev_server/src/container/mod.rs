//! The server in a container: image, container, and the engine that runs both.

pub(crate) mod engine;
pub(crate) mod existing;
pub(crate) mod image;
mod instance;

pub(crate) use instance::{start, stop};
