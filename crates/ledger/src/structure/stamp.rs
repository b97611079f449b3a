//! `pg_attver`: a stamp that newer minor releases keep among a column's options, for themselves.
//!
//! It is another one for each table and each change of a column's type, so it says nothing about a schema. A `pg_dump` of
//! the same age leaves it out; an older one prints it, and a server that does not know it refuses it.

use std::borrow::Cow;

use super::token::{Token, significant};

const STAMP: &str = "pg_attver";

/// A statement without the stamps that it sets; none if it does nothing else.
pub(super) fn without(sql: &str) -> Option<Cow<'_, str>> {
    let tokens = significant(sql);
    if !tokens.first().is_some_and(|first| first.is("ALTER")) || !tokens.iter().any(is_stamp) {
        return Some(Cow::Borrowed(sql));
    }
    let (head, actions) = tokens.split_at(after_the_name(&tokens));
    let kept: Vec<String> = separated(actions).into_iter().filter_map(|action| action_without(sql, action)).collect();
    let (Some(name), false) = (head.last(), kept.is_empty()) else { return None };
    let end = tokens.last().filter(|last| last.is_symbol(";")).map_or("", |last| last.text);
    Some(Cow::Owned(format!("{} {}{end}", &sql[..name.end()], kept.join(", "))))
}

/// An action without stamps; none if it sets nothing else.
fn action_without(sql: &str, action: &[Token<'_>]) -> Option<String> {
    let (Some(first), Some(last)) = (action.first(), action.last()) else { return None };
    let whole = &sql[first.start..last.end()];
    let begins = |pair: &[Token<'_>]| (pair[0].is("SET") || pair[0].is("RESET")) && pair[1].is_symbol("(");
    let Some(open) = action.windows(2).position(begins).filter(|_| last.is_symbol(")")) else {
        return Some(whole.to_owned());
    };
    let options = separated(&action[open + 2..action.len() - 1]);
    let kept: Vec<&str> = options
        .into_iter()
        .filter(|option| !option.first().is_some_and(is_stamp))
        .filter_map(|option| Some(&sql[option.first()?.start..option.last()?.end()]))
        .collect();
    (!kept.is_empty()).then(|| format!("{}{})", &sql[first.start..action[open + 1].end()], kept.join(", ")))
}

fn is_stamp(token: &Token<'_>) -> bool {
    token.name().is_some_and(|name| name == STAMP)
}

/// How many tokens name what is altered: `ALTER TABLE IF EXISTS ONLY public.t`.
fn after_the_name(tokens: &[Token<'_>]) -> usize {
    const BEFORE: [&str; 9] = ["ALTER", "FOREIGN", "MATERIALIZED", "TABLE", "VIEW", "INDEX", "IF", "EXISTS", "ONLY"];
    let mut at = tokens.iter().take_while(|token| BEFORE.iter().any(|word| token.is(word))).count() + 1;
    while tokens.get(at).is_some_and(|token| token.is_symbol(".")) {
        at += 2;
    }
    at.min(tokens.len())
}

/// What the commas outside parentheses separate; without a last semicolon.
fn separated<'t, 'a>(tokens: &'t [Token<'a>]) -> Vec<&'t [Token<'a>]> {
    let mut depth = 0_i32;
    let end = tokens.len() - usize::from(tokens.last().is_some_and(|last| last.is_symbol(";")));
    let separates = |token: &Token<'_>| {
        depth += i32::from(token.is_symbol("(")) - i32::from(token.is_symbol(")"));
        depth == 0 && token.is_symbol(",")
    };
    tokens[..end].split(separates).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stamp_goes_and_what_is_beside_it_stays() {
        for (sql, left) in [
            ("ALTER TABLE ONLY public.t ALTER COLUMN c SET (pg_attver=123);", None),
            ("ALTER TABLE ONLY public.t ALTER COLUMN \"C d\" SET (\"pg_attver\"='a,b');", None),
            ("ALTER FOREIGN TABLE public.t ALTER COLUMN c SET (pg_attver=1);", None),
            ("ALTER TABLE t ALTER c RESET (pg_attver);", None),
            (
                "ALTER TABLE ONLY public.t ALTER COLUMN c SET (n_distinct=5, pg_attver=123);",
                Some("ALTER TABLE ONLY public.t ALTER COLUMN c SET (n_distinct=5);"),
            ),
            (
                "ALTER TABLE ONLY public.t ALTER COLUMN c SET (pg_attver=123, n_distinct=-0.5, n_distinct_inherited=7);",
                Some("ALTER TABLE ONLY public.t ALTER COLUMN c SET (n_distinct=-0.5, n_distinct_inherited=7);"),
            ),
            (
                "ALTER TABLE public.t ALTER COLUMN a SET (pg_attver=1), ALTER COLUMN b SET NOT NULL, ALTER COLUMN c SET (pg_attver=2, n_distinct=3)",
                Some("ALTER TABLE public.t ALTER COLUMN b SET NOT NULL, ALTER COLUMN c SET (n_distinct=3)"),
            ),
            ("ALTER TABLE public.pg_attver ALTER COLUMN pg_attver SET (pg_attver=1);", None),
        ] {
            assert_eq!(without(sql).as_deref(), left, "{sql}");
        }
    }

    #[test]
    fn nothing_else_is_touched() {
        for sql in [
            "ALTER TABLE ONLY public.t  ALTER COLUMN c SET (n_distinct=5);",
            "ALTER TABLE public.t ADD COLUMN pg_attver integer;",
            "ALTER TABLE public.t ALTER COLUMN pg_attver SET (n_distinct=5);",
            "ALTER TABLE public.t ALTER COLUMN c SET DEFAULT '(pg_attver=1)';",
            "COMMENT ON TABLE public.t IS 'ALTER TABLE t ALTER COLUMN c SET (pg_attver=1);';",
            "CREATE TABLE public.t (pg_attver integer);",
        ] {
            assert_eq!(without(sql).as_deref(), Some(sql));
        }
    }
}
