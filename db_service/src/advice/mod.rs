//! What a database would be better for: whether the layer is worth its while there, which parts of it, and what of the server
//! stands against it.
//!
//! [`measure()`] reads catalogs and statistics into a value, and no row of a table; [`advise()`] makes advice of that value alone. When
//! what is advised: [`threshold`]. `migrations advise` shows it.
//!
//! ```no_run
//! # async fn example(connection: &mut sqlx::PgConnection) -> Result<(), db_service::Error> {
//! use db_service::advice::{self, Wanted};
//!
//! let wanted = Wanted { memory: Some(64 << 30), ..Wanted::ORDINARY };
//! let measured = advice::measure(connection, wanted, "singularity").await?;
//! for advice in advice::advise(&measured) {
//!     println!("{}: {}", advice.verdict, advice.finding);
//! }
//! # Ok(())
//! # }
//! ```

mod cache;
mod codes;
#[cfg(test)]
mod example;
mod layer;
mod leaves;
mod machine;
mod measure;
mod measured;
mod memory;
mod need;
mod pgvector;
mod point;
mod room;
mod setting;
mod split;
mod statistics;
pub mod threshold;
mod unknown;
mod way;

pub use measure::measure;
pub use measured::{
    Basis, Codes, Extensions, Layer, LeafSize, Measured, Repository, Searches, Settings, Statistics, Table, Wanted,
};
pub use point::{Advice, Verdict};
pub use unknown::Unknown;

/// What is looked at, in order.
const TOPICS: [fn(&Measured) -> Vec<Advice>; 9] = [
    layer::advise,
    leaves::advise,
    split::advise,
    codes::advise,
    cache::advise,
    statistics::advise,
    memory::advise,
    pgvector::advise,
    machine::advise,
];

/// What is to be done first, then what is not known, then what is fine. Pure.
#[must_use]
pub fn advise(measured: &Measured) -> Vec<Advice> {
    let mut advice: Vec<Advice> = TOPICS.iter().flat_map(|topic| topic(measured)).collect();
    advice.sort_by_key(|advice| advice.verdict);
    advice
}

#[cfg(test)]
mod tests;
