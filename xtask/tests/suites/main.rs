//! The suites of the three layers, each on every kind of server that can be had: embedded, in a container, and the one
//! that `TEST_DATABASE_URL` names. What cannot run is counted as ignored, with its reason.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]
#![expect(clippy::print_stderr, reason = "which servers take part is shown above the tests")]

mod advice;
mod advised;
mod all;
mod analysis;
mod answer_hits;
mod answers;
mod bootstrap;
mod calibration;
mod changed_files;
mod codes;
mod command;
mod completions;
mod concurrent_index;
mod convergence;
mod damaged;
mod database;
mod db_status;
mod dependents;
mod disk;
mod documented;
mod ecto;
mod ecto_on_partitions;
mod elixir;
mod failures;
mod few_locks;
mod killed;
mod kinds;
mod known_contents;
mod known_contents_damaged;
mod known_contents_elsewhere;
mod known_contents_model;
mod leaves;
mod maintenance;
mod older;
mod oracle;
mod own_server;
mod plan;
mod pooler;
mod prepared;
mod query_cache;
mod random;
mod relay;
mod relayout;
mod result_cache;
mod result_cache_misses;
mod result_cache_model;
mod result_cache_processes;
mod rights;
mod role;
mod search;
mod search_model;
mod search_plans;
mod searchable;
mod searchers;
mod secrets;
mod seed;
mod server;
mod shared_url;
mod situations;
mod sizing;
mod sqlx_layer;
mod statistics;
mod steadiness;
mod structure;
mod tally;
mod transcripts;
mod triggers;
mod twins;
mod vchordrq;
mod versions;
mod weekly;
mod weeks;
mod weeks_kept_up;
mod words;
mod worker;
mod writers;

use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use libtest_mimic::{Arguments, Completion, Failed, Trial};

use server::TestServer;

/// How a test ended that did not fail.
pub(crate) enum Verdict {
    Passed,
    /// The server or the machine lacks something.
    Skipped(String),
}

/// How many tests are named at the end, so that somebody looks at them before a run takes too long.
const SLOWEST: usize = 40;

pub(crate) type Test = Box<dyn Fn(&TestServer) -> Verdict + Send>;

/// Names tests by their functions.
#[macro_export]
macro_rules! tests {
    ($($name:ident),+ $(,)?) => {
        pub(crate) fn tests() -> Vec<(String, $crate::Test)> {
            vec![$((concat!(module_path!(), "::", stringify!($name)).to_owned(), Box::new($name) as $crate::Test)),+]
        }
    };
}

fn main() -> ExitCode {
    if let Some(url) = std::env::var_os(result_cache_processes::URL) {
        return result_cache_processes::ask(&url);
    }
    let mut arguments = Arguments::from_args();
    // Every test is a crowd of processes and connections of its own; one of them may wait for its turn.
    arguments.test_threads = arguments.test_threads.or(Some(3));
    let listing = arguments.list;
    let servers: Vec<_> =
        server::kinds().into_iter().map(|kind| (kind, server::start(kind, listing).map(Arc::new))).collect();
    let mut trials = Vec::new();
    for (kind, server) in &servers {
        for (position, (name, test)) in all_tests().into_iter().enumerate() {
            let name = name.trim_start_matches("suites::");
            trials.push((position, trial(format!("{kind}::{name}"), test, server.clone())));
        }
    }
    // The servers side by side: tests of one that take turns would keep others from running.
    trials.sort_by_key(|(position, _)| *position);
    let trials = trials.into_iter().map(|(_, trial)| trial).collect();
    for (kind, server) in &servers {
        match server {
            Ok(server) => eprintln!("{kind}: {}", server.description()),
            Err(why) => eprintln!("{kind}: left out, {why}"),
        }
    }
    let conclusion = libtest_mimic::run(&arguments, trials);
    // Stops them; `Conclusion::exit` would not.
    drop(servers);
    say_slowest();
    steadiness::say();
    conclusion.exit_code()
}

fn all_tests() -> Vec<(String, Test)> {
    let suites = [
        bootstrap::tests(),
        ecto::tests(),
        structure::tests(),
        tally::tests(),
        sqlx_layer::tests(),
        all::tests(),
        failures::tests(),
        few_locks::tests(),
        own_server::tests(),
        completions::tests(),
        secrets::tests(),
        seed::tests(),
        shared_url::tests(),
        pooler::tests(),
        killed::tests(),
        relayout::tests(),
        convergence::tests(),
        leaves::tests(),
        ecto_on_partitions::tests(),
        concurrent_index::tests(),
        plan::tests(),
        words::tests(),
        worker::tests(),
        damaged::tests(),
        db_status::tests(),
        dependents::tests(),
        disk::tests(),
        documented::tests(),
        situations::tests(),
        older::tests(),
        prepared::tests(),
        kinds::tests(),
        rights::tests(),
        vchordrq::tests(),
        versions::tests(),
        search::tests(),
        search_model::tests(),
        search_plans::tests(),
        analysis::tests(),
        answers::tests(),
        answer_hits::tests(),
        calibration::tests(),
        advice::tests(),
        sizing::tests(),
        searchers::tests(),
        codes::tests(),
        triggers::tests(),
        query_cache::tests(),
        result_cache::tests(),
        result_cache_misses::tests(),
        result_cache_model::tests(),
        result_cache_processes::tests(),
        statistics::tests(),
        weeks::tests(),
        weeks_kept_up::tests(),
        maintenance::tests(),
        changed_files::tests(),
        known_contents::tests(),
        known_contents_damaged::tests(),
        known_contents_elsewhere::tests(),
        known_contents_model::tests(),
        transcripts::tests(),
    ];
    suites.into_iter().flatten().collect()
}

fn trial(name: String, test: Test, server: Result<Arc<TestServer>, String>) -> Trial {
    Trial::ignorable_test(name.clone(), move || match &server {
        Err(why) => Ok(Completion::ignored_with(why)),
        Ok(server) => {
            let start = Instant::now();
            let end = steadiness::run(&name, || test(server));
            TIMES.lock().unwrap_or_else(PoisonError::into_inner).push((start.elapsed(), name));
            match end {
                Ok(Verdict::Passed) => Ok(Completion::Completed),
                Ok(Verdict::Skipped(why)) => Ok(Completion::ignored_with(why)),
                Err(why) => Err(Failed::from(why)),
            }
        }
    })
}

/// How long each test took, waiting for others included.
static TIMES: Mutex<Vec<(Duration, String)>> = Mutex::new(Vec::new());

fn say_slowest() {
    let mut times = std::mem::take(&mut *TIMES.lock().unwrap_or_else(PoisonError::into_inner));
    times.sort_unstable_by(|(one, _), (other, _)| other.cmp(one));
    for (time, name) in times.iter().take(SLOWEST).filter(|(time, _)| *time >= Duration::from_secs(10)) {
        eprintln!("{:5.0} s  {name}", time.as_secs_f64());
    }
}

pub(crate) fn message(panic: &Box<dyn std::any::Any + Send>) -> String {
    let text = panic.downcast_ref::<String>().cloned();
    text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()))
        .unwrap_or_else(|| "panicked".to_owned())
}
