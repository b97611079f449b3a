//! What makes each kind.

/// What makes a kind, statement by statement. `{a}` and `{b}` are roles, `{d}` the database.
pub(super) struct Making {
    pub(super) kind: &'static str,
    pub(super) statements: &'static [&'static str],
    /// What is said of it where it is refused.
    pub(super) said: &'static str,
}

const fn making(kind: &'static str, said: &'static str, statements: &'static [&'static str]) -> Making {
    Making { kind, statements, said }
}

pub(super) const MAKINGS: &[Making] = &[
    making("owner", "", &["ALTER TABLE code_files OWNER TO {a}", "GRANT CREATE ON SCHEMA public TO {a}"]),
    making("grants", "", &[
        "GRANT SELECT, INSERT ON code_files TO {a} WITH GRANT OPTION",
        "SET ROLE {a}; GRANT SELECT ON code_files TO {b}; RESET ROLE",
        "REVOKE TRIGGER ON code_files FROM CURRENT_USER",
    ]),
    making("column-grants", "", &["GRANT UPDATE (content), SELECT (id) ON code_files TO {b} WITH GRANT OPTION"]),
    making("default-privileges", "", &["ALTER DEFAULT PRIVILEGES GRANT ALL ON TABLES TO {b}"]),
    making("table-comment", "", &["COMMENT ON TABLE code_files IS 'it''s'"]),
    making("tablespace", "", &["\\tablespace", "ALTER TABLE code_files SET TABLESPACE {d}"]),
    making("column-comment", "", &["COMMENT ON COLUMN code_files.language IS 'x'"]),
    making("column-default", "", &["ALTER TABLE code_files ADD k1 text DEFAULT 'it''s %I', ALTER language SET DEFAULT upper('x')"]),
    making("generated-column", "", &["ALTER TABLE code_files ADD k2 integer GENERATED ALWAYS AS (size_bytes * 2) STORED"]),
    making("column-statistics", "", &[
        "ALTER TABLE code_files ALTER language SET STATISTICS 7, ALTER repo_name SET (n_distinct = -0.2, n_distinct_inherited = 5)",
    ]),
    making("column-storage", "", &[
        "ALTER TABLE code_files ALTER content SET STORAGE EXTERNAL, ALTER language SET COMPRESSION pglz",
        "ALTER TABLE embeddings ALTER embedding SET STORAGE EXTENDED",
    ]),
    making("column-collation", "", &["ALTER TABLE code_files ADD k3 text COLLATE \"C\""]),
    making("column-type", "", &[
        "CREATE TYPE k4 AS ENUM ('a', 'b')",
        "CREATE DOMAIN k5 AS text CHECK (value <> '')",
        "ALTER TABLE code_files ADD k4 k4 DEFAULT 'a', ADD k5 k5, ADD k6 integer[], ADD k7 numeric(7, 2)",
    ]),
    making("sequence", "", &["CREATE SEQUENCE k8 OWNED BY code_files.id", "SELECT setval('k8', 4711)", "ALTER TABLE code_files ADD k8 serial"]),
    making("check", "", &[
        "ALTER TABLE code_files ADD CONSTRAINT k9 CHECK (size_bytes > -1)",
        "COMMENT ON CONSTRAINT k9 ON code_files IS 'x'",
        "COMMENT ON CONSTRAINT code_files_pkey ON code_files IS 'the key'",
    ]),
    making("check-not-validated", "", &[
        "ALTER TABLE code_files ADD CONSTRAINT k10 CHECK (size_bytes < 5) NOT VALID",
        "COMMENT ON CONSTRAINT k10 ON code_files IS 'y'",
    ]),
    making("foreign-key", "", &[
        "CREATE TABLE k11 (name text PRIMARY KEY)",
        "INSERT INTO k11 VALUES ('rust')",
        "ALTER TABLE code_files ADD CONSTRAINT k11 FOREIGN KEY (language) REFERENCES k11 ON DELETE SET NULL DEFERRABLE",
        "COMMENT ON CONSTRAINT k11 ON code_files IS 'z'",
    ]),
    making("unique", "", &[
        "ALTER TABLE code_files ADD CONSTRAINT k12 UNIQUE NULLS NOT DISTINCT (repo_name, file_path, language) INCLUDE (id)",
        "CREATE UNIQUE INDEX k13 ON code_files (repo_name, lower(file_path))",
    ]),
    making("key-options", "", &[
        "ALTER TABLE code_files DROP CONSTRAINT code_files_pkey",
        "ALTER TABLE code_files ADD CONSTRAINT code_files_pkey PRIMARY KEY (repo_name, file_path) INCLUDE (id) WITH (fillfactor = 70)",
    ]),
    making("index", "", &[
        "CREATE INDEX k14 ON code_files (size_bytes DESC NULLS LAST) INCLUDE (language) WITH (fillfactor = 60) WHERE size_bytes > 1",
        "CREATE INDEX k15 ON code_files USING brin (inserted_at) WITH (pages_per_range = 8)",
        "CREATE INDEX k16 ON code_files USING hash (content_hash)",
        "CREATE INDEX k17 ON code_files USING spgist (file_path)",
        "COMMENT ON INDEX k14 IS 'x'",
    ]),
    making("index-statistics", "", &[
        "CREATE INDEX k18 ON code_files (size_bytes, (length(content)))",
        "ALTER INDEX k18 ALTER COLUMN 2 SET STATISTICS 700",
    ]),
    making("row-trigger", "", &[
        "CREATE FUNCTION k19() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.language := lower(NEW.language); RETURN NEW; END'",
        "CREATE TRIGGER k19 BEFORE INSERT OR UPDATE OF language ON code_files FOR EACH ROW WHEN (NEW.language IS NOT NULL) EXECUTE FUNCTION k19()",
        "CREATE TRIGGER k20 AFTER DELETE ON code_files FOR EACH ROW EXECUTE FUNCTION k19()",
        "COMMENT ON TRIGGER k19 ON code_files IS 'x'",
        "ALTER TABLE code_files ENABLE ALWAYS TRIGGER k19, DISABLE TRIGGER k20",
    ]),
    making("statement-trigger", "", &[
        "CREATE FUNCTION k21() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM count(*) FROM old_rows; RETURN NULL; END'",
        "CREATE TRIGGER k21 AFTER UPDATE ON code_files REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION k21()",
    ]),
    making("row-security", "", &[
        "CREATE POLICY k22 ON code_files AS RESTRICTIVE FOR UPDATE TO {a}, {b} USING (repo_name <> '') WITH CHECK (size_bytes > 0)",
        "CREATE POLICY k23 ON code_files USING (true)",
        "COMMENT ON POLICY k22 ON code_files IS 'x'",
        "ALTER TABLE code_files ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY",
    ]),
    making("extended-statistics", "", &[
        "CREATE STATISTICS k24 (ndistinct, mcv) ON repo_name, language FROM code_files",
        "CREATE STATISTICS k25 ON (lower(language)) FROM code_files",
        "ALTER STATISTICS k24 SET STATISTICS 50",
        "COMMENT ON STATISTICS k24 IS 'x'",
    ]),
    making("view", "", &[
        "CREATE VIEW k26 WITH (security_barrier, security_invoker) AS SELECT repo_name, file_path FROM code_files WHERE size_bytes > 3 WITH LOCAL CHECK OPTION",
        "CREATE VIEW k27 AS SELECT count(*) AS n, repo_name FROM k26 GROUP BY 2",
        "CREATE VIEW k28 AS SELECT repo_name, file_path, content FROM code_files GROUP BY repo_name, file_path",
        "GRANT SELECT ON k26 TO {b}",
    ]),
    making("parsed-function", "", &["CREATE FUNCTION k29() RETURNS bigint LANGUAGE sql BEGIN ATOMIC SELECT count(*) FROM code_files; END"]),
    making("publication", "", &[
        "CREATE PUBLICATION k30 FOR TABLE code_files WITH (publish_via_partition_root)",
        "CREATE PUBLICATION k31 FOR TABLES IN SCHEMA public WITH (publish_via_partition_root)",
    ]),
    making("foreign-key-in", "referenced by the foreign key", &["CREATE TABLE r1 (r text, p text, FOREIGN KEY (r, p) REFERENCES code_files)"]),
    making("foreign-key-not-validated", "is not validated", &[
        "CREATE TABLE r2 (name text PRIMARY KEY)",
        "ALTER TABLE code_files ADD CONSTRAINT r2 FOREIGN KEY (language) REFERENCES r2 NOT VALID",
    ]),
    making("unique-without-key", "lacks `repo_name`", &["CREATE UNIQUE INDEX r3 ON code_files (id)"]),
    making("deferrable-unique", "is deferrable", &["ALTER TABLE code_files ADD CONSTRAINT r4 UNIQUE (repo_name, file_path, id) DEFERRABLE"]),
    making("exclusion", "exclusion constraint `r5`", &["ALTER TABLE code_files ADD CONSTRAINT r5 EXCLUDE (repo_name WITH =, file_path WITH =)"]),
    making("identity", "is an identity column", &["ALTER TABLE code_files ADD r6 integer GENERATED ALWAYS AS IDENTITY"]),
    making("not-null-not-validated", "is not validated", &["ALTER TABLE code_files ADD CONSTRAINT r7 NOT NULL language NOT VALID"]),
    making("no-inherit", "is NO INHERIT", &["ALTER TABLE code_files ADD CONSTRAINT r8 CHECK (size_bytes > -2) NO INHERIT"]),
    making("row-trigger-transition", "uses transition tables", &[
        "CREATE FUNCTION r9() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'",
        "CREATE TRIGGER r9 AFTER UPDATE ON code_files REFERENCING OLD TABLE AS o FOR EACH ROW EXECUTE FUNCTION r9()",
    ]),
    making("trigger-changes-key", "may change `repo_name`", &[
        "CREATE FUNCTION r10() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.repo_name := lower(NEW.repo_name); RETURN NEW; END'",
        "CREATE TRIGGER r10 BEFORE INSERT ON code_files FOR EACH ROW EXECUTE FUNCTION r10()",
    ]),
    making("invalid-index", "is invalid", &["\\fails CREATE UNIQUE INDEX CONCURRENTLY r11 ON code_files (repo_name, (1))"]),
    making("clustered", "marked to be clustered", &["ALTER TABLE code_files CLUSTER ON code_files_pkey"]),
    making("index-tablespace", "lies in tablespace", &["\\tablespace", "ALTER INDEX code_files_language_index SET TABLESPACE {d}"]),
    making("replica-identity", "replica identity", &["ALTER TABLE code_files REPLICA IDENTITY FULL"]),
    making("storage-parameters", "storage parameters", &["ALTER TABLE code_files SET (toast.autovacuum_enabled = false)"]),
    making("unlogged", "", &["ALTER TABLE code_files SET UNLOGGED"]),
    making("access-method", "its access method is", &[
        "CREATE ACCESS METHOD heap2 TYPE TABLE HANDLER heap_tableam_handler",
        "ALTER TABLE code_files SET ACCESS METHOD heap2",
    ]),
    making("typed", "table of the type", &[
        "DO $$ BEGIN EXECUTE (SELECT format('CREATE TYPE r12 AS (%s)', string_agg(format('%I %s', attname, format_type(atttypid, atttypmod)), ', ' ORDER BY attnum))
         FROM pg_attribute WHERE attrelid = 'code_files'::regclass AND attnum > 0 AND NOT attisdropped); END $$",
        "ALTER TABLE code_files OF r12",
    ]),
    making("extension-member", "belongs to the extension", &["ALTER EXTENSION vector ADD TABLE code_files"]),
    making("inheritance", "takes part in inheritance", &["CREATE TABLE r13 () INHERITS (code_files)"]),
    making("rule", "it has rules", &["CREATE RULE r14 AS ON DELETE TO code_files WHERE OLD.size_bytes < 0 DO INSTEAD NOTHING"]),
    making("subscription", "arrive in it by a subscription", &[
        "CREATE SUBSCRIPTION {d} CONNECTION 'dbname=none' PUBLICATION p WITH (connect = false, slot_name = NONE)",
        "SET allow_system_table_mods = on; INSERT INTO pg_subscription_rel SELECT oid, 'code_files'::regclass, 'r' FROM pg_subscription WHERE subname = '{d}'",
    ]),
    making("security-label", "has a security label", &[
        "SET allow_system_table_mods = on; INSERT INTO pg_seclabel VALUES ('code_files'::regclass, 'pg_class'::regclass, 0, 'nobody', 'x')",
    ]),
    making("publication-all", "takes all tables", &["CREATE PUBLICATION r15 FOR ALL TABLES"]),
    making("publication-of-leaves", "names of leaves", &["CREATE PUBLICATION r16 FOR TABLE code_files"]),
    making("publication-filtered", "some of its rows", &["CREATE PUBLICATION r17 FOR TABLE code_files WHERE (repo_name <> '')"]),
    making("event-trigger", "event trigger r18", &[
        "CREATE FUNCTION r18() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END'",
        "CREATE EVENT TRIGGER r18 ON ddl_command_end EXECUTE FUNCTION r18()",
    ]),
    making("materialized-view", "cannot be made anew", &["CREATE MATERIALIZED VIEW r19 AS SELECT count(*) FROM code_files"]),
    making("row-type", "uses its row type", &[
        "CREATE TABLE r20 (before code_files[])",
        "CREATE FUNCTION r21() RETURNS SETOF code_files LANGUAGE sql AS 'SELECT * FROM public.code_files'",
        "CREATE DOMAIN r22 AS code_files",
        "CREATE VIEW r23 AS SELECT c FROM code_files c",
    ]),
    making("foreign-policy", "policy r24", &[
        "CREATE TABLE r24 (r text)",
        "CREATE POLICY r24 ON r24 USING (EXISTS (SELECT FROM code_files WHERE repo_name = r))",
    ]),
];
