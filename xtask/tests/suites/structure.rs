//! `structure.sql`: what a dump may hold, who makes it, and what becomes of one of the wrong database.

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::Stdio;

use crate::Verdict::{self, Passed};
use crate::command::{self, Run, migrations, path_with, project_copy, stand_in_mix, xtask_command};
use crate::database::{Database, Stage};
use crate::server::{TestServer, project};

crate::tests![
    a_dump_in_normal_form_makes_the_same_again,
    what_is_for_psql_and_stamps_are_left_out_of_a_load,
    a_dump_of_the_layer_is_refused_before_it_is_loaded,
    a_dump_of_the_layer_that_was_loaded_by_hand_is_named,
    an_older_pg_dump_is_refused,
];

/// What a careless reader of SQL takes apart.
const CARELESS: &str = r#"
CREATE FUNCTION public.careful() RETURNS text LANGUAGE plpgsql AS $careful$
BEGIN
  PERFORM 1;

-- a comment; and a line that looks like a setting:
SET LOCAL work_mem = '64kB';
  RETURN $$ ; '
\restrict is no command here
$$;
END
$careful$;
CREATE FUNCTION public.before_its_table() RETURNS bigint LANGUAGE sql AS $$ SELECT count(*) FROM public.code_files $$;
CREATE FUNCTION public.atomic() RETURNS integer LANGUAGE sql BEGIN ATOMIC
  SELECT 1; SELECT CASE WHEN true THEN 2 END;
END;
CREATE TABLE public."odd;

-- name" ("a;b" text DEFAULT E'\';

-- text');
COMMENT ON TABLE public."odd;

-- name" IS 'ends with a blank 
and; goes on';
CREATE RULE two AS ON DELETE TO public."odd;

-- name" DO ALSO (SELECT 1; SELECT 2);
"#;

fn load(structure: &str, database: &Database<'_>) -> Run {
    let folder = tempfile::tempdir().unwrap();
    let copy = project_copy(folder.path());
    fs::write(copy.join("singularity_app/priv/repo/structure.sql"), structure).unwrap();
    let url = database.url_text();
    let arguments = ["db-setup", "--layers", "ecto", "--ecto", "load", "--database-url", &url];
    command::run(xtask_command(&copy, &arguments))
}

fn committed() -> String {
    fs::read_to_string(project().join("singularity_app/priv/repo/structure.sql")).unwrap()
}

fn a_dump_in_normal_form_makes_the_same_again(server: &TestServer) -> Verdict {
    let database = Database::at(server, Stage::Ecto);
    database.execute(CARELESS);
    let dump = database.dump();
    let again = Database::empty(server);
    load(&dump, &again).succeeds();
    assert_eq!(again.dump(), dump);
    let sources = "SELECT string_agg(prosrc, '|' ORDER BY proname) FROM pg_proc WHERE proname = 'careful'";
    assert_eq!(again.text(sources), database.text(sources));
    let comment = "SELECT obj_description(oid) FROM pg_class WHERE relname LIKE 'odd%'";
    assert_eq!(again.text(comment), database.text(comment));
    Passed
}

fn what_is_for_psql_and_stamps_are_left_out_of_a_load(server: &TestServer) -> Verdict {
    let database = Database::empty(server);
    // Newer minors stamp columns themselves; no server takes a stamp that it is told.
    let more = "ALTER TABLE ONLY public.code_files ALTER COLUMN language SET (n_distinct=5, pg_attver=1764000000);\n\
         ALTER TABLE ONLY public.code_files ALTER COLUMN content SET (pg_attver=1764000001);\n\n\
         COPY public.tool_knowledge (server_name, tool_name, description) FROM stdin;\na;b\tt\tit's $$\n\\.\n\n\
         CREATE TABLE public.last (a text);\n\n\\unrestrict k3y\n";
    load(&format!("\\restrict k3y\n\n{}\n{more}", committed()), &database).succeeds();
    assert_eq!(database.text("SELECT server_name || description FROM tool_knowledge"), "a;bit's $$");
    assert!(database.truth("SELECT to_regclass('public.last') IS NOT NULL"));
    let options = "SELECT string_agg(attname || ' ' || option, ' ') FROM pg_attribute, unnest(attoptions) option
         WHERE attrelid = 'code_files'::regclass AND (option NOT LIKE 'pg_attver=%' OR option LIKE 'pg_attver=176400000_')";
    assert_eq!(database.text(options), "language n_distinct=5");
    Passed
}

fn a_dump_of_the_layer_is_refused_before_it_is_loaded(server: &TestServer) -> Verdict {
    let layered = Database::at(server, Stage::All);
    let database = Database::empty(server);
    load(&layered.dump(), &database)
        .exits(4)
        .says("cannot load `structure.sql`: it was dumped from a database that has the performance layer: `CREATE SCHEMA db_service;`")
        .says("hint: its migrations would not find their own work recorded: write the file by `cargo xtask db-structure`");
    assert!(!database.truth("SELECT to_regclass('public.schema_migrations') IS NOT NULL"));
    Passed
}

fn a_dump_of_the_layer_that_was_loaded_by_hand_is_named(server: &TestServer) -> Verdict {
    let layered = Database::at(server, Stage::All);
    let database = Database::empty(server);
    let mut psql = database.psql();
    psql.args(["--quiet", "-v", "ON_ERROR_STOP=1"]).stdin(Stdio::piped());
    let mut child = psql.spawn().unwrap();
    // The normal form has no settings; pg_dump sets this one, since it writes functions before tables.
    let dump = format!("SET check_function_bodies = off;\n{}", layered.dump());
    child.stdin.take().unwrap().write_all(dump.as_bytes()).unwrap();
    assert!(child.wait().unwrap().success());
    let url = database.url_text();
    migrations(&url, &[])
        .exits(1)
        .says("(SQLSTATE 42P07)")
        .says("in a database that was loaded from a dump of one that has the layer: `DROP SCHEMA db_service CASCADE`, then run");
    database.execute("DROP SCHEMA db_service CASCADE");
    migrations(&url, &[]).succeeds();
    migrations(&url, &["verify"]).succeeds();
    Passed
}

fn an_older_pg_dump_is_refused(server: &TestServer) -> Verdict {
    let folder = tempfile::tempdir().unwrap();
    let copy = project_copy(folder.path());
    let bin = stand_in_mix(folder.path(), "exit 0");
    program(&bin.join("pg_dump"), "echo 'pg_dump (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)'");
    let postgres = server.named("postgres");
    let version = postgres
        .text("SELECT (v / 10000) || '.' || v % 10000 FROM (SELECT current_setting('server_version_num')::int) s(v)");
    let mut command = xtask_command(&copy, &["db-structure", "--check", "--database-url", &postgres.url_text()]);
    command.env("PATH", path_with(&bin));
    command::run(command).exits(1).says(&format!("`pg_dump` 15.18 is older than the server, {version}"));
    Passed
}

fn program(path: &Path, script: &str) {
    use std::os::unix::fs::PermissionsExt as _;
    fs::write(path, format!("#!/bin/sh\n{script}\n")).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
}
