//! What goes on at the moment, a line a job: bars below the output on a terminal, elsewhere a line now and then.

mod edge;
mod line;
mod rate;
mod terminal;

use std::io::Write as _;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use indicatif::ProgressBar;

use crate::activity::{Activity, Count};
use line::Standing;
use terminal::Terminal;

/// What is over sooner is not shown.
const SHORT: Duration = Duration::from_millis(300);
/// Nobody is left without a word for longer, where there is no terminal.
const SILENCE: Duration = Duration::from_millis(1_900);
/// Between two looks.
const TICK: Duration = Duration::from_millis(100);

/// Where it is shown.
#[derive(Debug)]
pub(crate) struct Board {
    state: Arc<Mutex<State>>,
    is_terminal: bool,
    /// Whether it looks by itself.
    has_clock: bool,
}

#[derive(Debug)]
struct State {
    started: Instant,
    /// None where there is no terminal.
    terminal: Option<Terminal>,
    jobs: Vec<Entry>,
    next: u64,
    /// Something was said then, since the board was made.
    said: Duration,
    is_ticking: bool,
    is_held: bool,
}

#[derive(Debug)]
struct Entry {
    number: u64,
    standing: Standing,
    bar: Option<ProgressBar>,
    told: Duration,
}

/// Work that goes on; its line goes when it is dropped.
#[derive(Debug)]
pub struct Job {
    state: Arc<Mutex<State>>,
    number: u64,
}

impl Board {
    /// On stderr.
    pub(crate) fn new(is_terminal: bool, colour: bool) -> Self {
        let terminal = is_terminal.then(|| Terminal::stderr(colour));
        Self::with(terminal, true)
    }

    fn with(terminal: Option<Terminal>, has_clock: bool) -> Self {
        let state = State {
            started: Instant::now(),
            terminal,
            jobs: Vec::new(),
            next: 0,
            said: Duration::ZERO,
            is_ticking: false,
            is_held: false,
        };
        Self { is_terminal: state.terminal.is_some(), state: Arc::new(Mutex::new(state)), has_clock }
    }

    /// Something has begun.
    pub(crate) fn began(&self, label: &str) -> Job {
        let mut state = locked(&self.state);
        let (now, number) = (state.started.elapsed(), state.next);
        if state.jobs.is_empty() {
            state.said = now;
        }
        state.next += 1;
        state.jobs.push(Entry { number, standing: Standing::new(label, now), bar: None, told: now });
        if self.has_clock && !state.is_ticking {
            state.is_ticking = true;
            let state = Arc::clone(&self.state);
            thread::spawn(move || while tick_again(&state) {});
        }
        Job { state: Arc::clone(&self.state), number }
    }

    /// Prints above the bars.
    pub(crate) fn beside<T>(&self, print: impl FnOnce() -> T) -> T {
        locked(&self.state).beside(print)
    }

    /// What a line begins with: on a terminal, a `^C` may have been echoed where it is to stand.
    pub(crate) fn edge(&self) -> &'static str {
        if self.is_terminal { "\r" } else { "" }
    }

    /// Nothing is drawn while somebody is asked.
    pub(crate) fn held<T>(&self, ask: impl FnOnce() -> T) -> T {
        locked(&self.state).hold(true);
        let answer = ask();
        locked(&self.state).hold(false);
        answer
    }

    /// Takes all bars away, for good.
    pub(crate) fn clear(&self) {
        locked(&self.state).hold(true);
    }
}

impl State {
    fn beside<T>(&mut self, print: impl FnOnce() -> T) -> T {
        self.said = self.started.elapsed();
        match &self.terminal {
            Some(terminal) if !self.jobs.is_empty() => terminal.bars.suspend(print),
            _ => print(),
        }
    }

    fn hold(&mut self, is_held: bool) {
        self.is_held = is_held;
        if is_held {
            self.jobs.iter_mut().filter_map(|job| job.bar.take()).for_each(|bar| bar.finish_and_clear());
        }
    }

    fn tick(&mut self, now: Duration) {
        if self.is_held {
            return;
        }
        let Some(terminal) = &self.terminal else { return self.tell(now) };
        let columns = (terminal.columns)();
        for job in &mut self.jobs {
            if now.saturating_sub(job.standing.began()) < SHORT {
                continue;
            }
            let bar = job.bar.get_or_insert_with(|| terminal.bar());
            bar.set_message(job.standing.drawn(now, columns, terminal.colour));
            bar.tick();
        }
    }

