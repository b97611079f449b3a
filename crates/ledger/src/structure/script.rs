//! A script for psql in its parts.

use super::token::{Token, significant, tokens};

/// A part of a script.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part<'a> {
    /// With its semicolon.
    Statement(&'a str),
    /// A line for psql itself: `\restrict …`.
    Command(&'a str),
    /// A `COPY … FROM stdin`, and the lines for it, without the `\.` that ends them.
    Rows { statement: &'a str, rows: &'a str },
}

/// A part, and where it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Piece<'a> {
    pub(super) part: Part<'a>,
    /// From 1.
    pub(super) line: usize,
    /// Whether an empty line or a comment separates it from what is before it.
    pub(super) stands_apart: bool,
}

/// All parts of a script, in order. What is between them is comments and space.
pub(super) fn pieces(text: &str) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    let mut at = 0;
    let mut line = 1;
    while let Some(first) = tokens(text, at).find(Token::counts) {
        let gap = &text[at..first.start];
        let (part, end) = part(text, first);
        line += lines(gap);
        pieces.push(Piece { part, line, stands_apart: lines(gap) > 1 || !gap.trim().is_empty() });
        line += lines(&text[first.start..end]);
        at = end;
    }
    pieces
}

/// The part that begins with this token, and where it ends.
fn part<'a>(text: &'a str, first: Token<'a>) -> (Part<'a>, usize) {
    if first.is_symbol("\\") {
        let command = text[first.start..].lines().next().unwrap_or_default();
        return (Part::Command(command), first.start + command.len());
    }
    let end = statement_end(text, first.start);
    let statement = &text[first.start..end];
    if !takes_rows(statement) {
        return (Part::Statement(statement), end);
    }
    let begin = text[end..].find('\n').map_or(text.len(), |line_end| end + line_end + 1);
    let (rows, end) = rows(text, begin);
    (Part::Rows { statement, rows }, end)
}

fn lines(text: &str) -> usize {
    text.bytes().filter(|byte| *byte == b'\n').count()
}

/// The end of the statement that begins here: its semicolon, which is in no parentheses (of a rule) and no `BEGIN ATOMIC`.
fn statement_end(text: &str, start: usize) -> usize {
    let (mut parentheses, mut blocks) = (0_usize, 0_usize);
    let mut was_begin = false;
    for token in tokens(text, start).filter(Token::counts) {
        if token.is_symbol("(") {
            parentheses += 1;
        } else if token.is_symbol(")") {
            parentheses = parentheses.saturating_sub(1);
        } else if (was_begin && token.is("ATOMIC")) || (blocks > 0 && token.is("CASE")) {
            blocks += 1;
        } else if blocks > 0 && token.is("END") {
            blocks -= 1;
        } else if token.is_symbol(";") && parentheses == 0 && blocks == 0 {
            return token.end();
        }
        was_begin = token.is("BEGIN");
    }
    text.trim_end().len()
}

fn takes_rows(sql: &str) -> bool {
    let words = significant(sql);
    words.first().is_some_and(|first| first.is("COPY"))
        && words.windows(2).any(|pair| pair[0].is("FROM") && pair[1].is("STDIN"))
}

/// The lines from here up to `\.`, and where that one ends.
fn rows(text: &str, begin: usize) -> (&str, usize) {
    let mut at = begin;
    for line in text[begin..].split_inclusive('\n') {
        if line.trim_end() == "\\." {
            return (&text[begin..at], at + line.trim_end().len());
        }
        at += line.len();
    }
    (&text[begin..], text.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(text: &str) -> Vec<Part<'_>> {
        pieces(text).into_iter().map(|piece| piece.part).collect()
    }

    #[test]
    fn a_semicolon_ends_a_statement_where_nothing_holds_it() {
        for statement in [
            "SELECT 1;",
            "CREATE FUNCTION f() RETURNS void LANGUAGE plpgsql AS $$\nBEGIN\n  x := 1;\n\n-- no comment\nSET y = 1;\nEND $$;",
            "DO $a$ $$;$$ $a$;",
            "COMMENT ON TABLE t IS 'a;b''c;';",
            r"COMMENT ON TABLE t IS E'a\';b';",
            "CREATE TABLE \"a;b\" (c text);",
            "SELECT /* a; /* b; */ c; */ 1 -- d;\n;",
            "CREATE FUNCTION f() RETURNS integer LANGUAGE sql BEGIN ATOMIC SELECT 1; SELECT CASE WHEN true THEN 2 END; END;",
            "CREATE RULE r AS ON INSERT TO t DO (DELETE FROM a; DELETE FROM b);",
            // No block: `begin` is but a name here.
            "CREATE FUNCTION begin() RETURNS integer LANGUAGE sql RETURN 1;",
        ] {
            assert_eq!(
                parts(&format!("{statement} SELECT 2")),
                [Part::Statement(statement), Part::Statement("SELECT 2")]
            );
        }
    }

    #[test]
    fn lines_for_psql_and_rows_are_no_statements() {
        let text = "\\restrict a;b\n\nCOPY public.t (a) FROM stdin;\n1;\n'\\.\n$$\n\\.\n\n\n-- x\nSELECT '\n\\unrestrict y\n';\n\\unrestrict a;b\n";
        let pieces = pieces(text);
        let copy = Part::Rows { statement: "COPY public.t (a) FROM stdin;", rows: "1;\n'\\.\n$$\n" };
        let expected = [
            (Part::Command("\\restrict a;b"), 1, false),
            (copy, 3, true),
            (Part::Statement("SELECT '\n\\unrestrict y\n';"), 11, true),
            (Part::Command("\\unrestrict a;b"), 14, false),
        ];
        let found: Vec<_> = pieces.iter().map(|piece| (piece.part, piece.line, piece.stands_apart)).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn a_copy_may_have_no_rows_and_no_end() {
        let statement = "COPY t FROM stdin;";
        for text in ["COPY t FROM stdin;\n\\.\n", "COPY t FROM stdin;\n", "COPY t FROM stdin;"] {
            assert_eq!(parts(text), [Part::Rows { statement, rows: "" }]);
        }
        assert_eq!(parts("COPY t TO stdout;\nSELECT 1;").len(), 2);
    }
}
