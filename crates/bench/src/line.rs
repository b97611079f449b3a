//! Something that was to be reached, and whether it was.

use std::time::Duration;

use serde_json::{Value, json};

/// One of the things to be reached.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Line {
    pub(crate) work: String,
    pub(crate) against: &'static str,
    pub(crate) value: f64,
    pub(crate) bound: Bound,
    /// What keeps it from counting, though the value were good enough.
    pub(crate) but: Option<String>,
    /// Where it is not reached: why, as far as that was measured.
    pub(crate) because: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Bound {
    /// Times as fast.
    AtLeast(f64),
    /// Times as long.
    AtMost(f64),
    Milliseconds(f64),
    /// Of index, for each vector.
    Bytes(f64),
    Microseconds(f64),
    /// Computations, say.
    Times(f64),
    /// Of all, as a part of one.
    Share(f64),
    /// Of memory, for each content.
    Bits(f64),
}

impl Line {
    pub(crate) fn new(work: impl Into<String>, against: &'static str, value: f64, bound: Bound) -> Self {
        Self { work: work.into(), against, value, bound, but: None, because: None }
    }

    /// The same, with a reason that is given if it is not reached.
    pub(crate) fn because(self, because: impl Into<Option<String>>) -> Self {
        Self { because: because.into(), ..self }
    }

    pub(crate) fn is_reached(&self) -> bool {
        let is_within = match self.bound {
            Bound::AtLeast(least) => self.value >= least,
            Bound::AtMost(most)
            | Bound::Milliseconds(most)
            | Bound::Microseconds(most)
            | Bound::Bytes(most)
            | Bound::Times(most)
            | Bound::Share(most)
            | Bound::Bits(most) => self.value <= most,
        };
        is_within && self.but.is_none()
    }

    /// For people.
    pub(crate) fn verdict(&self) -> String {
        let Line { work, against, value, bound, but, .. } = self;
        let word = if self.is_reached() { "reached" } else { "NOT REACHED" };
        let because = self.reason().map(|reason| format!(": {reason}")).unwrap_or_default();
        let but = but.as_ref().map(|but| format!(", {but}")).unwrap_or_default();
        let (value, wanted) = match bound {
            Bound::AtLeast(least) => (format!("{value:.1}× as fast"), format!("≥ {least}×")),
            Bound::AtMost(most) => (format!("{value:.2}× as long"), format!("≤ {most}×")),
            Bound::Milliseconds(most) => (format!("{value:.2} ms"), format!("≤ {most} ms")),
            Bound::Microseconds(most) => (format!("{value:.2} µs"), format!("≤ {most} µs")),
            Bound::Times(most) => (format!("{value} times"), format!("≤ {most}")),
            Bound::Bytes(most) => (format!("{value:.0} bytes"), format!("≤ {most:.0} bytes")),
            Bound::Share(most) => (format!("{:.2} %", 100.0 * value), format!("≤ {} %", 100.0 * most)),
            Bound::Bits(most) => (format!("{value:.2} bits"), format!("≤ {most} bits")),
        };
        format!("{word}: {work}, against {against}: {value}{but} (wanted {wanted}){because}")
    }

    fn reason(&self) -> Option<&str> {
        self.because.as_deref().filter(|_| !self.is_reached())
    }

    /// For `--json`.
    pub(crate) fn document(&self) -> Value {
        let (kind, wanted) = bound(self.bound);
        json!({
            "work": self.work, "against": self.against, "value": self.value, "wanted": { kind: wanted },
            "reached": self.is_reached(), "but": self.but, "because": self.reason(),
        })
    }
}

fn bound(bound: Bound) -> (&'static str, f64) {
    match bound {
        Bound::AtLeast(least) => ("times_as_fast", least),
        Bound::AtMost(most) => ("times_as_long", most),
        Bound::Milliseconds(most) => ("milliseconds", most),
        Bound::Microseconds(most) => ("microseconds", most),
        Bound::Times(most) => ("times", most),
        Bound::Bytes(most) => ("bytes", most),
        Bound::Share(most) => ("share", most),
        Bound::Bits(most) => ("bits", most),
    }
}

pub(crate) fn ratio(one: Duration, other: Duration) -> f64 {
    one.as_secs_f64() / other.as_secs_f64().max(f64::MIN_POSITIVE)
}

pub(crate) fn microseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1e6
}

pub(crate) fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bound_is_reached_on_its_own_side_and_only_without_a_but() {
        let line = |value, bound| Line::new("work", "hand", value, bound);
        assert!(line(6.0, Bound::AtLeast(6.0)).is_reached());
        assert!(!line(5.9, Bound::AtLeast(6.0)).is_reached());
        assert!(line(1.2, Bound::AtMost(1.2)).is_reached());
        assert!(!line(51.0, Bound::Milliseconds(50.0)).is_reached());
        let short = Line { but: Some("recall is 0.9800".into()), ..line(9.0, Bound::AtLeast(6.0)) };
        assert!(!short.is_reached());
        assert_eq!(
            short.because("it is told".to_owned()).verdict(),
            "NOT REACHED: work, against hand: 9.0× as fast, recall is 0.9800 (wanted ≥ 6×): it is told"
        );
        let reached = line(9.0, Bound::AtLeast(6.0)).because("it is told".to_owned());
        assert_eq!(reached.verdict(), "reached: work, against hand: 9.0× as fast (wanted ≥ 6×)");
        assert_eq!(reached.document()["because"], Value::Null);
    }
}