    /// After a silence, whoever was not heard of for longest.
    fn tell(&mut self, now: Duration) {
        if now.saturating_sub(self.said) < SILENCE {
            return;
        }
        if let Some(job) = self.jobs.iter_mut().min_by_key(|job| job.told) {
            job.told = now;
            let line = job.standing.plain(now);
            self.beside(|| say(&line));
        }
    }
}

impl Job {
    /// The next phase; where there is no terminal it is said at once.
    pub fn announce(&self, text: &str) {
        self.phase(text, None);
        let mut state = locked(&self.state);
        if state.terminal.is_none() && !state.is_held {
            state.beside(|| say(&format!("{text} …")));
        }
    }

    fn change(&self, change: impl FnOnce(&mut Standing, Duration)) {
        let mut state = locked(&self.state);
        let now = state.started.elapsed();
        if let Some(job) = state.jobs.iter_mut().find(|job| job.number == self.number) {
            change(&mut job.standing, now);
        }
    }
}

impl Activity for Job {
    fn phase(&self, name: &str, count: Option<Count>) {
        self.change(|standing, now| standing.phase(name, count, now));
    }

    fn advanced(&self, by: u64) {
        self.change(|standing, now| standing.advanced(by, now));
    }

    fn left(&self, left: u64) {
        self.change(|standing, now| standing.left(left, now));
    }
}

impl Drop for Job {
    fn drop(&mut self) {
        let mut state = locked(&self.state);
        let Some(place) = state.jobs.iter().position(|job| job.number == self.number) else { return };
        let job = state.jobs.remove(place);
        if let (Some(bar), Some(terminal)) = (job.bar, &state.terminal) {
            bar.finish_and_clear();
            terminal.bars.remove(&bar);
        }
    }
}

/// Whether there is something left to look at.
fn tick_again(state: &Mutex<State>) -> bool {
    thread::sleep(TICK);
    let mut state = locked(state);
    let now = state.started.elapsed();
    state.tick(now);
    state.is_ticking = !state.jobs.is_empty();
    state.is_ticking
}

fn say(line: &str) {
    // A closed stderr is no reason to stop.
    drop(writeln!(std::io::stderr(), "{line}"));
}

fn locked(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::activity::Unit;
    use indicatif::{InMemoryTerm, MultiProgress, ProgressDrawTarget, TermLike as _};

    fn board(columns: u16, width: fn() -> usize) -> (Board, InMemoryTerm) {
        let screen = InMemoryTerm::new(10, columns);
        let bars = MultiProgress::with_draw_target(ProgressDrawTarget::term_like(Box::new(screen.clone())));
        (Board::with(Some(Terminal { bars, columns: width, colour: false }), false), screen)
    }

    fn tick(board: &Board, seconds: u64) {
        // Drawing is limited to some frames a second.
        thread::sleep(TICK);
        locked(&board.state).tick(Duration::from_secs(seconds));
    }

    #[test]
    fn each_job_has_a_line_of_its_own_and_takes_it_along() {
        let (board, screen) = board(60, || 60);
        let first = board.began("dev code_files");
        let second = board.began("test embeddings");
        first.phase("copying", Some(Count::about(Unit::Rows, 0, 1_000)));
        first.advanced(500);
        second.phase("building indexes", Some(Count::of(Unit::Indexes, 80)));
        second.advanced(51);
        tick(&board, 5);
        let lines = screen.contents();
        let lines: Vec<&str> = lines.lines().collect();
        assert_eq!(lines.len(), 2, "{lines:?}");
        assert!(lines[0].contains("dev code_files  copying") && lines[0].contains("500/~1000 rows"), "{lines:?}");
        assert!(lines[1].contains("test embeddings  building indexes"), "{lines:?}");
        drop(first);
        assert!(!screen.contents().contains("code_files"), "{}", screen.contents());
        board.beside(|| screen.write_line("Converted layout").unwrap());
        tick(&board, 6);
        let contents = screen.contents();
        assert!(contents.starts_with("Converted layout\n") && contents.contains("51/80"), "{contents}");
        drop(second);
        assert_eq!(screen.contents(), "Converted layout");
    }

    #[test]
    fn nothing_is_left_behind_and_nothing_comes_after() {
        let (board, screen) = board(40, || 40);
        let job = board.began("a database with a very long name indeed");
        job.phase("waiting for older transactions", None);
        tick(&board, 0);
        assert_eq!(screen.contents(), "", "it may be over at once");
        tick(&board, 5);
        assert_eq!(screen.contents().lines().count(), 1, "{}", screen.contents());
        board.clear();
        tick(&board, 6);
        job.phase("copying", None);
        assert_eq!(screen.contents(), "");
    }
}
