//! What a server says besides its answers: notices, and its log where the session asks for it. sqlx tells of these by
//! `tracing` alone.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use tracing::field::{Field, Visit};
use tracing::instrument::WithSubscriber as _;
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

const SPOKEN: &str = "sqlx::postgres::notice";

/// Does some work, and gives back what servers have said meanwhile, message by message.
pub async fn heard<T>(work: impl Future<Output = T>) -> (T, Vec<String>) {
    let said = Said::default();
    let done = work.with_subscriber(said.clone()).await;
    let messages = std::mem::take(&mut *said.0.lock().unwrap_or_else(PoisonError::into_inner));
    (done, messages)
}

#[derive(Clone, Debug, Default)]
struct Said(Arc<Mutex<Vec<String>>>);

impl Subscriber for Said {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target() == SPOKEN
    }

    fn event(&self, event: &Event<'_>) {
        event.record(&mut Message(self));
    }

    // Nobody speaks in spans.
    fn new_span(&self, _span: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }
    fn record(&self, _span: &Id, _values: &Record<'_>) {}
    fn record_follows_from(&self, _span: &Id, _follows: &Id) {}
    fn enter(&self, _span: &Id) {}
    fn exit(&self, _span: &Id) {}
}

struct Message<'a>(&'a Said);

impl Visit for Message<'_> {
    fn record_str(&mut self, field: &Field, value: &str) {
        if field.name() == "message" {
            self.0.0.lock().unwrap_or_else(PoisonError::into_inner).push(value.to_owned());
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.record_str(field, &format!("{value:?}"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_is_said_meanwhile_is_heard_and_nothing_else() {
        let speak = || tracing::trace!(target: SPOKEN, message = "duration: 1 ms");
        speak();
        let (done, messages) = heard(async {
            tracing::info!("of something else");
            speak();
            tokio::task::yield_now().await;
            speak();
            7
        })
        .await;
        assert_eq!((done, messages), (7, vec!["duration: 1 ms".to_owned(); 2]));
    }
}
