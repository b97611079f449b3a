//! Telling what is going on, not more often than anybody reads.

use std::cell::Cell;
use std::fmt;
use std::time::{Duration, Instant};

const INTERVAL: Duration = Duration::from_secs(1);

/// Passes on what it is told, at most once a second; the first second says nothing.
pub struct Progress<'a> {
    tell: &'a dyn Fn(&str),
    last: Cell<Instant>,
}

impl<'a> Progress<'a> {
    /// `tell` shows a line.
    pub fn new(tell: &'a dyn Fn(&str)) -> Self {
        Self { tell, last: Cell::new(Instant::now()) }
    }

    pub(crate) fn say(&self, text: impl FnOnce() -> String) {
        if self.last.get().elapsed() >= INTERVAL {
            self.last.set(Instant::now());
            (self.tell)(&text());
        }
    }
}

impl fmt::Debug for Progress<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Progress").field("last", &self.last).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_over_within_a_second_is_not_told() {
        let told = Cell::new(0);
        let tell = |_: &str| told.set(told.get() + 1);
        let progress = Progress::new(&tell);
        progress.say(|| unreachable!("too early"));
        progress.last.set(Instant::now().checked_sub(INTERVAL).unwrap());
        progress.say(|| "now".to_owned());
        progress.say(|| unreachable!("just told"));
        assert_eq!(told.get(), 1);
    }
}
