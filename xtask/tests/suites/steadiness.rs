//! Tests that fail only while others use the machine.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Mutex, PoisonError, RwLock};

use crate::{Verdict, message};

/// Suites whose tests look for what happens seldom: there, one failure is one too many.
const BY_CHANCE: [&str; 3] = ["::killed::", "::kinds::", "::older::"];

/// Held shared by every test that runs, and alone by one that is tried again.
static BESIDE_OTHERS: RwLock<()> = RwLock::new(());

/// Those that failed beside others and passed alone.
static UNSTEADY: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// Runs a test. What fails while others use the machine is tried once more, alone; if it passes then, it is named at the end,
/// with its first failure, so that somebody makes it steady.
pub(crate) fn run(name: &str, test: impl Fn() -> Verdict) -> Result<Verdict, String> {
    let caught = || catch_unwind(AssertUnwindSafe(&test)).map_err(|panic| message(&panic));
    let first = {
        let _others = BESIDE_OTHERS.read().unwrap_or_else(PoisonError::into_inner);
        caught()
    };
    let Err(why) = first else { return first };
    if BY_CHANCE.iter().any(|suite| name.contains(suite)) {
        return Err(why);
    }
    let _alone = BESIDE_OTHERS.write().unwrap_or_else(PoisonError::into_inner);
    let second = caught().map_err(|again| format!("{why}\nonce more, alone: {again}"))?;
    UNSTEADY.lock().unwrap_or_else(PoisonError::into_inner).push(format!("{name}\n{why}"));
    Ok(second)
}

pub(crate) fn say() {
    for failure in std::mem::take(&mut *UNSTEADY.lock().unwrap_or_else(PoisonError::into_inner)) {
        eprintln!("unsteady, failed beside others and passed alone: {failure}");
    }
}
