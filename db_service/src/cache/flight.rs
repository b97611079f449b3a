//! One computation at a time of what many ask for at once.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use super::question::Key;

/// What is being computed.
#[derive(Debug)]
pub(super) struct Flights<T>(Mutex<HashMap<Key, Arc<Flight<T>>>>);

/// A result, once there is one. Whoever holds it computes; the others wait for their turn, which comes also where the one before
/// has failed or was dropped.
type Flight<T> = tokio::sync::Mutex<Option<Arc<T>>>;

/// A place among those who ask for the same; the last one to leave takes it down.
pub(super) struct Seat<'a, T> {
    flights: &'a Flights<T>,
    key: Key,
    flight: Arc<Flight<T>>,
}

impl<T> Flights<T> {
    pub(super) fn new() -> Self {
        Self(Mutex::new(HashMap::new()))
    }

    pub(super) fn join(&self, key: &Key) -> Seat<'_, T> {
        let mut flights = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let flight = Arc::clone(flights.entry(key.clone()).or_default());
        Seat { flights: self, key: key.clone(), flight }
    }
}

impl<T> Seat<'_, T> {
    /// Waits until nobody else computes.
    pub(super) async fn turn(&self) -> tokio::sync::MutexGuard<'_, Option<Arc<T>>> {
        self.flight.lock().await
    }
}

impl<T> Drop for Seat<'_, T> {
    fn drop(&mut self) {
        let mut flights = self.flights.0.lock().unwrap_or_else(PoisonError::into_inner);
        // Besides this one only the list has it; nobody can join meanwhile.
        if Arc::strong_count(&self.flight) == 2 {
            flights.remove(&self.key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cache::question::{Question, Reads};

    #[test]
    fn nothing_stays_of_those_who_have_left() {
        let flights = Flights::<u8>::new();
        let key = Question::new("a", Reads::Everything).key(b"");
        let (one, other) = (flights.join(&key), flights.join(&key));
        assert!(Arc::ptr_eq(&one.flight, &other.flight));
        drop(one);
        assert_eq!(flights.0.lock().unwrap().len(), 1);
        drop(other);
        assert!(flights.0.lock().unwrap().is_empty());
    }
}
