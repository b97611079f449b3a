//! How long it takes to build the indexes. Measured where everything was in memory: two cores, 50,800 real vectors.

use std::time::Duration;

use crate::subject::codes::Form;

/// Vectors that one core indexes in a second: in the leaves, and for each form of the codes.
pub const BUILT_A_SECOND: [(&str, u64); 4] =
    [("leaves", 1_080), ("halfvec", 610), ("bits", 3_700), ("vchordrq", 5_400)];
/// Rows that one core copies in a second, with their other indexes.
const COPIED_A_SECOND: u64 = 10_000;
/// How many vectors were in the index whose building was measured.
const MEASURED: u64 = 50_800;

/// From plain tables to leaves and codes, on so many cores: rows copied, the graph of each leaf built, then that of the codes.
#[must_use]
pub fn build_time(vectors: u64, leaves: u64, form: Form, cores: u64) -> Duration {
    let [(_, of_leaves), (_, halfvec), (_, bits), (_, vchordrq)] = BUILT_A_SECOND;
    let copied = seconds(vectors, COPIED_A_SECOND);
    let in_leaves = grown(seconds(vectors, of_leaves), vectors / leaves.max(1));
    let of_codes = match form {
        Form::None => Duration::ZERO,
        Form::Halfvec => grown(seconds(vectors, halfvec), vectors),
        Form::Bits => grown(seconds(vectors, bits), vectors),
        Form::Vchordrq => seconds(vectors, vchordrq),
    };
    (copied + in_leaves + of_codes) / u32::try_from(cores.max(1)).unwrap_or(u32::MAX)
}

fn seconds(rows: u64, a_second: u64) -> Duration {
    Duration::from_millis(rows.saturating_mul(1000) / a_second)
}

/// A vector takes the longer the more there are: as the logarithm of their number.
fn grown(took: Duration, vectors: u64) -> Duration {
    took * vectors.max(2).ilog2() / MEASURED.ilog2()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn twice_the_cores_take_half_the_time_and_ten_times_the_vectors_more_than_ten_times() {
        let hours = |vectors, cores| build_time(vectors, 16, Form::Halfvec, cores).as_secs_f64() / 3600.0;
        assert!((hours(1_000_000, 2) / hours(1_000_000, 4) - 2.0).abs() < 0.01);
        assert!(hours(10_000_000, 2) > 10.0 * hours(1_000_000, 2));
        assert_eq!(build_time(0, 16, Form::None, 0), Duration::ZERO);
    }
}
