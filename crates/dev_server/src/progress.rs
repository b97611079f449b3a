//! Telling what is going on.

/// Told what begins, before anything that takes a while.
pub type Progress<'a> = &'a dyn Fn(&str);
