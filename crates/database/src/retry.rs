//! Asking again: the one place that knows how often, how long, and with which pauses.

use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::time::Duration;

use tokio::time::sleep;

use crate::cause::{Cause, sql_state};

/// Pauses that grow by half, up to a longest one; each a little longer than that, by chance, so that no two who wait for one
/// thing ask in step.
#[derive(Debug)]
pub struct Backoff {
    next: Duration,
    longest: Duration,
    random: RandomState,
}

impl Backoff {
    /// From a first pause to a longest one.
    #[must_use]
    pub fn new(first: Duration, longest: Duration) -> Self {
        Self { next: first, longest, random: RandomState::new() }
    }

    /// The next pause.
    pub fn pause(&mut self) -> Duration {
        let pause = self.next;
        self.next = grown(pause, self.longest);
        let mut chance = self.random.build_hasher();
        chance.write_u128(pause.as_nanos());
        self.random = RandomState::new();
        // Up to an eighth.
        pause + pause / 8 * u32::from(chance.finish().to_le_bytes()[0]) / 255
    }
}

fn grown(duration: Duration, longest: Duration) -> Duration {
    (duration * 3 / 2).min(longest)
}

/// How often a lock is asked for, and how long each time. A waiting request stops everybody behind it: so each is short, and
/// the pause after it longer.
#[derive(Clone, Copy, Debug)]
pub struct Attempts {
    /// After so many the last error is given on.
    pub most: u32,
    /// `lock_timeout` of the first one.
    pub first: Duration,
    /// `lock_timeout` of the later ones, at most.
    pub longest: Duration,
}

/// How often a statement is asked before which a session has no settings of its own.
const FIRST_ASKED: u32 = 5;

/// Counts how often the server has ended such a statement. Until then the settings of a role or a database hold: where the
/// machine is busy, their `statement_timeout` may end what takes no time at all.
#[derive(Debug, Default)]
pub(crate) struct CutShort(u32);

impl CutShort {
    /// Whether to ask again after this error.
    pub(crate) fn is_again(&mut self, error: &sqlx::Error) -> bool {
        self.0 += 1;
        self.0 < FIRST_ASKED && sql_state(error).as_deref() == Some("57014")
    }
}

/// What came of an attempt that did not fail.
#[derive(Debug)]
pub enum Attempt<T> {
    /// It is done.
    Done(T),
    /// Not yet, and no lock was in the way: to be tried again at once.
    Again,
}

/// Whether an error is one to ask again after.
pub trait LockTrouble {
    /// Waited too long for a lock, or stood in somebody's way.
    fn is_lock_trouble(&self) -> bool;
}

impl LockTrouble for sqlx::Error {
    fn is_lock_trouble(&self) -> bool {
        matches!(sql_state(self).as_deref(), Some("55P03" | "40P01"))
    }
}

impl LockTrouble for Cause {
    fn is_lock_trouble(&self) -> bool {
        self.sql().is_some_and(LockTrouble::is_lock_trouble)
    }
}

/// Tries until it is done, until an error that is no lock trouble, or until the attempts are used up; none if they end with
/// [`Attempt::Again`]. `before` is done before each attempt; an attempt gets its `lock_timeout`.
///
/// # Errors
/// The first that is no lock trouble, or that of the last attempt.
pub async fn until_locked<C, T, E: LockTrouble>(
    context: &mut C,
    attempts: Attempts,
    mut before: impl AsyncFnMut(&mut C) -> Result<(), E>,
    mut attempt: impl AsyncFnMut(&mut C, Duration) -> Result<Attempt<T>, E>,
) -> Result<Option<T>, E> {
    let mut timeout = attempts.first;
    let mut backoff = Backoff::new(attempts.first * 2, attempts.longest * 2);
    for number in 1..=attempts.most {
        before(context).await?;
        match attempt(context, timeout).await {
            Ok(Attempt::Done(value)) => return Ok(Some(value)),
            Ok(Attempt::Again) => {}
            Err(error) if number < attempts.most && error.is_lock_trouble() => {
                sleep(backoff.pause()).await;
                timeout = grown(timeout, attempts.longest);
            }
            Err(error) => return Err(error),
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, PartialEq)]
    struct Trouble(bool);

    impl LockTrouble for Trouble {
        fn is_lock_trouble(&self) -> bool {
            self.0
        }
    }

    const THREE: Attempts = Attempts { most: 3, first: Duration::from_millis(4), longest: Duration::from_millis(7) };

    /// What comes of these outcomes, how often it was asked, and with which timeouts.
    async fn tried(outcomes: &[Result<bool, Trouble>]) -> (Result<Option<()>, Trouble>, u32, Vec<u128>) {
        let mut timeouts = Vec::new();
        let mut asked = 0;
        let before = async |asked: &mut u32| {
            *asked += 1;
            Ok(())
        };
        let outcome = until_locked(&mut asked, THREE, before, async |asked, timeout| {
            timeouts.push(timeout.as_millis());
            match &outcomes[*asked as usize - 1] {
                Ok(true) => Ok(Attempt::Done(())),
                Ok(false) => Ok(Attempt::Again),
                Err(Trouble(lock)) => Err(Trouble(*lock)),
            }
        })
        .await;
        (outcome, asked, timeouts)
    }

    #[tokio::test]
    async fn a_lock_is_asked_for_again_a_little_longer_each_time() {
        let (outcome, asked, timeouts) = tried(&[Err(Trouble(true)), Err(Trouble(true)), Ok(true)]).await;
        assert_eq!((outcome, asked), (Ok(Some(())), 3));
        assert_eq!(timeouts, [4, 6, 7]);
    }

    #[tokio::test]
    async fn the_last_error_and_any_other_are_given_on() {
        let (outcome, asked, _) = tried(&[Err(Trouble(true)), Err(Trouble(true)), Err(Trouble(true))]).await;
        assert_eq!((outcome, asked), (Err(Trouble(true)), 3));
        let (outcome, asked, _) = tried(&[Err(Trouble(false)), Ok(true)]).await;
        assert_eq!((outcome, asked), (Err(Trouble(false)), 1));
    }

    #[tokio::test]
    async fn what_is_never_done_ends_all_the_same() {
        let (outcome, asked, timeouts) = tried(&[Ok(false), Ok(false), Ok(false)]).await;
        assert_eq!((outcome, asked), (Ok(None), 3));
        assert_eq!(timeouts, [4, 4, 4], "no lock was in the way");
    }

    #[test]
    fn pauses_grow_to_the_longest_and_differ() {
        let mut backoff = Backoff::new(Duration::from_millis(100), Duration::from_millis(200));
        let pauses: Vec<Duration> = (0..20).map(|_| backoff.pause()).collect();
        assert!(pauses.iter().skip(2).all(|pause| (200..=225).contains(&pause.as_millis())), "{pauses:?}");
        assert!(pauses.iter().skip(2).any(|pause| *pause != pauses[2]), "{pauses:?}");
    }
}
