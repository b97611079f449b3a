//! Databases are worked on side by side; what was done is told one database after the other.

use std::cell::RefCell;

use terminal::console::Console;
use terminal::step::Step;

/// What is told of all databases of a run.
pub(crate) struct Telling<'a> {
    console: &'a Console,
    databases: RefCell<Vec<Untold>>,
}

/// Tells of one of them.
#[derive(Clone, Copy)]
pub(crate) struct Teller<'a> {
    telling: &'a Telling<'a>,
    place: usize,
}

/// What waits until the databases before have been told.
#[derive(Clone, Default)]
struct Untold {
    steps: Vec<Step>,
    is_over: bool,
}

impl<'a> Telling<'a> {
    pub(crate) fn new(console: &'a Console, databases: usize) -> Self {
        Self { console, databases: RefCell::new(vec![Untold::default(); databases]) }
    }

    /// The one that tells of the database in this place.
    pub(crate) fn teller(&'a self, place: usize) -> Teller<'a> {
        Teller { telling: self, place }
    }

    /// Tells all that still waits: nothing more is going to happen.
    pub(crate) fn rest(&self) {
        self.databases.borrow_mut().iter_mut().for_each(|untold| untold.is_over = true);
        self.tell_in_turn();
    }

    fn tell_in_turn(&self) {
        for untold in self.databases.borrow_mut().iter_mut() {
            untold.steps.drain(..).for_each(|step| self.console.step(&step));
            if !untold.is_over {
                return;
            }
        }
    }
}

impl Teller<'_> {
    /// At once, or when it is this database's turn.
    pub(crate) fn tell(&self, step: &Step) {
        self.telling.databases.borrow_mut()[self.place].steps.push(step.clone());
        self.telling.tell_in_turn();
    }

    /// It was the last of this database.
    pub(crate) fn end(&self) {
        self.telling.databases.borrow_mut()[self.place].is_over = true;
        self.telling.tell_in_turn();
    }
}
