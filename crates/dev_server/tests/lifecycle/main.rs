//! Starts real servers in temporary projects. What a test needs and this machine lacks makes it count as ignored, with
//! the reason.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
#![expect(clippy::print_stdout, reason = "a test's child process answers on stdout")]

mod cache;
mod child;
mod container;
mod damage;
mod local;
mod mishaps;
mod need;
mod places;
mod project;
mod starts;

use std::process::ExitCode;

use libtest_mimic::{Arguments, Completion, Trial};

use crate::need::Need;

fn main() -> ExitCode {
    if let Some(code) = child::main() {
        return code;
    }
    let trials = [
        starts::trials(),
        places::trials(),
        mishaps::trials(),
        damage::trials(),
        local::trials(),
        cache::trials(),
        container::trials(),
    ];
    libtest_mimic::run(&Arguments::from_args(), trials.into_iter().flatten().collect()).exit_code()
}

/// A test that runs where this machine has what it needs.
fn trial(name: &str, needs: &'static [Need], test: fn()) -> Trial {
    Trial::ignorable_test(name, move || {
        if let Some(reason) = needs.iter().find_map(|need| need.missing()) {
            return Ok(Completion::ignored_with(reason));
        }
        test();
        Ok(Completion::Completed)
    })
}
