//! Ctrl-C. Work on databases ends in good order by itself; everything else, a server's start or a program that is waited for,
//! ends here, with a word.

use std::process::exit;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use terminal::Failure as _;
use terminal::console::Console;
use tokio::signal::unix::{SignalKind, signal};

use crate::error::Error;

/// Somebody else ends the run.
static IS_AWAITED: AtomicBool = AtomicBool::new(false);

/// From now on Ctrl-C is answered. Where it cannot be, it ends the process as ever.
#[expect(clippy::disallowed_methods, reason = "main waits for another program, and holds nothing that must be dropped")]
pub(crate) fn watch(console: &'static Console) {
    let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() else { return };
    // Here, not in the thread: it holds from now on.
    let Ok(mut interrupts) = runtime.block_on(async { signal(SignalKind::interrupt()) }) else { return };
    thread::spawn(move || {
        runtime.block_on(async {
            while interrupts.recv().await.is_some() {
                if !IS_AWAITED.load(Ordering::SeqCst) {
                    console.done();
                    console.error(&Error::Interrupted);
                    exit(i32::from(Error::Interrupted.exit().code()));
                }
            }
        });
    });
}

/// The next Ctrl-C, for who ends the run in good order. From then on none is answered here.
pub(crate) async fn awaited() -> Error {
    IS_AWAITED.store(true, Ordering::SeqCst);
    // Without a way to hear of it, it ends the process.
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending::<()>().await;
    }
    Error::Interrupted
}
