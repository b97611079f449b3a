//! Errors in three parts that are each said once: what (`Display`), why (causes), next (hint).

use std::error::Error;

use crate::exit::Exit;

/// An error of any part, ready to be shown: with its causes, its next step and its exit code.
pub trait Failure: Error + Send + Sync + 'static {
    /// What the reader does next, if we know.
    fn hint(&self) -> Option<String>;

    /// Why, outermost first, each cause said once. By default the chain of sources.
    fn causes(&self) -> Vec<String> {
        chain(self.source())
    }

    /// How the process ends.
    fn exit(&self) -> Exit {
        Exit::Failed
    }
}

/// A chain of causes, outermost first. One whose text the one above it has repeated at its end is left out.
#[must_use]
pub fn chain(mut next: Option<&(dyn Error + 'static)>) -> Vec<String> {
    let mut causes: Vec<String> = Vec::new();
    while let Some(cause) = next {
        let text = cause.to_string();
        if !causes.iter().any(|earlier| earlier.ends_with(&text)) {
            causes.push(text);
        }
        next = cause.source();
    }
    causes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("{0}")]
    struct Link(&'static str, #[source] Option<Box<Link>>);

    impl Failure for Link {
        fn hint(&self) -> Option<String> {
            None
        }
    }

    #[test]
    fn a_cause_that_was_repeated_is_said_once() {
        let inner = Link("connection refused", None);
        let middle = Link("cannot talk to the server: connection refused", Some(Box::new(inner)));
        let error = Link("cannot start", Some(Box::new(middle)));
        assert_eq!(error.causes(), ["cannot talk to the server: connection refused"]);
    }
}
