//! The ends of messages that depend on what was found.

use std::path::Path;

use crate::process::quoted_tail;
use crate::rejection::Rejection;

pub(super) fn log_end(tail: &str) -> String {
    if tail.is_empty() { "says nothing".to_owned() } else { format!("ends with{}", quoted_tail(tail)) }
}

pub(super) fn listed(rejections: &[Rejection]) -> String {
    quoted_tail(&rejections.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))
}

pub(super) fn versions(found: &[String]) -> String {
    match found {
        [] => "no PostgreSQL is".to_owned(),
        [one] => format!("only {one} is"),
        many => format!("only {} are", many.join(", ")),
    }
}

pub(super) fn script_outcome(script: Option<&Path>) -> String {
    match script {
        Some(script) => format!("`{}` failed", script.display()),
        None => "the project has no script that makes it".to_owned(),
    }
}
