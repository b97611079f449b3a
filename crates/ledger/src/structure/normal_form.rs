//! A dump that is the same whoever takes it.
//!
//! The form is that of `mix ecto.dump`: the output of `pg_dump --schema-only`, then a row of `schema_migrations` for each
//! version. What differs from server to server and from run to run is left out: comments with versions, the session
//! settings at the top, the lines for psql with their random key, comments on extensions (which only their owner may
//! write), and stamps.

use std::fmt::Write as _;

use super::script::{Part, pieces};
use super::stamp;
use super::token::{Token, significant};

/// The start of the statements that record a version, in Ecto's own form.
const VERSION: &str = "INSERT INTO public.\"schema_migrations\" (version) VALUES (";

/// Makes a dump comparable: takes the text of `pg_dump --schema-only --no-owner --no-acl` and the applied versions.
#[must_use]
pub fn normalise(dump: &str, versions: &[i64]) -> String {
    let mut text = String::new();
    let mut stands_apart = false;
    for piece in pieces(dump) {
        stands_apart |= piece.stands_apart;
        let kept = match piece.part {
            Part::Statement(sql) if !is_noise(sql) => stamp::without(sql),
            Part::Rows { statement, rows } => Some(format!("{statement}\n{rows}\\.").into()),
            Part::Statement(_) | Part::Command(_) => None,
        };
        let Some(kept) = kept else {
            stands_apart = true;
            continue;
        };
        if stands_apart && !text.is_empty() {
            text.push('\n');
        }
        text += &kept;
        text.push('\n');
        stands_apart = false;
    }
    if !versions.is_empty() {
        text.push('\n');
    }
    for version in versions {
        writeln!(text, "{VERSION}{version});").expect("writing to a string succeeds");
    }
    text
}

/// The Ecto versions that a `structure.sql` records.
#[must_use]
pub fn versions(structure: &str) -> Vec<i64> {
    let version = |sql: &str| sql.strip_prefix(VERSION)?.strip_suffix(");")?.parse().ok();
    statements(structure).filter_map(version).collect()
}

/// The first line of the first statement that names a schema of this kind, if one does.
#[must_use]
pub fn naming(structure: &str, is_schema: impl Fn(&str) -> bool) -> Option<&str> {
    let names = |sql: &&str| {
        let tokens = significant(sql);
        let is = |token: &Token<'_>| token.name().is_some_and(|name| is_schema(&name));
        tokens.windows(2).any(|pair| (pair[1].is_symbol(".") && is(&pair[0])) || (pair[0].is("SCHEMA") && is(&pair[1])))
    };
    statements(structure).find(names)?.lines().next()
}

fn statements(structure: &str) -> impl Iterator<Item = &str> {
    pieces(structure).into_iter().filter_map(|piece| match piece.part {
        Part::Statement(sql) => Some(sql),
        Part::Rows { .. } | Part::Command(_) => None,
    })
}

fn is_noise(sql: &str) -> bool {
    const STARTS: [&str; 3] = ["SET ", "SELECT pg_catalog.set_config(", "COMMENT ON EXTENSION "];
    STARTS.iter().any(|start| sql.starts_with(start))
}

#[cfg(test)]
mod tests {
    use super::*;

    const DUMP: &str = "--\n-- PostgreSQL database dump\n--\n\n\\restrict abc\n\n-- Dumped from database version 18.6\n\nSET lock_timeout = 0;\nSELECT pg_catalog.set_config('search_path', '', false);\n\n--\n-- Name: t; Type: TABLE\n--\n\nCREATE TABLE public.t (\n    a text DEFAULT '\n-- no comment\n'\n);\n\n\nCOMMENT ON EXTENSION vector IS 'x';\n\n\nALTER TABLE ONLY public.t\n    ADD CONSTRAINT t_pkey PRIMARY KEY (a);\nALTER TABLE ONLY public.t ALTER COLUMN a SET (pg_attver=7);\n\n\\unrestrict abc\n";

    #[test]
    fn what_varies_is_left_out_and_what_counts_stays() {
        let text = normalise(DUMP, &[20_251_005, 20_251_005_030_000]);
        assert_eq!(
            text,
            "CREATE TABLE public.t (\n    a text DEFAULT '\n-- no comment\n'\n);\n\nALTER TABLE ONLY public.t\n    ADD CONSTRAINT t_pkey PRIMARY KEY (a);\n\nINSERT INTO public.\"schema_migrations\" (version) VALUES (20251005);\nINSERT INTO public.\"schema_migrations\" (version) VALUES (20251005030000);\n"
        );
        assert_eq!(versions(&text), [20_251_005, 20_251_005_030_000]);
    }

    #[test]
    fn a_normal_form_is_its_own_normal_form() {
        let once = normalise(DUMP, &[]);
        assert_eq!(normalise(&once, &[]), once);
    }

    #[test]
    fn what_is_quoted_stays_as_it_is() {
        for statement in [
            "CREATE FUNCTION public.f() RETURNS void\n    LANGUAGE plpgsql\n    AS $$\nBEGIN\n  PERFORM 1;  \n\n\n-- why\nSET x = 1;\n\\restrict y\nCOMMENT ON EXTENSION z IS '';\nEND\n$$;",
            "CREATE FUNCTION public.g() RETURNS integer\n    LANGUAGE sql\n    BEGIN ATOMIC\n SELECT 1;\n\n SELECT 2;\nEND;",
            "COMMENT ON TABLE public.t IS 'a;\n\n-- b \n';",
            "COMMENT ON TABLE public.t IS E'a\\';\n\n-- b';",
            "CREATE TABLE public.\"a;\n\n-- b\" (\n    c text\n);",
            "CREATE RULE r AS\n    ON INSERT TO public.t DO (DELETE FROM public.a;\n\n DELETE FROM public.b;\n);",
            "COPY public.t (a) FROM stdin;\na;\n\n-- b\nSET x = 1;\n\\.",
        ] {
            let text = format!("{statement}\n\nCREATE TABLE public.z (\n    c text\n);\n");
            assert_eq!(
                normalise(
                    &text.replace("\n\nCREATE TABLE public.z", "\n\n\n--\n-- z\n--\n\nCREATE TABLE public.z"),
                    &[]
                ),
                text
            );
        }
    }

    #[test]
    fn schemas_are_known_by_their_names_where_these_stand_for_one() {
        let first = |text| naming(text, |name| name == "db_service");
        assert_eq!(first("SELECT 1;\n\nCREATE SCHEMA db_service;"), Some("CREATE SCHEMA db_service;"));
        assert_eq!(first("CREATE TABLE \"db_service\".t (\n    a text\n);"), Some("CREATE TABLE \"db_service\".t ("));
        assert_eq!(first("CREATE TABLE t (db_service text);\n-- db_service.t\nSELECT 'db_service.t';"), None);
    }

    #[test]
    fn a_version_in_a_text_is_none() {
        assert_eq!(versions(&format!("SELECT $$\n{VERSION}1);\n$$;")), Vec::<i64>::new());
    }
}
