//! `advise`: what it is told, and how it shows what it found.

use std::fmt::Write as _;
use std::time::Duration;

use db_service::advice::{self, Advice, Measured, Verdict, Wanted};
use ledger::migration::LAYER;
use serde_json::json;
use sqlx::PgConnection;
use terminal::step::{Status, Step};

use crate::problem::Problem;
use crate::search::Found;

#[derive(Clone, Copy, Debug, clap::Args)]
pub(crate) struct Advise {
    /// Memory of the server's machine, which SQL cannot see: `64GB`; else guessed from its settings, where these tell
    #[arg(long, value_name = "SIZE", value_parser = memory)]
    memory: Option<u64>,
    /// How many will search at once; else as many as are connected now
    #[arg(long, value_name = "NUMBER")]
    users: Option<u32>,
    /// How long a search may take
    #[arg(long, value_name = "MILLISECONDS", default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=60_000))]
    latency: u32,
}

/// As PostgreSQL's settings have it, in units of 1024.
fn memory(text: &str) -> Result<u64, String> {
    let digits = text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let (number, unit) = text.split_at(digits);
    let shift = match unit.trim().to_ascii_uppercase().as_str() {
        "MB" | "MIB" => 20,
        "GB" | "GIB" => 30,
        "TB" | "TIB" => 40,
        _ => return Err("it is no size like `64GB`, in MB, GB or TB".to_owned()),
    };
    let bytes = number.parse::<u64>().ok().and_then(|number| number.checked_mul(1 << shift));
    bytes.filter(|bytes| *bytes > 0).ok_or_else(|| "it is no size that a memory has".to_owned())
}

impl Advise {
    pub(crate) async fn run(self, connection: &mut PgConnection, database: &str) -> Result<Found, Problem> {
        let latency = Duration::from_millis(self.latency.into());
        let wanted = Wanted { memory: self.memory, users: self.users, latency };
        let measured = advice::measure(connection, wanted, database).await?;
        let advice = advice::advise(&measured);
        Ok(Found { steps: advice.iter().map(|it| step(database, it)).collect(), text: text(&measured, &advice) })
    }
}

fn step(database: &str, advice: &Advice) -> Step {
    let Advice { verdict, finding, figures } = advice;
    let commands: Vec<&str> = advice.commands().collect();
    let facts = json!({ "verdict": verdict.name(), "why": finding.help, "commands": commands, "figures": figures });
    Step::new(database, LAYER, "advice", finding.rule, Status::Found).detail(finding.to_string()).facts(facts)
}

/// A paragraph for each, what is to be run at its end; then how many of each there are.
fn text(measured: &Measured, advice: &[Advice]) -> String {
    let mut text = String::new();
    for it in advice {
        // A String takes whatever is written to it.
        let _ = writeln!(text, "{}: {}: {}", it.verdict, it.finding.rule, it.finding);
        for why in it.finding.help.iter().flat_map(|help| help.lines()) {
            let _ = writeln!(text, "    {why}");
        }
        for command in it.commands() {
            let _ = writeln!(text, "    `{command}`");
        }
    }
    if measured.is_standby {
        text += "this is a standby: whatever changes tables is run on its primary, and what the server counts of rows is counted there\n";
    }
    if measured.is_noted {
        text += "somebody alters a table at this moment: sizes are those that the server has noted last\n";
    }
    let count = |verdict| advice.iter().filter(|it| it.verdict == verdict).count();
    let counts =
        [Verdict::ToDo, Verdict::NotKnown, Verdict::Fine].map(|verdict| format!("{} {verdict}", count(verdict)));
    text + &counts.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_written_as_in_settings() {
        assert_eq!(memory("64GB"), Ok(64 << 30));
        assert_eq!(memory("512 MB"), Ok(512 << 20));
        assert_eq!(memory("2tb"), Ok(2 << 40));
        assert_eq!(memory("1GiB"), Ok(1 << 30));
        for wrong in ["", "64", "GB", "0GB", "-1GB", "1.5GB", "99999999999TB", "64 gigs", "64€"] {
            assert!(memory(wrong).is_err(), "{wrong}");
        }
    }
}
