//! A program run in a real terminal: what it printed and when, what could be seen of it, and a picture of that.
//!
//! | Module | Holds |
//! |---|---|
//! | [`recording`] | a run: the bytes with their times, the answers that were typed, the exit code |
//! | [`replay`] | what somebody in front of that terminal has seen, and what is left on it |
//! | [`escapes`] | the control sequences in what was printed |
//! | [`svg`] | the run as an animated picture |
//!
//! `canvas` is the terminal itself, `film` its contents over time.
#![warn(missing_docs)]

mod canvas;
pub mod escapes;
mod film;
pub mod recording;
pub mod replay;
pub mod svg;

pub use recording::{Recording, Terminal, record};
pub use replay::Replay;
