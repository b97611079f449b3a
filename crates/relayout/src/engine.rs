//! Taking a job through its phases, each of them a transaction or a series of them, so that a kill loses at most one batch;
//! the next run goes on from the journal `db_service.relayout_job`.

use std::time::Duration;

use database::change::change;
use database::statement::{self, LockMode, set_lock_timeout};
use database::{DatabaseLock, Statement, Worker};
use terminal::Finding;
use terminal::activity::{Activity, Watcher};

use crate::brake::Braked;
use crate::budget::Budget;
use crate::error::Error;
use crate::job::{Job, Phase, range};
use crate::layout::{Layout, Shape};
use crate::phase::catching_up::Swap;
use crate::phase::machine::{Duty, Work, duty};
use crate::phase::{abandoned, backfilling, catching_up, indexing, swapped};
use crate::preflight;
use crate::table::definition::Definition;
use crate::vacuum;

/// Where and with what jobs are done.
#[derive(Clone, Copy, Debug)]
pub struct Engine<'a> {
    /// Of the database that is worked on.
    pub lock: &'a DatabaseLock,
    /// For copies and index builds.
    pub budget: Budget,
    /// What is free on the server's disk, as far as somebody has said it.
    pub free_disk: Option<u64>,
    /// How long transactions are waited for that began before the last rows were copied, and before the swap.
    pub patience: Duration,
    /// Told what is going on.
    pub watcher: &'a dyn Watcher,
}

impl Engine<'_> {
    /// [`Engine::patience`] where nobody has said otherwise.
    pub const PATIENCE: Duration = Duration::from_secs(30);
}

/// How a run ended that did not fail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum JobEnd {
    /// A job came to its end, or as near to it as open transactions let it.
    Done(Change),
    /// A job was given up, because another layout was declared or the table altered since it began. The table is as it
    /// was; its layout is to be read again.
    Abandoned,
}

/// What a job has brought about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The layout that the table has now.
    pub shape: Shape,
    /// Rows copied by the backfill.
    pub rows: i64,
    /// For how long the swap held its lock; none if an earlier run had swapped.
    pub locked: Option<Duration>,
    /// How much writers were slowed down, so that the swap could be had at all.
    pub braked: Option<Braked>,
    /// Transactions that began before the swap are still open: the next run finishes the rest.
    pub unfinished: bool,
}

/// What became of a phase's work.
enum Worked {
    /// The statements are next.
    Ready(Vec<range::Range>),
    /// Work, statements and move were done in one: how long the table was locked, and how much writers were slowed down.
    Moved(Duration, Option<Braked>),
    /// The table was altered meanwhile.
    Altered,
    /// Something was made from the table meanwhile that has to go first.
    Refused(Vec<Finding>),
    /// The new form is not what the table is.
    Unequal(Vec<Finding>),
    /// Somebody has to end a transaction first.
    Waiting,
}

