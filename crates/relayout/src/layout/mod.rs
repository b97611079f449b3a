//! Layouts: which there are, which a table has, which it should have, and what the way takes.

mod actual;
mod bytes;
mod contents;
mod estimate;
mod leaf;
pub mod planner;
mod shape;
mod table;

pub use bytes::Bytes;
pub use contents::{Contents, Size};
pub use estimate::{Estimate, Pace};
pub use leaf::{Leaf, NoLeaf, is_leaf_schema};
pub use shape::Shape;
pub use table::Layout;
