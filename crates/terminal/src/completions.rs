//! Completion of the command line. A shell asks the program itself, by a variable of the environment: what is completed is
//! what the program takes.

use std::env;
use std::ffi::OsString;
use std::io::{Result, Write};
use std::path::Path;

use clap::{CommandFactory, ValueEnum};
use clap_complete::CompleteEnv;
use clap_complete::env::{self as shells, EnvCompleter, Fish, Shells, Zsh};

/// A shell that can ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Shell {
    /// Bash 4.4 or newer, as a rule with bash-completion.
    Bash,
    /// Zsh, after `compinit`.
    Zsh,
    /// fish.
    Fish,
}

/// Answers a shell that asks by the variable, and ends the process; does nothing where none has asked. The variable is one of
/// the program's own: who runs it with what another tool has set must get what he has asked for.
///
/// A program that is run by its name needs no more: `source <(VARIABLE=bash program)`.
pub fn answer<C: CommandFactory>(variable: &'static str) {
    CompleteEnv::with_factory(C::command).var(variable).shells(Shells(&[&Bash, &Zsh, &Fish])).complete();
}

/// The library's, but for a program in a folder with a space in its name: the one there makes quotes within quotes.
struct Bash;

impl EnvCompleter for Bash {
    fn name(&self) -> &'static str {
        shells::Bash.name()
    }

    fn is(&self, name: &str) -> bool {
        shells::Bash.is(name)
    }

    fn write_registration(
        &self,
        variable: &str,
        name: &str,
        command: &str,
        program: &str,
        script: &mut dyn Write,
    ) -> Result<()> {
        let mut written = Vec::new();
        shells::Bash.write_registration(variable, name, command, "PROGRAM", &mut written)?;
        let written = String::from_utf8_lossy(&written).replace("\"PROGRAM\"", &quoted(program));
        script.write_all(written.as_bytes())
    }

    fn write_complete(
        &self,
        command: &mut clap::Command,
        words: Vec<OsString>,
        folder: Option<&Path>,
        answer: &mut dyn Write,
    ) -> Result<()> {
        shells::Bash.write_complete(command, words, folder, answer)
    }
}

/// What a shell has to read once to ask this very program about `cargo ALIAS`.
///
/// # Errors
/// When the program cannot tell where it lies.
pub fn of_cargo_alias(alias: &str, variable: &str, shell: Shell) -> Result<String> {
    script(&env::current_exe()?.to_string_lossy(), alias, variable, shell)
}

fn script(program: &str, alias: &str, variable: &str, shell: Shell) -> Result<String> {
    let (completer, hook): (Option<&dyn EnvCompleter>, _) = match shell {
        Shell::Bash => (Some(&Bash), BASH_HOOK),
        Shell::Zsh => (Some(&Zsh), ZSH_HOOK),
        Shell::Fish => (None, FISH_HOOK),
    };
    let mut script = Vec::new();
    if let Some(completer) = completer {
        completer.write_registration(variable, alias, alias, program, &mut script)?;
    }
    let hook = hook.replace("ALIAS", alias).replace("VARIABLE", variable);
    Ok(String::from_utf8_lossy(&script).into_owned() + &hook.replace("PROGRAM", &quoted(program)))
}

/// Understood alike by the three shells.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

/// `cargo` keeps what completed it before; only the alias goes to its program, which gets the words after `cargo`.
const BASH_HOOK: &str = r#"
_cargo_ALIAS_others=$(complete -p cargo 2>/dev/null)
if [[ -z $_cargo_ALIAS_others ]]; then
    for _cargo_ALIAS_loader in _comp_load _completion_loader; do
        declare -F $_cargo_ALIAS_loader >/dev/null && $_cargo_ALIAS_loader cargo >/dev/null 2>&1
    done
    _cargo_ALIAS_others=$(complete -p cargo 2>/dev/null)
fi
if [[ $_cargo_ALIAS_others == *" -F "* && $_cargo_ALIAS_others != *" -F _cargo_ALIAS "* ]]; then
    _cargo_ALIAS_before=${_cargo_ALIAS_others#* -F }
    _cargo_ALIAS_before=${_cargo_ALIAS_before%% *}
fi
_cargo_ALIAS() {
    if [[ ${COMP_WORDS[1]} != ALIAS || $COMP_CWORD -lt 2 ]]; then
        [[ -n ${_cargo_ALIAS_before-} ]] && "$_cargo_ALIAS_before" "$@"
        return
    fi
    [[ -x PROGRAM ]] || return
    local COMP_WORDS=("${COMP_WORDS[@]:1}") COMP_CWORD=$((COMP_CWORD - 1))
    _clap_complete_ALIAS ALIAS "$2" "$3"
}
complete -o bashdefault -o default -F _cargo_ALIAS cargo
"#;

const ZSH_HOOK: &str = r#"
[[ ${_comps[cargo]-} != _cargo_ALIAS ]] && typeset -g _cargo_ALIAS_before=${_comps[cargo]-}
function _cargo_ALIAS() {
    if [[ $words[2] != ALIAS ]] || (( CURRENT < 3 )); then
        [[ -n $_cargo_ALIAS_before ]] && $_cargo_ALIAS_before "$@"
        return
    fi
    shift words
    (( CURRENT-- ))
    _clap_dynamic_completer_ALIAS
}
compdef _cargo_ALIAS cargo
"#;

const FISH_HOOK: &str = r#"complete --command cargo --condition 'test (count (commandline --current-process --tokenize --cut-at-cursor)) -ge 2; and test (commandline --current-process --tokenize --cut-at-cursor)[2] = ALIAS' --keep-order --exclusive --arguments "(VARIABLE=fish PROGRAM -- (commandline --current-process --tokenize --cut-at-cursor)[2..] (commandline --current-token))"
"#;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_may_hold_spaces_and_quotes() {
        let calls = |program, shell| {
            let script = script(program, "xtask", "XTASK_COMPLETE", shell).unwrap();
            let calls = script.lines().filter(|line| line.contains(" -- ") && !line.contains("[["));
            calls.map(|line| line.trim().to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(calls("/my projects/xtask", Shell::Bash), [r#"'/my projects/xtask' -- "${words[@]}" \"#]);
        assert_eq!(calls("/it's/xtask", Shell::Bash), [r#"'/it'\''s/xtask' -- "${words[@]}" \"#]);
        assert_eq!(calls("/my projects/xtask", Shell::Zsh), [r#"'/my projects/xtask' -- "${words[@]}" 2>/dev/null \"#]);
        assert!(calls("/my projects/xtask", Shell::Fish)[0].contains("=fish '/my projects/xtask' -- "));
    }
}