impl Engine<'_> {
    /// Finishes the job that is on its way for a table, or else goes one step from its actual layout towards the desired one.
    ///
    /// # Errors
    /// [`Error::Refused`] before anything is touched; [`Error::Outrun`]; [`Error::Differs`] when the comparison finds a
    /// difference, in which case both forms are kept; else what the server said, and the next run goes on.
    pub async fn run(&self, worker: &mut Worker, layout: &Layout) -> Result<JobEnd, Error> {
        let failed = self.failed(&layout.table);
        let mut job = match Job::unfinished(worker, &layout.table).await.map_err(&failed)? {
            Some(job) if job.phase < Phase::Swapped && !job.leads_to(&layout.desired) => {
                return self.abandon(job, worker).await;
            }
            Some(job) => job,
            None => self.plan(worker, layout).await?,
        };
        let activity = self.watcher.began(&format!("{} {}", self.database(), job.table));
        let activity = activity.as_ref();
        let (mut locked, mut braked, mut unfinished) = (None, None, false);
        while let Some(duty) = duty(job.phase) {
            match self.work(duty.work, &job, worker, activity).await? {
                Worked::Ready(ranges) => {
                    activity.phase(duty.doing, None);
                    self.advance(&mut job, worker, &duty, &ranges).await?;
                }
                Worked::Moved(time, slower) => {
                    job.phase = duty.next;
                    (locked, braked) = (Some(time), slower);
                }
                Worked::Altered => {
                    activity.phase("starting anew, since it was altered", None);
                    return self.abandon(job, worker).await;
                }
                Worked::Refused(findings) => return Err(self.refused(&job.table, findings)),
                Worked::Unequal(findings) => {
                    let refused = self.refused(&job.table, findings);
                    self.abandon(job, worker).await?;
                    return Err(refused);
                }
                Worked::Waiting => {
                    unfinished = true;
                    break;
                }
            }
        }
        let rows = range::rows_copied(&job, worker).await.map_err(&failed)?;
        Ok(JobEnd::Done(Change { shape: job.target, rows, locked, braked, unfinished }))
    }

    async fn plan(&self, worker: &mut Worker, layout: &Layout) -> Result<Job, Error> {
        let table = &layout.table;
        let failed = Error::during(&format!("plan the layout of table `{table}`"), self.database());
        let findings = preflight::obstacles(worker, layout, self.free_disk).await.map_err(&failed)?;
        let definition = Definition::read(worker, &layout.public()).await.map_err(&failed)?;
        match definition {
            Some(definition) if findings.is_empty() => {
                Job::next(layout, definition).enter(worker).await.map_err(&failed)
            }
            _ => Err(self.refused(table, findings)),
        }
    }

    async fn work(&self, work: Work, job: &Job, worker: &mut Worker, activity: &dyn Activity) -> Result<Worked, Error> {
        let (lock, budget, table) = (self.lock, self.budget, &job.table);
        match work {
            Work::Nothing => {}
            Work::Divide => {
                activity.phase("dividing", None);
                return backfilling::divide(job, worker).await.map(Worked::Ready).map_err(self.failed(table));
            }
            Work::Copy => backfilling::copy(lock, worker, budget, job, activity).await?,
            Work::BuildIndexes => indexing::build(lock, worker, job, budget, activity).await?,
            Work::Swap => {
                let (swap, braked) = catching_up::run(lock, worker, budget, job, self.patience, activity).await?;
                return match swap {
                    Some(Swap::Done(time)) => Ok(Worked::Moved(time, braked)),
                    Some(Swap::Altered) => Ok(Worked::Altered),
                    Some(Swap::Refused(findings)) => Ok(Worked::Refused(findings)),
                    Some(Swap::Unequal(findings)) => Ok(Worked::Unequal(findings)),
                    None => Err(Error::Outrun { table: table.clone(), database: self.database().to_owned() }),
                };
            }
            Work::Compare => {
                if !swapped::is_settled(lock, worker, budget, job, self.patience, activity).await? {
                    return Ok(Worked::Waiting);
                }
            }
        }
        Ok(Worked::Ready(Vec::new()))
    }

    /// Runs a phase's statements and moves the job on, in one transaction; asks for locks in short attempts.
    async fn advance(
        &self,
        job: &mut Job,
        worker: &mut Worker,
        duty: &Duty,
        ranges: &[range::Range],
    ) -> Result<(), Error> {
        self.transact(job, worker, &(duty.statements)(job), ranges, duty.next).await?;
        job.phase = duty.next;
        Ok(())
    }

    /// Gives a job up and takes away what it has made. The table itself is as it was.
    async fn abandon(&self, job: Job, worker: &mut Worker) -> Result<JobEnd, Error> {
        self.transact(&job, worker, &abandoned::statements(&job), &[], Phase::Abandoned).await?;
        Ok(JobEnd::Abandoned)
    }

    async fn transact(
        &self,
        job: &Job,
        worker: &mut Worker,
        statements: &[Statement],
        ranges: &[range::Range],
        next: Phase,
    ) -> Result<(), Error> {
        let is_strong = |it: &Statement| it.lock.as_ref().is_some_and(|lock| lock.mode > LockMode::AccessShare);
        let locks_others = statements.iter().any(is_strong);
        let done = change(worker, async |connection, timeout| {
            if locks_others {
                vacuum::hold_off(connection, &job.public()).await?;
            }
            set_lock_timeout(connection, timeout).await?;
            statement::execute(connection, statements).await?;
            range::enter(job, ranges, connection).await?;
            job.advance(connection, next).await
        });
        done.await.map_err(self.failed(&job.table))
    }

    fn database(&self) -> &str {
        self.lock.url().database()
    }

    fn refused(&self, table: &str, findings: Vec<Finding>) -> Error {
        Error::refused(self.database(), table, findings)
    }

    fn failed(&self, table: &str) -> impl Fn(sqlx::Error) -> Error + use<> {
        Error::during(&format!("change the layout of table `{table}`"), self.database())
    }
}
