//! `structure.sql`: what Ecto's migrations make, as a dump that is the same whoever takes it.
//!
//! The form is that of `mix ecto.dump`: the output of `pg_dump --schema-only`, then a row of `schema_migrations` for each
//! version. What differs from server to server and from run to run is left out: comments with versions, the session
//! settings at the top, the random `\restrict` token, comments on extensions (which only their owner may write).

use std::fmt::Write as _;

/// The start of the lines that record a version, in Ecto's own form.
const VERSION_LINE: &str = "INSERT INTO public.\"schema_migrations\" (version) VALUES (";

/// Makes a dump comparable: takes the text of `pg_dump --schema-only --no-owner --no-acl` and the applied versions.
#[must_use]
pub fn normalise(dump: &str, versions: &[i64]) -> String {
    let mut text = String::new();
    let mut after_blank = true;
    let mut in_statement = false;
    for line in dump.lines().map(str::trim_end) {
        if !in_statement && (line.is_empty() || is_noise(line)) {
            after_blank = true;
            continue;
        }
        if after_blank && !in_statement && !text.is_empty() {
            text.push('\n');
        }
        text += line;
        text.push('\n');
        in_statement = !line.ends_with(';');
        after_blank = !in_statement;
    }
    if !versions.is_empty() {
        text.push('\n');
    }
    for version in versions {
        writeln!(text, "{VERSION_LINE}{version});").expect("writing to a string succeeds");
    }
    text
}

/// The Ecto versions that a `structure.sql` records.
#[must_use]
pub fn versions(structure: &str) -> Vec<i64> {
    let version = |line: &str| line.strip_prefix(VERSION_LINE)?.strip_suffix(");")?.parse().ok();
    structure.lines().filter_map(version).collect()
}

fn is_noise(line: &str) -> bool {
    const STARTS: [&str; 5] = ["--", "\\", "SET ", "SELECT pg_catalog.set_config(", "COMMENT ON EXTENSION "];
    STARTS.iter().any(|start| line.starts_with(start))
}

#[cfg(test)]
mod tests {
    use super::*;

    const DUMP: &str = "--\n-- PostgreSQL database dump\n--\n\n\\restrict abc\n\n-- Dumped from database version 18.6\n\nSET lock_timeout = 0;\nSELECT pg_catalog.set_config('search_path', '', false);\n\n--\n-- Name: t; Type: TABLE\n--\n\nCREATE TABLE public.t (\n    a text DEFAULT '\n-- no comment\n'\n);\n\n\nCOMMENT ON EXTENSION vector IS 'x';\n\n\nALTER TABLE ONLY public.t\n    ADD CONSTRAINT t_pkey PRIMARY KEY (a);\n\n\\unrestrict abc\n";

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
}
