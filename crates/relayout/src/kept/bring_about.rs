//! Putting the triggers of a table on, and taking them off.

use database::change::change;
use database::quote::literal;
use database::statement::LockMode::{AccessExclusive, ShareRowExclusive};
use database::statement::{self, set_lock_timeout};
use database::{Relation, Statement, Worker};

use super::{Declared, Found, Kept};
use crate::table::kept_trigger;
use crate::vacuum;

impl Kept {
    /// What brings it about, in one transaction. Empty where there is nothing to do. Pure.
    #[must_use]
    pub fn statements(&self) -> Vec<Statement> {
        if self.is_reached() {
            return Vec::new();
        }
        let public = Relation::public(&self.table);
        let superfluous: Vec<Statement> = self
            .found
            .iter()
            .flat_map(|it| kept_trigger::take_off(&it.relation, self.superfluous(it).into_iter()))
            .collect();
        // The strongest at once, in the order in which writers lock: the table, then what is below it.
        let (mode, why) = if superfluous.is_empty() {
            (ShareRowExclusive, "whoever writes has ended, and nobody begins")
        } else {
            (AccessExclusive, "whoever reads or writes has ended, and nobody begins")
        };
        let mut statements =
            vec![Statement::new(why, format!("LOCK TABLE {public} IN {mode} MODE")).locking(mode, &public)];
        statements.extend(superfluous);
        let missing = |it: &Found| kept_trigger::put_on(&it.relation, self.missing(it).into_iter());
        statements.extend(self.found.iter().flat_map(missing));
        statements.extend(
            self.begun()
                .into_iter()
                .map(|function| Statement::new("what was written before was not noted", format!("SELECT {function}"))),
        );
        let (table, in_place) = (literal(&self.table), self.is_in_leaves);
        let sql = format!(
            "UPDATE db_service.kept_trigger SET in_place = {in_place} WHERE table_name = {table} AND in_place <> {in_place}"
        );
        statements.push(Statement::new("whether they are there, for whoever relies on them", sql));
        statements
    }

    /// Brings it about.
    ///
    /// # Errors
    /// When the lock is not to be had, or a statement fails.
    pub async fn bring_about(&self, worker: &mut Worker) -> Result<(), sqlx::Error> {
        let (public, statements) = (Relation::public(&self.table), self.statements());
        change(worker, async |connection, timeout| {
            vacuum::hold_off(connection, &public).await?;
            set_lock_timeout(connection, timeout).await?;
            statement::execute(connection, &statements).await
        })
        .await
    }

    /// What is to be called because some that it begins were not there, or were not known to be; each once.
    fn begun(&self) -> Vec<&str> {
        let lacks = |declared: &Declared| {
            !declared.in_place || self.found.iter().any(|found| self.missing(found).contains(&&declared.trigger))
        };
        let mut begun: Vec<&str> = self.wanted().filter(|it| lacks(it)).map(|it| it.begun_by.as_str()).collect();
        begun.sort_unstable();
        begun.dedup();
        begun
    }
}
