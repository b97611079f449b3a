//! The command line. An error in it quotes what was typed, and that may be a database URL in a place where none belongs.

use std::process::ExitCode;

use clap::Parser;

use crate::console::Console;

/// The command line of this process.
///
/// # Errors
/// The exit code to end with, after the help, the version or the error was printed.
pub fn parse<C: Parser>(console: &Console) -> Result<C, ExitCode> {
    C::try_parse().map_err(|error| {
        if !error.use_stderr() {
            error.exit();
        }
        let mut secrets: Vec<String> = std::env::args_os().filter_map(|word| secret(&word.to_string_lossy())).collect();
        // The longest first: one may be a part of another.
        secrets.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
        let hidden = |text: String| secrets.iter().fold(text, |text, secret| text.replace(secret, "***"));
        let text = error.render();
        console.usage(&hidden(text.to_string()), &hidden(text.ansi().to_string()));
        if !secrets.is_empty() {
            console.usage(HINT, HINT);
        }
        ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(1))
    })
}

const HINT: &str = "\nhint: a database URL is passed by `DATABASE_URL`, or by `--database-url`";

/// What must not be shown of a word: all of a URL but its scheme, and all of what may be a login.
fn secret(word: &str) -> Option<String> {
    let value = match word.split_once('=') {
        Some((name, value)) if name.starts_with('-') => value,
        _ => word,
    };
    let secret = match value.split_once("://") {
        Some((_, rest)) => rest,
        None if value.contains('@') || value.contains("password=") => value,
        None => return None,
    };
    (!secret.is_empty()).then(|| secret.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_hold_a_password_is_hidden() {
        for (word, hidden) in [
            ("postgres://u:p@h/d", Some("u:p@h/d")),
            ("--port=postgres://u:p@h/d", Some("u:p@h/d")),
            ("postgres://u:p=w@h/d", Some("u:p=w@h/d")),
            ("u:p@h:5432/d", Some("u:p@h:5432/d")),
            ("host=h password=p", Some("host=h password=p")),
            ("--layers=ecto", None),
            ("postgres://", None),
            ("code_files", None),
        ] {
            assert_eq!(secret(word).as_deref(), hidden, "{word}");
        }
    }
}
