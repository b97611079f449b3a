//! A dump as it is sent to a server: one message, unless rows stand between its statements.

use super::script::{Part, pieces};
use super::stamp;

/// What is sent at once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Batch {
    /// Statements, one after the other.
    Statements(String),
    /// A `COPY … FROM stdin`.
    Copy {
        /// The statement.
        statement: String,
        /// Its rows, in the format that it names.
        rows: String,
    },
}

/// A command for psql that does something.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line} is the command `{command}` for psql, which only psql can carry out")]
pub struct CommandError {
    /// From 1.
    pub line: usize,
    /// Its name, with the backslash.
    pub command: String,
}

/// Cuts a dump into what is sent to a server. The lines by which `pg_dump` keeps psql from running commands are left out,
/// as there is no psql; so are stamps that only the server that was dumped may know.
///
/// # Errors
/// When a command for psql is in it that would do something.
pub fn batches(structure: &str) -> Result<Vec<Batch>, CommandError> {
    let mut batches = Vec::new();
    for piece in pieces(structure) {
        match piece.part {
            Part::Statement(sql) => {
                let Some(sql) = stamp::without(sql) else { continue };
                match batches.last_mut() {
                    Some(Batch::Statements(text)) => {
                        text.push('\n');
                        *text += &sql;
                    }
                    _ => batches.push(Batch::Statements(sql.into_owned())),
                }
            }
            Part::Rows { statement, rows } => {
                batches.push(Batch::Copy { statement: statement.to_owned(), rows: rows.to_owned() });
            }
            Part::Command(line) => {
                let command = line.split_whitespace().next().unwrap_or(line);
                if !matches!(command, "\\restrict" | "\\unrestrict") {
                    return Err(CommandError { line: piece.line, command: command.to_owned() });
                }
            }
        }
    }
    Ok(batches)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn statements(text: &str) -> Batch {
        Batch::Statements(text.to_owned())
    }

    #[test]
    fn all_statements_are_one_message_but_for_rows_between_them() {
        let text =
            "\\restrict k\nSET x = 1;\n-- a\nDO $$ ; $$;\nCOPY t FROM stdin;\n1\n\\.\nSELECT 1;\n\\unrestrict k\n";
        let copy = Batch::Copy { statement: "COPY t FROM stdin;".into(), rows: "1\n".into() };
        assert_eq!(batches(text), Ok(vec![statements("SET x = 1;\nDO $$ ; $$;"), copy, statements("SELECT 1;")]));
        assert_eq!(batches("-- nothing\n"), Ok(vec![]));
    }

    #[test]
    fn a_stamp_is_not_sent() {
        let text = "ALTER TABLE t ALTER COLUMN c SET (pg_attver=1);\nALTER TABLE t ALTER COLUMN d SET (n_distinct=5, pg_attver=2);";
        assert_eq!(batches(text), Ok(vec![statements("ALTER TABLE t ALTER COLUMN d SET (n_distinct=5);")]));
    }

    #[test]
    fn a_command_that_does_something_is_refused() {
        for (text, line, command) in
            [("SELECT 1;\n\n\\connect other\n", 3, "\\connect"), ("\\i more.sql", 1, "\\i"), ("\\!rm", 1, "\\!rm")]
        {
            assert_eq!(batches(text), Err(CommandError { line, command: command.into() }));
        }
        assert_eq!(batches("SELECT '\n\\connect other\n';").unwrap().len(), 1);
    }
}
