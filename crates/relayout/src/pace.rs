//! How hard the log is drained when writers outrun it: with more connections first, then by slowing writers down.

use std::time::Duration;

use crate::budget::Budget;

/// More do not copy faster than these.
const MOST_CONNECTIONS: usize = 16;
/// How many times those of the budget.
const TIMES: usize = 4;
const FIRST_BRAKE: Duration = Duration::from_millis(1);

/// What is done to keep up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Pace {
    /// Connections that drain side by side.
    pub(crate) connections: usize,
    /// What a writer sleeps after each row.
    pub(crate) brake: Duration,
    most_connections: usize,
    hardest_brake: Duration,
}

impl Pace {
    /// That of the budget. One connection where a round takes all that there is.
    pub(crate) fn new(budget: Budget, in_whole: bool) -> Self {
        let connections = if in_whole { 1 } else { budget.jobs.max(1) };
        let most = if in_whole { 1 } else { (connections * TIMES).min(MOST_CONNECTIONS).max(connections) };
        Self { connections, brake: Duration::ZERO, most_connections: most, hardest_brake: budget.brake }
    }

    /// The next harder one; none if this is the hardest.
    pub(crate) fn harder(self) -> Option<Self> {
        if self.connections < self.most_connections {
            return Some(Self { connections: (self.connections * 2).min(self.most_connections), ..self });
        }
        let brake = (self.brake * 2).max(FIRST_BRAKE).min(self.hardest_brake);
        (brake > self.brake).then_some(Self { brake, ..self })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(budget: Budget, in_whole: bool) -> Vec<(usize, u128)> {
        let paces = std::iter::successors(Some(Pace::new(budget, in_whole)), |pace| pace.harder());
        paces.map(|pace| (pace.connections, pace.brake.as_millis())).collect()
    }

    #[test]
    fn connections_come_before_the_brake_and_both_have_an_end() {
        let budget = Budget { brake: Duration::from_millis(5), ..Budget::MODEST };
        assert_eq!(all(budget, false), [(2, 0), (4, 0), (8, 0), (8, 1), (8, 2), (8, 4), (8, 5)]);
        assert_eq!(all(budget, true), [(1, 0), (1, 1), (1, 2), (1, 4), (1, 5)]);
    }

    #[test]
    fn a_brake_that_is_forbidden_is_never_put_on() {
        let budget = Budget { jobs: 32, brake: Duration::ZERO, ..Budget::MODEST };
        assert_eq!(all(budget, false), [(32, 0)]);
    }
}
