//! The command line.

use clap::{Parser, Subcommand};

use crate::advise::Advise;
use crate::analyze::Analyze;
use crate::calibrate::Calibrate;
use crate::create_index::CreateIndex;
use crate::declare::Declare;
use crate::filters::Filters;
use crate::layout::{Merge, Revert, Split};
use crate::maintain::Maintain;
use crate::search::Search;
use crate::stats::Stats;
use crate::work::{Braking, Work};

/// Brings the performance layer of Singularity's database up to date
///
/// Without a command: checks that Ecto's migrations are all applied, applies the layer's own, then brings the tables into
/// the layouts that these declare, while the tables are in use. Runs again at no cost
/// and may be killed at any moment; the next run finishes the work.
///
/// Exit codes: 0 done or nothing to do, 1 failed, 2 usage, 3 pending work (`plan`, `status`, `verify`, `--dry-run`), 4 a rule is broken, 130
/// interrupted.
///
/// Bash completes it after `source <(MIGRATIONS_COMPLETE=bash migrations)`, Zsh the same with its name, fish after
/// `MIGRATIONS_COMPLETE=fish migrations | source`.
#[derive(Debug, Parser)]
#[command(name = "migrations", version)]
pub(crate) struct Options {
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
    #[command(flatten)]
    pub(crate) target: Target,
    /// Those that stand before a command, too.
    #[command(flatten)]
    work: Work,
}

/// What every command takes.
#[derive(Debug, clap::Args)]
pub(crate) struct Target {
    /// Database to work on, `postgres://user:password@host:5432/database`; default: what the variable `DATABASE_URL` holds
    #[arg(long, global = true, value_name = "URL")]
    pub(crate) database_url: Option<String>,
    /// Print the outcome as JSON on stdout
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// Give every object a line of its own, also those that were unchanged
    #[arg(long, short, global = true)]
    pub(crate) verbose: bool,
}

impl Options {
    /// What was said behind the command, else what was said before it.
    pub(crate) fn work(&self) -> Work {
        let of_command = match &self.command {
            Some(Command::Plan(Plan { braking, .. })) => Work::from(*braking),
            Some(Command::CreateIndex(create)) => Work::from(create.waiting),
            Some(Command::Filters(filters)) => Work::from(filters.waiting),
            Some(
                Command::Layout(Declare { choice, .. })
                | Command::Split(Split { choice, .. })
                | Command::Merge(Merge { choice, .. })
                | Command::Revert(Revert { choice, .. }),
            ) => choice.work,
            Some(
                Command::Status
                | Command::Verify
                | Command::Search(_)
                | Command::Analyze(_)
                | Command::Calibrate(_)
                | Command::Stats(_)
                | Command::Answers
                | Command::Maintain(_)
                | Command::Advise(_),
            )
            | None => Work::default(),
        };
        of_command.or(self.work)
    }
}

#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Plan {
    /// Print SQL and nothing else on stdout: the pending migrations for psql, and as comments what moves rows
    #[arg(long, conflicts_with = "json")]
    pub(crate) sql: bool,
    #[command(flatten)]
    braking: Braking,
}

#[derive(Clone, Debug, Subcommand)]
pub(crate) enum Command {
    /// Show what a run would do; exit code 3 if there is something
    Plan(Plan),
    /// Show the ledgers, and of each table the layout that is wanted and is there, its rows and sizes
    Status,
    /// Check layouts, indexes and what may be left of unfinished work; exit code 4 if something is not as it should be
    ///
    /// Exit code 3 if a table does not have the layout that is declared for it.
    Verify,
    /// Show the layout of every table, or bring one table into another, while it is in use
    ///
    /// A layout is how a table's rows are stored: in one plain table, or in leaves. A leaf is a table below it (a partition)
    /// that holds the repositories of one share of all hashes.
    ///
    /// Without `--table`: the layout that is wanted, and the one that there is; exit code 3 if they differ.
    Layout(Declare),
    /// Split leaves that hold too many rows, while they are in use
    ///
    /// A leaf is a table below the one that is searched (a partition) that holds the repositories of one share of all hashes.
    ///
    /// Without `--leaf`: those that hold more than twice what `db_service.layout_policy` says. `--dry-run` shows what each holds.
    Split(Split),
    /// Make one leaf of several again, while they are in use
    Merge(Merge),
    /// Build an index beside the writers, also on a partitioned table, where `concurrently: true` is refused
    ///
    /// For the index of an Ecto migration that says `create_if_not_exists index(…)`: build it first, then deploy that.
    CreateIndex(CreateIndex),
    /// Find code that is similar to a stored path, or near to a vector, in one repository or across all of them
    ///
    /// Shows cosine distance, repository and path, nearest first, and how they were found: `exact` compares every row,
    /// `hnsw` takes a leaf's index, `halfvec` and `bits` the codes across repositories, `merge-append` the indexes of all leaves.
    Search(Box<Search>),
    /// Ask about all rows: how much there is, what is there twice, what is nearly the same
    ///
    /// The leaves are read over several connections, all of which see the same moment; writers go on.
    Analyze(Analyze),
    /// Measure how many candidates the indexes have to be asked for on the data at hand, and keep that for all searches
    ///
    /// Searches for vectors between two stored ones, compares what is found with comparing everything, and takes the least that finds 95 of 100
    /// (`fast`) and 99 of 100 (`balanced`) of the nearest. Until its end, searches go on as before.
    Calibrate(Calibrate),
    /// Show what queries took, by type and over time, as `rag_performance_stats` has it
    Stats(Stats),
    /// Show what the answers of language models in `llm_semantic_cache` have saved by being found again, by model
    Answers,
    /// Do all that is due now and then; for cron, a timer, or after a restart of the server
    ///
    /// Folds what writers have appended, rotates cached results, deletes what is older than it is kept, and after a restart reads the
    /// indexes that are used most into the server's memory. A second run at once does nothing. Nothing waits for it.
    Maintain(Maintain),
    /// Say what this database would be better for: the layer, which parts of it, memory, another pgvector, another machine
    ///
    /// Measured from the server's catalogs and statistics, as far as the role may see them; no row is read, nothing is written. Each
    /// point has its figures, its reason, and the commands. Exit code 0, whatever is advised.
    Advise(Advise),
    /// Show the filter that knows the contents of all repositories: how full it is, how often it is wrong, how old
    ///
    /// Whoever imports files asks it which of them need not be looked for (`db_service::dedup`). It is off until `--on`.
    Filters(Filters),
    /// Make plain tables of partitioned ones again, while they are in use; no row is lost
    Revert(Revert),
}

