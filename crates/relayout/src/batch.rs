//! How many rows a transaction takes: as many as it can in the time that a kill may cost.

use std::time::Duration;

/// How long one should take: what is lost by a kill, and how old the snapshot gets that vacuum has to respect.
const TIME: Duration = Duration::from_millis(300);
const LEAST: i64 = 50;

/// From batch to batch.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BatchSize {
    rows: i64,
    most: i64,
}

impl BatchSize {
    /// Begins with `first`, and is never more than `most`.
    pub(crate) fn new(first: i64, most: i64) -> Self {
        Self { rows: first, most }
    }

    /// Of the next one.
    pub(crate) fn rows(self) -> i64 {
        self.rows
    }

    /// After one that took so long.
    pub(crate) fn adapt(&mut self, took: Duration) {
        let next = if took < TIME / 2 {
            self.rows * 2
        } else if took > TIME * 2 {
            self.rows / 2
        } else {
            self.rows
        };
        self.rows = next.clamp(LEAST, self.most);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn batches_grow_while_they_are_quick_and_shrink_when_they_are_slow() {
        let mut size = BatchSize::new(500, 1500);
        let mut after = |milliseconds| {
            size.adapt(Duration::from_millis(milliseconds));
            size.rows()
        };
        assert_eq!(
            [10, 10, 300, 2000, 2000, 2000, 2000, 2000, 2000].map(&mut after),
            [1000, 1500, 1500, 750, 375, 187, 93, 50, 50]
        );
    }
}
