//! Building an index beside the writers, on a plain table or on a partitioned one.
//!
//! PostgreSQL refuses `CREATE INDEX CONCURRENTLY` on a partitioned table. So the index is made on the root alone, where it
//! is not valid yet, then concurrently on each leaf, and attached; with the last one the root's becomes valid. Each leaf's
//! has the root's name, in the leaf's schema, so that an error names what Ecto knows. Whatever was cut off is found in the
//! catalog by the next run.

mod apply;
mod index;
mod plan;

pub use apply::apply;
pub use index::Index;
pub use plan::plan;
