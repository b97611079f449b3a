//! What shells complete, asked of the shells themselves.

use std::path::Path;
use std::process::Command;

use crate::Verdict::{self, Passed, Skipped};
use crate::server::{TestServer, project};

crate::tests![bash_completes, zsh_completes, fish_completes];

/// What was typed so far, and a word that is offered then; none is what completed `cargo` before.
const ASKED: [(&[&str], &str); 7] = [
    (&["cargo", "xtask", "db-s"], "db-setup"),
    (&["cargo", "xtask", "db-setup", "--lay"], "--layers"),
    (&["cargo", "xtask", "db-setup", "--server", "con"], "container"),
    (&["cargo", "xtask", "db-server", "st"], "status"),
    (&["cargo", "bu"], "from-before"),
    (&["migrations", "sp"], "split"),
    (&["migrations", "advise", "--mem"], "--memory"),
];

fn bash_completes(_: &TestServer) -> Verdict {
    let script = r#"
        _before() { COMPREPLY=(from-before); }
        complete -F _before cargo
        source <("$XTASK" completions bash)
        source <("$XTASK" completions bash)
        source <(MIGRATIONS_COMPLETE=bash "$MIGRATIONS")
        COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) COMP_TYPE=9
        [[ $(complete -p "$1") =~ -F\ ([^ ]+) ]]
        "${BASH_REMATCH[1]}" "$1" "${!#}" "${COMP_WORDS[COMP_CWORD - 1]}"
        printf '%s\n' "${COMPREPLY[@]}"
    "#;
    completes("bash", &["--norc", "-c", script, "bash"])
}

fn zsh_completes(_: &TestServer) -> Verdict {
    // Outside the line editor: what would be shown there is printed.
    let script = r#"
        autoload -Uz compinit && compinit -D -u
        _describe() { print -rl -- "${(@P)argv[-1]}" }
        _before() { print from-before }
        compdef _before cargo
        source <("$XTASK" completions zsh)
        source <("$XTASK" completions zsh)
        source <(MIGRATIONS_COMPLETE=zsh "$MIGRATIONS")
        words=("$@") CURRENT=$#
        ${_comps[$1]}
    "#;
    completes("zsh", &["-f", "-c", script, "zsh"])
}

fn fish_completes(_: &TestServer) -> Verdict {
    let script = r#"
        complete --command cargo --condition 'not __fish_seen_subcommand_from xtask' --arguments 'build-from-before' --no-files
        $XTASK completions fish | source
        MIGRATIONS_COMPLETE=fish $MIGRATIONS | source
        complete --do-complete "$argv"
    "#;
    completes("fish", &["--no-config", "-c", script])
}

fn completes(shell: &str, arguments: &[&str]) -> Verdict {
    let home = tempfile::tempdir().unwrap();
    // As in a project whose path has a space and a quote.
    let folder = home.path().join("it's mine");
    std::fs::create_dir(&folder).unwrap();
    for program in ["xtask", "migrations"] {
        let built = Path::new(env!("CARGO_BIN_EXE_xtask")).with_file_name(program);
        // Not every folder is on the same disk.
        std::fs::hard_link(&built, folder.join(program))
            .or_else(|_| std::fs::copy(&built, folder.join(program)).map(drop))
            .unwrap();
    }
    for (typed, offered) in ASKED {
        let mut command = Command::new(shell);
        command.args(arguments).args(typed).env("HOME", home.path()).current_dir(project());
        command.env("XTASK", folder.join("xtask")).env("MIGRATIONS", folder.join("migrations"));
        let Ok(output) = command.output() else { return Skipped(format!("{shell} is not installed")) };
        let (said, errors) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        // Descriptions stand behind a tab or a colon.
        let words = || said.lines().map(|line| line.split(['\t', ':']).next().unwrap_or(line).trim());
        assert!(words().any(|word| word.ends_with(offered)), "{shell}: {typed:?}\n{said}\n{errors}");
        assert_eq!(errors, "", "{shell}: {typed:?}");
    }
    Passed
}
