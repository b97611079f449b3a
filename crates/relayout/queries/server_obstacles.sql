-- What stands against changing a table's storage that is not the table's own.
SELECT pg_catalog.current_setting('server_version_num')::integer AS "version!",
       pg_catalog.pg_has_role(c.relowner, 'USAGE') AS "owns!",
       CURRENT_USER::text AS "role!",
       pg_catalog.pg_get_userbyid(c.relowner)::text AS "owner!",
       -- Policies do not bind these.
       (SELECT r.rolsuper OR r.rolbypassrls FROM pg_catalog.pg_roles r WHERE r.rolname = CURRENT_USER) AS "sees_all_rows!",
       pg_catalog.current_setting('max_locks_per_transaction')::bigint
           * (pg_catalog.current_setting('max_connections')::bigint
              + pg_catalog.current_setting('max_prepared_transactions')::bigint) AS "lock_slots!",
       -- Those that are none of an extension's and none of ours.
       ARRAY(SELECT pg_catalog.format('%s (%s)', e.evtname, COALESCE(pg_catalog.array_to_string(e.evttags, ', '), e.evtevent))
             FROM pg_catalog.pg_event_trigger e
             JOIN pg_catalog.pg_proc f ON f.oid = e.evtfoid
             WHERE e.evtenabled IN ('O', 'A') AND e.evtevent IN ('ddl_command_start', 'ddl_command_end', 'sql_drop')
               AND (e.evttags IS NULL OR e.evttags && ARRAY[
                   'CREATE TABLE', 'ALTER TABLE', 'DROP TABLE', 'CREATE INDEX', 'ALTER INDEX', 'CREATE SCHEMA', 'DROP SCHEMA',
                   'CREATE TRIGGER', 'DROP TRIGGER', 'CREATE FUNCTION', 'DROP FUNCTION', 'ALTER SEQUENCE', 'CREATE VIEW', 'COMMENT',
                   'GRANT', 'REVOKE'])
               AND f.pronamespace IS DISTINCT FROM pg_catalog.to_regnamespace('db_service')
               AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_depend d
                               WHERE d.classid = 'pg_catalog.pg_event_trigger'::pg_catalog.regclass AND d.objid = e.oid AND d.deptype = 'e')
               AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_depend d
                               WHERE d.classid = 'pg_catalog.pg_proc'::pg_catalog.regclass AND d.objid = f.oid AND d.deptype = 'e')
             ORDER BY e.evtname) AS "event_triggers!: Vec<String>",
       -- Only its owner takes a table out of a publication and puts it in.
       ARRAY(SELECT u.pubname::text FROM pg_catalog.pg_publication_rel r JOIN pg_catalog.pg_publication u ON u.oid = r.prpubid
             WHERE r.prrelid = c.oid AND NOT pg_catalog.pg_has_role(u.pubowner, 'USAGE')
             ORDER BY u.pubname) AS "foreign_publications!: Vec<String>",
       -- Whoever has granted something to others has to grant it again.
       ARRAY(SELECT DISTINCT g.grantor::pg_catalog.regrole::text
             FROM (SELECT c.relacl AS acl
                   UNION ALL
                   SELECT a.attacl FROM pg_catalog.pg_attribute a WHERE a.attrelid = c.oid AND NOT a.attisdropped
                   UNION ALL
                   SELECT s.relacl FROM pg_catalog.pg_depend d JOIN pg_catalog.pg_class s ON s.oid = d.objid AND s.relkind = 'S'
                   WHERE d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.deptype = 'i'
                     AND d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.refobjid = c.oid) p,
                  LATERAL pg_catalog.aclexplode(p.acl) g
             WHERE NOT pg_catalog.pg_has_role(g.grantor, 'SET') ORDER BY 1) AS "foreign_grantors!: Vec<String>",
       ARRAY(SELECT DISTINCT s.stxowner::pg_catalog.regrole::text FROM pg_catalog.pg_statistic_ext s
             WHERE s.stxrelid = c.oid AND NOT pg_catalog.pg_has_role(s.stxowner, 'SET') ORDER BY 1) AS "foreign_statisticians!: Vec<String>",
       -- Foreign keys are made anew.
       ARRAY(SELECT DISTINCT k.confrelid::pg_catalog.regclass::text FROM pg_catalog.pg_constraint k
             WHERE k.conrelid = c.oid AND k.contype = 'f' AND NOT pg_catalog.has_table_privilege(k.confrelid, 'REFERENCES')
             ORDER BY 1) AS "closed_references!: Vec<String>"
FROM pg_catalog.pg_class c
WHERE c.oid = pg_catalog.to_regclass($1)
