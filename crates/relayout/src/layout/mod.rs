//! Layouts: which there are, which a table has, which it should have, and what the way takes.

mod actual;
mod bytes;
mod contents;
mod division;
mod estimate;
mod leaf;
mod part;
pub mod planner;
mod shape;
mod table;
mod week;

pub use bytes::Bytes;
pub use contents::{Contents, Size};
pub use division::Division;
pub use estimate::{Estimate, Pace};
pub use leaf::{Leaf, NoLeaf};
pub(crate) use part::SCHEMAS;
pub use part::{Part, is_leaf_schema};
pub use shape::Shape;
pub use table::Layout;
pub use week::Week;
