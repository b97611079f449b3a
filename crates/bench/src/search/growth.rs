//! How times grow with the number of rows.

use std::time::Duration;

/// The exponent `a` of `time = c × rows^a` that fits best, by least squares of the logarithms; none for fewer than two sizes.
/// What grows like `log n` has 0.10 from 10,000 to 100,000 rows and 0.08 from there to a million.
#[expect(clippy::cast_precision_loss, reason = "a fit")]
pub(crate) fn exponent(points: &[(i64, Duration)]) -> Option<f64> {
    let points: Vec<(f64, f64)> =
        points.iter().map(|(rows, time)| ((*rows as f64).ln(), time.as_secs_f64().ln())).collect();
    let count = points.len() as f64;
    let mean = |of: fn(&(f64, f64)) -> f64| points.iter().map(of).sum::<f64>() / count;
    let (x, y) = (mean(|it| it.0), mean(|it| it.1));
    let spread: f64 = points.iter().map(|it| (it.0 - x).powi(2)).sum();
    let slope = points.iter().map(|it| (it.0 - x) * (it.1 - y)).sum::<f64>() / spread;
    (points.len() > 1 && slope.is_finite()).then_some(slope)
}

/// A bar for each size, as long as its time.
pub(crate) fn plot(points: &[(i64, Duration)]) -> Vec<String> {
    const WIDTH: f64 = 40.0;
    let longest = points.iter().map(|(_, time)| time.as_secs_f64()).fold(f64::MIN_POSITIVE, f64::max);
    let line = |(rows, time): &(i64, Duration)| {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to 40")]
        let bar = "▇".repeat((time.as_secs_f64() / longest * WIDTH).round() as usize);
        format!("{rows:>9}  {bar} {:.2} ms", time.as_secs_f64() * 1e3)
    };
    points.iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn points(times: [f64; 3]) -> Vec<(i64, Duration)> {
        [10_000, 100_000, 1_000_000].into_iter().zip(times.map(Duration::from_secs_f64)).collect()
    }

    #[test]
    fn the_exponent_is_that_of_the_power() {
        let fitted = |times| exponent(&points(times)).unwrap();
        assert!((fitted([1.0, 10.0, 100.0]) - 1.0).abs() < 1e-9);
        assert!(fitted([2.0, 2.0, 2.0]).abs() < 1e-9);
        assert!((fitted([4.0, 5.0, 6.0]) - 0.088).abs() < 0.001, "a logarithm");
        assert_eq!(exponent(&points([1.0; 3])[..1]), None);
    }

    #[test]
    fn the_longest_bar_is_as_wide_as_there_is_room() {
        let plot = plot(&points([0.001, 0.002, 0.004]));
        assert_eq!(plot[0], format!("    10000  {} 1.00 ms", "▇".repeat(10)));
        assert_eq!(plot[2], format!("  1000000  {} 4.00 ms", "▇".repeat(40)));
    }
}
