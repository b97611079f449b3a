//! A leaf of a table that is laid out by time.

use std::fmt;

use jiff::ToSpan as _;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

/// Seven days from a Monday on, at midnight UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Week(i32);

/// The first of all Mondays, from which weeks are counted.
const FIRST: Date = jiff::civil::date(1970, 1, 5);

impl Week {
    /// Weeks that have leaves before there are rows for them: whoever has the layer looked after once a month comes in time.
    const AHEAD: i32 = 4;
    /// So many of them have to be there still, or more are made.
    const LEFT: i32 = 2;
    /// Weeks back from now that get leaves of their own. Older rows lie beside them, as those do that a clock has put elsewhere.
    pub(crate) const BACK: i32 = 52;

    /// By its number from the first Monday of 1970 on.
    #[must_use]
    pub fn new(number: i32) -> Self {
        Self(number)
    }

    /// How many weeks later.
    #[must_use]
    pub(crate) fn later(self, weeks: i32) -> Self {
        Self(self.0.saturating_add(weeks))
    }

    /// Its Monday. There is none of a week beyond the calendar: the last one that it has takes its place.
    fn monday(self) -> Date {
        FIRST.saturating_add(self.0.clamp(-100_000, 400_000).weeks())
    }

    /// The first moment of it, as SQL has it.
    pub(crate) fn since(self) -> String {
        format!("'{} 00:00:00+00'", self.monday())
    }

    /// The same in seconds since 1970.
    pub(crate) fn second(self) -> i64 {
        (i64::from(self.0) * 7 + 4) * 86_400
    }

    /// The one of whose Monday these are the digits: `20261207`.
    #[must_use]
    pub fn of_digits(digits: &str) -> Option<Self> {
        let days = Date::strptime("%Y%m%d", digits).ok()?.since(FIRST).ok()?.get_days();
        (days % 7 == 0).then_some(Self(days / 7))
    }

    /// Its Monday without anything between the digits, for names.
    pub(crate) fn digits(self) -> String {
        self.monday().strftime("%Y%m%d").to_string()
    }

    /// The weeks that a table should have which has these, and rows from a week on, if it has any. Those that were dropped with what
    /// they held do not come again.
    pub(crate) fn wanted(there: &[Self], rows_from: Option<Self>, now: Self) -> Vec<Self> {
        if (0..=Self::LEFT).all(|weeks| there.contains(&now.later(weeks))) {
            return there.to_vec();
        }
        let last = there.iter().copied().filter(|week| *week <= now).max();
        let from = last.map(|week| week.later(1)).or(rows_from).unwrap_or(now);
        let from = from.clamp(now.later(-Self::BACK), now);
        let mut weeks = there.to_vec();
        weeks.extend((from.0..=now.later(Self::AHEAD).0).map(Self));
        weeks.sort_unstable();
        weeks.dedup();
        weeks
    }
}

/// Its Monday.
impl fmt::Display for Week {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.monday().fmt(formatter)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Week = Week(2970);

    fn from_now(weeks: impl IntoIterator<Item = i32>) -> Vec<Week> {
        weeks.into_iter().map(|it| NOW.later(it)).collect()
    }

    #[test]
    fn weeks_begin_on_mondays() {
        assert_eq!(Week(0).to_string(), "1970-01-05");
        assert_eq!(NOW.to_string(), "2026-12-07");
        assert_eq!(NOW.since(), "'2026-12-07 00:00:00+00'");
        assert_eq!(NOW.second(), 1_796_601_600);
        assert_eq!(Week(-1).digits(), "19691229");
        assert_eq!(Week::of_digits("20261207"), Some(NOW));
        assert_eq!(Week::of_digits("19691229"), Some(Week(-1)));
        assert_eq!([Week::of_digits("20261208"), Week::of_digits("20261399"), Week::of_digits("")], [None; 3]);
        assert_eq!(Week(i32::MAX).digits().len(), 8);
    }

    #[test]
    fn a_table_gets_weeks_from_its_oldest_row_on_but_of_one_year() {
        assert_eq!(Week::wanted(&[], None, NOW), from_now(0..=4));
        assert_eq!(Week::wanted(&[], Some(NOW.later(-3)), NOW), from_now(-3..=4));
        assert_eq!(Week::wanted(&[], Some(NOW.later(-3000)), NOW), from_now(-52..=4));
        assert_eq!(Week::wanted(&[], Some(NOW.later(3000)), NOW), from_now(0..=4), "a clock that was wrong");
    }

    #[test]
    fn more_are_made_before_the_last_one_is_reached() {
        assert_eq!(Week::wanted(&from_now(-1..=2), None, NOW), from_now(-1..=2));
        assert_eq!(Week::wanted(&from_now(-1..=1), None, NOW), from_now(-1..=4));
        assert_eq!(Week::wanted(&from_now(-9..=-5), None, NOW), from_now(-9..=4), "nobody came for a while");
    }

    #[test]
    fn what_was_dropped_does_not_come_again() {
        assert_eq!(Week::wanted(&from_now(-1..=1), Some(NOW.later(-9)), NOW), from_now(-1..=4));
    }

    #[test]
    fn weeks_that_a_wrong_clock_has_made_are_no_reason_to_make_none() {
        let far = from_now(900..=904);
        assert_eq!(Week::wanted(&far, None, NOW), [from_now(0..=4), far].concat());
    }
}