impl Command {
    /// It works on what the layer has declared.
    pub(crate) fn needs_layer(&self) -> bool {
        matches!(
            self,
            Self::Verify | Self::Layout(_) | Self::Split(_) | Self::Merge(_) | Self::Filters(_) | Self::Revert(_)
        )
    }

    /// It changes the database. To plan an index, an empty temporary table is made.
    pub(crate) fn writes(&self) -> bool {
        match self {
            Self::Plan(_)
            | Self::Status
            | Self::Verify
            | Self::Search(_)
            | Self::Analyze(_)
            | Self::Stats(_)
            | Self::Answers
            | Self::Advise(_) => false,
            Self::Layout(Declare { choice, table, .. }) => table.is_some() && !choice.dry_run,
            Self::Split(Split { choice, .. })
            | Self::Merge(Merge { choice, .. })
            | Self::Revert(Revert { choice, .. }) => !choice.dry_run,
            Self::Filters(filters) => filters.wish().is_some(),
            Self::CreateIndex(_) | Self::Calibrate(_) => true,
            Self::Maintain(maintain) => !maintain.dry_run,
        }
    }

    pub(crate) fn name(command: Option<&Self>) -> &'static str {
        match command {
            None => "migrations",
            Some(Self::Plan(_)) => "migrations plan",
            Some(Self::Status) => "migrations status",
            Some(Self::Verify) => "migrations verify",
            Some(Self::Layout(_)) => "migrations layout",
            Some(Self::Split(_)) => "migrations split",
            Some(Self::Merge(_)) => "migrations merge",
            Some(Self::CreateIndex(_)) => "migrations create-index",
            Some(Self::Search(_)) => "migrations search",
            Some(Self::Analyze(_)) => "migrations analyze",
            Some(Self::Calibrate(_)) => "migrations calibrate",
            Some(Self::Stats(_)) => "migrations stats",
            Some(Self::Answers) => "migrations answers",
            Some(Self::Maintain(_)) => "migrations maintain",
            Some(Self::Advise(_)) => "migrations advise",
            Some(Self::Filters(_)) => "migrations filters",
            Some(Self::Revert(_)) => "migrations revert",
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    /// The long options that the help of a command shows.
    fn shown(name: &str) -> Vec<String> {
        let mut program = Options::command();
        program.build();
        let command = program.find_subcommand(name).unwrap();
        let visible = command.get_arguments().filter(|argument| !argument.is_hide_set());
        visible.filter_map(|argument| argument.get_long()).map(str::to_owned).collect()
    }

    fn options(line: &str) -> Result<Options, clap::Error> {
        Options::try_parse_from(line.split(' '))
    }

    #[test]
    fn a_command_shows_only_what_it_reads() {
        let everywhere = ["database-url", "json", "verbose", "help"];
        let own = |name| {
            let mut shown = shown(name);
            shown.retain(|option| !everywhere.contains(&option.as_str()) && option != "version");
            shown.sort();
            shown
        };
        assert_eq!(own("status"), [""; 0]);
        assert_eq!(own("verify"), [""; 0]);
        assert_eq!(own("advise"), ["latency", "memory", "users"]);
        assert_eq!(own("plan"), ["brake", "sql"]);
        assert_eq!(own("filters"), ["lock-timeout", "off", "on", "rebuild"]);
        let work = ["brake", "free-disk", "index-memory", "jobs", "lock-timeout", "patience", "yes"];
        for (name, more) in [("revert", &["dry-run", "table"][..]), ("merge", &["dry-run", "leaf", "table"])] {
            let mut expected = [&work[..], more].concat();
            expected.sort_unstable();
            assert_eq!(own(name), expected);
        }
        assert!(own("create-index").contains(&"lock-timeout".to_owned()));
        assert!(!own("create-index").contains(&"jobs".to_owned()));
    }

    #[test]
    fn options_may_stand_before_the_command_and_count_less_than_those_behind_it() {
        let work = options("migrations --jobs 3 --brake 7 --yes revert --jobs 4").unwrap().work();
        assert_eq!((work.budget().jobs, work.budget().brake.as_millis(), work.yes), (4, 7, true));
        assert!(options("migrations revert --yes --json --database-url postgres://h/d").unwrap().target.json);
        assert!(options("migrations --json status").unwrap().target.json);
        assert!(options("migrations plan --sql").is_ok());
        assert!(options("migrations plan --sql --json").is_err());
        assert!(options("migrations status --yes").is_err());
        assert!(options("migrations filters --on --rebuild").is_err());
    }
}
