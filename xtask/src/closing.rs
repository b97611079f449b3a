//! The last lines of a set-up: what there is now, and what to do with it.

use terminal::console::Console;

use crate::server::TargetServer;
use crate::target;

/// What people look for next, on the development server.
const NEXT: [(&str, &str); 3] = [
    ("look into it", "cargo xtask db-server psql"),
    ("its password", "cargo xtask db-server url"),
    ("its state", "cargo xtask db-status"),
];

/// The same on a server of others, where `DATABASE_URL` holds the URL, or could.
const NEXT_ELSEWHERE: (&str, &str) = ("its state", "cargo xtask db-status");

/// Says it, in one line where there was nothing to do.
pub(crate) fn say(server: &TargetServer, changed: bool, console: &Console) {
    let targets = target::choose(&server.named, None);
    if let Some(target) = targets.first() {
        console.next(&format!("Ready: {}", target.url));
    }
    let next: &[(&str, &str)] = if server.is_ours() { &NEXT } else { &[NEXT_ELSEWHERE] };
    for (purpose, command) in next.iter().filter(|_| changed) {
        console.next(&format!("  {purpose:13} {command}"));
    }
}
