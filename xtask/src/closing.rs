//! The last lines of a set-up: what there is now, and what to do with it.

use terminal::console::Console;

use crate::server::TargetServer;
use crate::target;

/// What people look for next, on the development server.
const NEXT: [(&str, &str); 3] = [
    ("cargo xtask db-server psql", "opens psql on it"),
    ("cargo xtask db-server url", "prints its URL with the password"),
    (
        "DATABASE_URL=$(cargo xtask db-server url) cargo run --bin migrations -- status",
        "shows how its tables are stored",
    ),
];

/// The same on a server of others, where everybody knows the password.
const NEXT_ELSEWHERE: (&str, &str) =
    ("cargo run --bin migrations -- status", "shows how its tables are stored, with its URL in `DATABASE_URL`");

/// Says it, in one line where there was nothing to do.
pub(crate) fn say(server: &TargetServer, changed: bool, console: &Console) {
    let targets = target::choose(&server.named, None);
    if let Some(target) = targets.first() {
        console.next(&format!("Ready: {}", target.url));
    }
    let next: &[(&str, &str)] = if server.is_ours() { &NEXT } else { &[NEXT_ELSEWHERE] };
    for (command, purpose) in next.iter().filter(|_| changed) {
        console.next(&format!("  `{command}` {purpose}"));
    }
}
