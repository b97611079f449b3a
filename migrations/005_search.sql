-- Search: similar code in one repository, in some, and across all of them.
--
-- requires-ecto: 20251005030000, 20251005030001
-- requires-table: public.code_files, public.embeddings
-- uses-extension: vector
-- puts-triggers-on: embeddings
-- copies-vectors-of: embeddings
-- provides: db_service.embedding_codes, db_service.fresh_codes, db_service.embedding_model, db_service.codes, db_service.search_setting
-- provides: db_service.keep_codes(), db_service.empty_codes(), db_service.begin_codes(), db_service.fold_codes(integer)
-- provides: db_service.search_in_repository(text, public.vector, integer, text, text, text, jsonb, text)
-- provides: db_service.search_in_repositories(text[], public.vector, integer, text, text, text, jsonb, text)
-- provides: db_service.search_across(public.vector, integer, text, text, text, jsonb, text)
--
-- Why: sixteen leaves have sixteen vector indexes, and a search across them pays for each. So the vectors lie once more,
-- half as wide, in one table with one index (the codes); and how a search is answered is decided here by counted rows, not
-- by what the planner thinks of them.
-- Who uses it: the application (`SELECT * FROM db_service.search_across($1)`), `migrations search`.
-- This file only declares; the codes are filled, and the triggers put on, by `migrations`.
-- Locks: none on tables of others. Undo: `migrations revert`, then drop the functions and the tables.

-- The codes ------------------------------------------------------------------------------------------------------------

CREATE TABLE db_service.embedding_codes (
    repo_name text NOT NULL,
    path text NOT NULL,
    model text NOT NULL,
    half public.halfvec(768) NOT NULL,
    PRIMARY KEY (repo_name, path)
);
ALTER TABLE db_service.embedding_codes ALTER COLUMN half SET STORAGE PLAIN;

COMMENT ON TABLE db_service.embedding_codes IS 'The vectors of public.embeddings in one place, for searches across repositories. Written by fold_codes and by the first copy only; what is in fresh_codes holds instead.';

CREATE TABLE db_service.fresh_codes (
    repo_name text NOT NULL,
    path text NOT NULL,
    model text NOT NULL,
    half public.halfvec(768),
    PRIMARY KEY (repo_name, path)
);
ALTER TABLE db_service.fresh_codes ALTER COLUMN half SET STORAGE PLAIN;

COMMENT ON TABLE db_service.fresh_codes IS 'What was written to public.embeddings since the last fold, without a vector index: searched row by row.';
COMMENT ON COLUMN db_service.fresh_codes.half IS 'Null: the row is gone.';
COMMENT ON COLUMN db_service.embedding_codes.half IS 'Of length 1, so that no component is too large for half precision; cosine distances are the same.';

-- Without a key: two writers of a new model would wait for each other, until the first of them commits.
CREATE TABLE db_service.embedding_model (
    model text NOT NULL
);

COMMENT ON TABLE db_service.embedding_model IS 'Models whose vectors were seen in public.embeddings, one of them perhaps more than once: where there are several, a search names one.';

CREATE TABLE db_service.codes (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    form text NOT NULL DEFAULT 'halfvec' CHECK (form IN ('halfvec', 'bits', 'none')),
    built text CHECK (built IN ('halfvec', 'bits')),
    copied_repo_name text,
    copied_path text
);

COMMENT ON TABLE db_service.codes IS 'How the codes are to be indexed, and how far they are.';
COMMENT ON COLUMN db_service.codes.form IS 'halfvec: 2 KB of index a vector; bits: 0.4 KB, slower; none: searches across go to the leaves.';
COMMENT ON COLUMN db_service.codes.built IS 'The form that searches use; null while there is none.';
COMMENT ON COLUMN db_service.codes.copied_path IS 'The last key of the first copy, as far as it has come.';

INSERT INTO db_service.codes DEFAULT VALUES;

CREATE TABLE db_service.search_setting (
    way text NOT NULL CHECK (way IN ('hnsw', 'halfvec', 'bits')),
    recall text NOT NULL CHECK (recall IN ('fast', 'balanced')),
    ef_search integer NOT NULL CHECK (ef_search BETWEEN 1 AND 1000),
    more integer NOT NULL CHECK (more BETWEEN 0 AND 1000),
    measured double precision CHECK (measured BETWEEN 0 AND 1),
    PRIMARY KEY (way, recall)
);

COMMENT ON TABLE db_service.search_setting IS 'What a wanted recall means for each index. `migrations calibrate` measures it on the data at hand.';
COMMENT ON COLUMN db_service.search_setting.more IS 'Candidates beyond k whose exact distances are compared.';
COMMENT ON COLUMN db_service.search_setting.measured IS 'Recall at k = 10 when it was last calibrated; null: the default.';

INSERT INTO db_service.search_setting (way, recall, ef_search, more) VALUES
    ('hnsw', 'fast', 60, 10), ('hnsw', 'balanced', 200, 60),
    ('halfvec', 'fast', 40, 5), ('halfvec', 'balanced', 120, 20),
    ('bits', 'fast', 100, 90), ('bits', 'balanced', 300, 290);

-- How the codes are kept up ----------------------------------------------------------------------------------------------

-- Writers only ever put into fresh_codes, by its key: so a writer whose snapshot is older than a fold or the first copy
-- still leaves the truth behind. A lock on a key there is held by who holds the row in public.embeddings, so writers wait
-- for each other no more than before.
CREATE FUNCTION db_service.keep_codes() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        INSERT INTO db_service.fresh_codes (repo_name, path, model, half)
        SELECT o.repo_name, o.path, o.model, NULL FROM old_rows o
        ON CONFLICT (repo_name, path) DO UPDATE SET half = NULL;
        RETURN NULL;
    END IF;
    IF TG_OP = 'INSERT' THEN
        INSERT INTO db_service.fresh_codes (repo_name, path, model, half)
        SELECT n.repo_name, n.path, n.model, public.l2_normalize(n.embedding)::public.halfvec(768) FROM new_rows n
        ON CONFLICT (repo_name, path) DO UPDATE SET model = excluded.model, half = excluded.half;
    ELSE
        -- An update of another column is none of a code.
        INSERT INTO db_service.fresh_codes (repo_name, path, model, half)
        SELECT n.repo_name, n.path, n.model, public.l2_normalize(n.embedding)::public.halfvec(768) FROM new_rows n
        WHERE NOT EXISTS (
            SELECT FROM old_rows o
            WHERE o.repo_name = n.repo_name AND o.path = n.path AND o.model = n.model
              AND o.embedding OPERATOR(public.=) n.embedding)
        UNION ALL
        SELECT o.repo_name, o.path, o.model, NULL FROM old_rows o
        WHERE NOT EXISTS (SELECT FROM new_rows n WHERE n.repo_name = o.repo_name AND n.path = o.path)
        ON CONFLICT (repo_name, path) DO UPDATE SET model = excluded.model, half = excluded.half;
    END IF;
    INSERT INTO db_service.embedding_model (model)
    SELECT DISTINCT n.model::text FROM new_rows n
    WHERE NOT EXISTS (SELECT FROM db_service.embedding_model m WHERE m.model = n.model::text);
    RETURN NULL;
END $$;

CREATE FUNCTION db_service.empty_codes() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
DECLARE
    of_leaf text := COALESCE(pg_catalog.pg_get_partition_constraintdef(TG_RELID), 'true');
BEGIN
    -- Nobody else writes rows of this leaf meanwhile: TRUNCATE keeps them out until the end.
    EXECUTE pg_catalog.format(
        'INSERT INTO db_service.fresh_codes (repo_name, path, model, half)
         SELECT DISTINCT ON (repo_name, path) repo_name, path, model, NULL::public.halfvec
         FROM (SELECT repo_name, path, model FROM db_service.embedding_codes
               UNION ALL SELECT repo_name, path, model FROM db_service.fresh_codes) kept
         WHERE %s
         ON CONFLICT (repo_name, path) DO UPDATE SET half = NULL', of_leaf);
    RETURN NULL;
END $$;

-- What was written while the triggers were off is in neither table: all is copied anew.
CREATE FUNCTION db_service.begin_codes() RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
BEGIN
    UPDATE db_service.codes SET built = NULL, copied_repo_name = NULL, copied_path = NULL;
    DELETE FROM db_service.fresh_codes;
END $$;

COMMENT ON FUNCTION db_service.begin_codes() IS 'Has the codes built anew by the next `migrations`; until then searches across go to the leaves.';

INSERT INTO db_service.kept_trigger (table_name, name, event, function, keeps, begun_by)
SELECT 'embeddings', 'singularity_kept_codes_' || e.suffix, e.event, e.function, 'codes', 'db_service.begin_codes()'
FROM (VALUES
    ('inserted', 'INSERT', 'db_service.keep_codes()'),
    ('updated', 'UPDATE', 'db_service.keep_codes()'),
    ('deleted', 'DELETE', 'db_service.keep_codes()'),
    ('truncated', 'TRUNCATE', 'db_service.empty_codes()')) e (suffix, event, function);

CREATE FUNCTION db_service.codes_in_use() RETURNS text
LANGUAGE plpgsql STABLE PARALLEL SAFE SECURITY DEFINER SET search_path = '' AS $$
BEGIN
    RETURN (
        SELECT c.built FROM db_service.codes c
        WHERE NOT EXISTS (SELECT FROM db_service.kept_trigger k WHERE k.keeps = 'codes' AND NOT k.in_place));
END $$;

COMMENT ON FUNCTION db_service.codes_in_use() IS 'The form of the codes that searches use; null while they are not built, or not kept up to date.';

-- Takes the oldest of fresh_codes into the index. What is rewritten meanwhile stays, for the next time; the only locks on
-- fresh_codes are those of the last moment. Call it again until it says 0.
CREATE FUNCTION db_service.fold_codes(most integer DEFAULT 1000) RETURNS bigint
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = '' AS $$
DECLARE
    folded bigint;
BEGIN
    IF pg_catalog.current_setting('transaction_isolation') NOT IN ('read committed', 'read uncommitted') THEN
        RAISE EXCEPTION 'codes are folded at the isolation level READ COMMITTED only'
            USING ERRCODE = 'active_sql_transaction', HINT = 'call db_service.fold_codes in a transaction of its own';
    END IF;
    -- One at a time, and not beside the first copy.
    IF NOT pg_catalog.pg_try_advisory_xact_lock(pg_catalog.hashtextextended('db_service.embedding_codes', 0)) THEN
        RETURN 0;
    END IF;
    WITH batch AS MATERIALIZED (
        SELECT f.ctid AS place, f.* FROM db_service.fresh_codes f LIMIT most
    ), put AS (
        INSERT INTO db_service.embedding_codes AS c (repo_name, path, model, half)
        SELECT repo_name, path, model, half FROM batch WHERE half IS NOT NULL
        ON CONFLICT (repo_name, path) DO UPDATE SET model = excluded.model, half = excluded.half
        RETURNING 1
    ), removed AS (
        DELETE FROM db_service.embedding_codes c USING batch b
        WHERE b.half IS NULL AND c.repo_name = b.repo_name AND c.path = b.path
        RETURNING 1
    ), done AS MATERIALIZED (
        -- Read before fresh_codes is locked.
        SELECT (SELECT pg_catalog.count(*) FROM put) + (SELECT pg_catalog.count(*) FROM removed) AS written
    ), taken AS (
        DELETE FROM db_service.fresh_codes f
        WHERE f.ctid = ANY (ARRAY(
            SELECT g.ctid FROM db_service.fresh_codes g
            WHERE g.ctid = ANY (ARRAY(SELECT b.place FROM batch b CROSS JOIN done))
            FOR UPDATE SKIP LOCKED))
        RETURNING 1
    )
    SELECT pg_catalog.count(*) INTO folded FROM taken;
    RETURN folded;
END $$;

COMMENT ON FUNCTION db_service.fold_codes(integer) IS 'Takes up to so many rows of fresh_codes into the index of the codes; how many it took. 0: none are left, or somebody else is at it.';

-- How a search is answered -----------------------------------------------------------------------------------------------

CREATE FUNCTION db_service.check_search(query public.vector, k integer, recall text) RETURNS void
LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = '' AS $$
BEGIN
    IF query IS NULL OR public.vector_dims(query) <> 768 THEN
        RAISE EXCEPTION 'a search needs a vector of 768 dimensions, and was given %',
            COALESCE('one of ' || public.vector_dims(query), 'none')
            USING ERRCODE = 'data_exception', HINT = 'compute it with the model that the stored vectors come from';
    ELSIF public.vector_norm(query) = 0 THEN
        RAISE EXCEPTION 'a vector of zeros is equally far from everything'
            USING ERRCODE = 'data_exception', HINT = 'the text that it was computed from may be empty';
    ELSIF k IS NULL OR k NOT BETWEEN 1 AND 10000 THEN
        RAISE EXCEPTION 'k is the number of rows wanted, from 1 to 10000, and was %', COALESCE(k::text, 'null')
            USING ERRCODE = 'invalid_parameter_value';
    ELSIF recall IS NULL OR recall NOT IN ('fast', 'balanced', 'exact') THEN
        RAISE EXCEPTION 'recall is ''fast'', ''balanced'' or ''exact'', and was %', COALESCE(pg_catalog.quote_literal(recall), 'null')
            USING ERRCODE = 'invalid_parameter_value';
    END IF;
END $$;

COMMENT ON FUNCTION db_service.check_search(public.vector, integer, text) IS 'Refuses what no search can mean.';

CREATE FUNCTION db_service.model_to_compare(model text) RETURNS text
LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = '' AS $$
DECLARE
    first_model text;
    last_model text;
BEGIN
    -- While the codes are kept up, so are the models; one that was seen may be gone by now.
    IF db_service.codes_in_use() IS NOT NULL THEN
        SELECT pg_catalog.min(m.model), pg_catalog.max(m.model) INTO first_model, last_model FROM db_service.embedding_model m;
    END IF;
    IF first_model IS NULL OR model IS NULL AND first_model <> last_model THEN
        SELECT pg_catalog.min(e.model), pg_catalog.max(e.model) INTO first_model, last_model FROM public.embeddings e;
    END IF;
    IF first_model = last_model AND (model IS NULL OR model = first_model) THEN
        RETURN NULL;
    ELSIF model IS NULL AND first_model <> last_model THEN
        RAISE EXCEPTION 'the vectors of embeddings come from more than one model, and a search compares those of one'
            USING ERRCODE = 'invalid_parameter_value',
                  HINT = pg_catalog.format('name it: model => %L, or %L', first_model, last_model);
    END IF;
    RETURN model;
END $$;

COMMENT ON FUNCTION db_service.model_to_compare(text) IS 'The model that a search has to filter by; null where all vectors come from the one that is meant. Refuses to compare vectors of different models.';

-- A part of the query that calls it, not a step of its own: PostgreSQL puts the body in its place. Models and languages may
-- be enumerations; of a text, the cast is none. Where nothing is filtered, the functions below have statements without it:
-- these are planned once, and ask for no right on code_files.
CREATE FUNCTION db_service.qualifying(model text, path_prefix text, language text, metadata jsonb)
RETURNS TABLE (repo_name text, path text, embedding public.vector)
LANGUAGE sql STABLE PARALLEL SAFE ROWS 1000 AS $$
    SELECT e.repo_name, e.path, e.embedding
    FROM public.embeddings e
    WHERE ($1 IS NULL OR e.model::text = $1)
      AND ($2 IS NULL OR pg_catalog.starts_with(e.path, $2))
      AND ($4 IS NULL OR e.metadata OPERATOR(pg_catalog.@>) $4)
      AND ($3 IS NULL OR EXISTS (
          SELECT FROM public.code_files f
          WHERE f.repo_name = e.repo_name AND f.language::text = $3
            AND f.file_path IN (e.path, pg_catalog.regexp_replace(e.path, '#[^#]*$', ''))))
$$;

COMMENT ON FUNCTION db_service.qualifying(text, text, text, jsonb) IS 'Embeddings that pass the filters of a search; a filter that is null lets everything pass. Of a path that names a part of a file, what stands before the last # is the file.';

-- Has the planner take the vector index, and read on where rows do not qualify. Gives back how it was, for leave_index.
CREATE FUNCTION db_service.take_index(ef_search integer, wanted integer) RETURNS text[]
LANGUAGE plpgsql STABLE PARALLEL UNSAFE SET search_path = '' AS $$
DECLARE
    before text[] := ARRAY[pg_catalog.current_setting('hnsw.ef_search'), pg_catalog.current_setting('hnsw.iterative_scan'),
                           pg_catalog.current_setting('hnsw.max_scan_tuples')];
BEGIN
    PERFORM pg_catalog.set_config('hnsw.ef_search', LEAST(GREATEST(ef_search, wanted), 1000)::text, true),
            pg_catalog.set_config('hnsw.iterative_scan', 'relaxed_order', true),
            pg_catalog.set_config('hnsw.max_scan_tuples', GREATEST(20000, 4 * wanted)::text, true),
            pg_catalog.set_config('enable_seqscan', 'off', true), pg_catalog.set_config('enable_bitmapscan', 'off', true),
            pg_catalog.set_config('enable_sort', 'off', true);
    RETURN before;
END $$;

CREATE FUNCTION db_service.leave_index(before text[]) RETURNS void
LANGUAGE plpgsql STABLE PARALLEL UNSAFE SET search_path = '' AS $$
BEGIN
    PERFORM pg_catalog.set_config('hnsw.ef_search', before[1], true),
            pg_catalog.set_config('hnsw.iterative_scan', before[2], true),
            pg_catalog.set_config('hnsw.max_scan_tuples', before[3], true),
            pg_catalog.set_config('enable_seqscan', 'on', true), pg_catalog.set_config('enable_bitmapscan', 'on', true),
            pg_catalog.set_config('enable_sort', 'on', true);
END $$;

-- What a search is planned with, whatever the database, the role or the session says: the settings behind each function. They
-- are over when it returns. Each statement below is meant to be done in one way, and the others are taken from the planner.

CREATE FUNCTION db_service.search_in_repository(
    repository text, query public.vector, k integer DEFAULT 10, model text DEFAULT NULL, path_prefix text DEFAULT NULL,
    language text DEFAULT NULL, metadata jsonb DEFAULT NULL, recall text DEFAULT 'balanced')
RETURNS TABLE (repo_name text, path text, distance double precision, way text)
LANGUAGE plpgsql STABLE PARALLEL UNSAFE ROWS 10 COST 10000 SET search_path = ''
SET plan_cache_mode = force_generic_plan SET jit = off SET enable_seqscan = on SET enable_indexscan = on
SET enable_indexonlyscan = on SET enable_bitmapscan = on SET enable_sort = on SET enable_nestloop = on
SET enable_hashjoin = on SET enable_mergejoin = off SET enable_partition_pruning = on SET enable_incremental_sort = off
SET random_page_cost = 1.1 SET seq_page_cost = 1 SET cpu_tuple_cost = 0.01 SET cpu_index_tuple_cost = 0.005
SET cpu_operator_cost = 0.0025 SET effective_cache_size = '4GB' SET max_parallel_workers_per_gather = 0
AS $$
#variable_conflict use_variable
DECLARE
    is_filtered boolean;
    leaf oid;
    in_leaf double precision;
    exact_rows integer;
    qualify integer;
    ef_search integer;
    more integer;
    before text[];
    paths text[];
    distances double precision[];
BEGIN
    PERFORM db_service.check_search(query, k, recall);
    model := db_service.model_to_compare(model);
    is_filtered := model IS NOT NULL OR path_prefix IS NOT NULL OR language IS NOT NULL OR metadata IS NOT NULL;
    SELECT e.tableoid INTO leaf FROM public.embeddings e WHERE e.repo_name = repository LIMIT 1;
    IF leaf IS NULL THEN
        RETURN;
    END IF;
    IF is_filtered THEN
        -- The index of a filter is worth the planning.
        PERFORM pg_catalog.set_config('plan_cache_mode', 'force_custom_plan', true);
    END IF;
    IF recall <> 'exact' AND pg_catalog.current_setting('hnsw.iterative_scan', true) IS NOT NULL THEN
        -- To compare a row costs about 1.3 us; a scan of the index costs as many times more as there are rows of others
        -- beside those that qualify. Here both cost the same. A row of a leaf takes half a page.
        SELECT GREATEST(c.reltuples, pg_catalog.pg_table_size(leaf) / 4096.0) INTO in_leaf
        FROM pg_catalog.pg_class c WHERE c.oid = leaf;
        exact_rows := LEAST(GREATEST(pg_catalog.sqrt(800 * in_leaf), 1000, 2 * k), 10000);
        IF is_filtered THEN
            SELECT pg_catalog.count(*) INTO qualify
            FROM (SELECT FROM db_service.qualifying(model, path_prefix, language, metadata) e
                  WHERE e.repo_name = repository LIMIT exact_rows) counted;
        ELSE
            SELECT pg_catalog.count(*) INTO qualify
            FROM (SELECT FROM public.embeddings e WHERE e.repo_name = repository LIMIT exact_rows) counted;
        END IF;
        IF qualify >= exact_rows THEN
            SELECT s.ef_search, s.more INTO ef_search, more
            FROM db_service.search_setting s WHERE s.way = 'hnsw' AND s.recall = search_in_repository.recall;
            before := db_service.take_index(ef_search, k + more);
            IF is_filtered THEN
                SELECT pg_catalog.array_agg(n.path), pg_catalog.array_agg(n.distance) INTO paths, distances
                FROM (SELECT e.path, e.embedding OPERATOR(public.<=>) query AS distance
                      FROM db_service.qualifying(model, path_prefix, language, metadata) e
                      WHERE e.repo_name = repository
                      ORDER BY e.embedding OPERATOR(public.<=>) query LIMIT k + more) n;
            ELSE
                SELECT pg_catalog.array_agg(n.path), pg_catalog.array_agg(n.distance) INTO paths, distances
                FROM (SELECT e.path, e.embedding OPERATOR(public.<=>) query AS distance
                      FROM public.embeddings e
                      WHERE e.repo_name = repository
                      ORDER BY e.embedding OPERATOR(public.<=>) query LIMIT k + more) n;
            END IF;
            PERFORM db_service.leave_index(before);
            IF pg_catalog.cardinality(paths) >= k THEN
                RETURN QUERY SELECT repository, n.path, n.distance, 'hnsw'::text
                FROM ROWS FROM (pg_catalog.unnest(paths), pg_catalog.unnest(distances)) n (path, distance)
                ORDER BY 3, 2 LIMIT k;
                RETURN;
            END IF;
        END IF;
    END IF;
    -- "+ 0": no order that an index could give. A vector of zeros has no direction, and is in no index either.
    IF is_filtered THEN
        RETURN QUERY SELECT repository, n.path, n.distance, 'exact'::text
        FROM (SELECT e.path, e.embedding OPERATOR(public.<=>) query AS distance
              FROM db_service.qualifying(model, path_prefix, language, metadata) e
              WHERE e.repo_name = repository) n
        WHERE n.distance <> 'NaN'
        ORDER BY n.distance + 0, n.path LIMIT k;
    ELSE
        RETURN QUERY SELECT repository, n.path, n.distance, 'exact'::text
        FROM (SELECT e.path, e.embedding OPERATOR(public.<=>) query AS distance
              FROM public.embeddings e WHERE e.repo_name = repository) n
        WHERE n.distance <> 'NaN'
        ORDER BY n.distance + 0, n.path LIMIT k;
    END IF;
END $$;

COMMENT ON FUNCTION db_service.search_in_repository(text, public.vector, integer, text, text, text, jsonb, text) IS 'The k nearest embeddings of a repository by cosine distance: all of it where it is small, by the vector index of its leaf where it is not.';

-- The codes that hold, of those that pass the filters. A part of the query that calls it, too.
CREATE FUNCTION db_service.qualifying_codes(repositories text[], model text, path_prefix text, language text, metadata jsonb)
RETURNS TABLE (repo_name text, path text, half public.halfvec)
LANGUAGE sql STABLE PARALLEL SAFE ROWS 1000 AS $$
    SELECT c.repo_name, c.path, c.half
    FROM db_service.embedding_codes c
    WHERE ($1 IS NULL OR c.repo_name = ANY ($1))
      AND ($2 IS NULL OR c.model = $2)
      AND ($3 IS NULL OR pg_catalog.starts_with(c.path, $3))
      AND NOT EXISTS (SELECT FROM db_service.fresh_codes f WHERE f.repo_name = c.repo_name AND f.path = c.path)
      AND ($5 IS NULL OR EXISTS (
          SELECT FROM public.embeddings e
          WHERE e.repo_name = c.repo_name AND e.path = c.path AND e.metadata OPERATOR(pg_catalog.@>) $5))
      AND ($4 IS NULL OR EXISTS (
          SELECT FROM public.code_files f
          WHERE f.repo_name = c.repo_name AND f.language::text = $4
            AND f.file_path IN (c.path, pg_catalog.regexp_replace(c.path, '#[^#]*$', ''))))
$$;

COMMENT ON FUNCTION db_service.qualifying_codes(text[], text, text, text, jsonb) IS 'Codes that nothing in fresh_codes holds instead of, and that pass the filters of a search.';

CREATE FUNCTION db_service.search_many(
    repositories text[], query public.vector, k integer, model text, path_prefix text, language text, metadata jsonb, recall text)
RETURNS TABLE (repo_name text, path text, distance double precision, way text)
LANGUAGE plpgsql STABLE PARALLEL UNSAFE ROWS 10 COST 10000 SET search_path = ''
SET plan_cache_mode = force_generic_plan SET jit = off SET enable_seqscan = on SET enable_indexscan = on
SET enable_indexonlyscan = on SET enable_bitmapscan = on SET enable_sort = on SET enable_nestloop = on
SET enable_hashjoin = on SET enable_mergejoin = off SET enable_partition_pruning = on SET enable_incremental_sort = off
SET random_page_cost = 1.1 SET seq_page_cost = 1 SET cpu_tuple_cost = 0.01 SET cpu_index_tuple_cost = 0.005
SET cpu_operator_cost = 0.0025 SET effective_cache_size = '4GB' SET max_parallel_workers_per_gather = 0
AS $$
#variable_conflict use_variable
DECLARE
    is_filtered boolean;
    -- As many rows are compared in the time of a scan of the index that passes over most of what it reads.
    few integer;
    qualify integer;
    used text;
    ef_search integer;
    more integer;
    before text[];
    half public.halfvec := public.l2_normalize(query)::public.halfvec;
    bits bit(768) := public.binary_quantize(query)::bit(768);
    fresh_names text[];
    fresh_paths text[];
    names text[];
    paths text[];
    distances double precision[];
BEGIN
    PERFORM db_service.check_search(query, k, recall);
    model := db_service.model_to_compare(model);
    is_filtered := repositories IS NOT NULL OR model IS NOT NULL OR path_prefix IS NOT NULL OR language IS NOT NULL
                   OR metadata IS NOT NULL;
    few := GREATEST(3000, k);
    IF is_filtered THEN
        -- The index of a filter is worth the planning.
        PERFORM pg_catalog.set_config('plan_cache_mode', 'force_custom_plan', true);
    END IF;
    IF recall <> 'exact' AND pg_catalog.current_setting('hnsw.iterative_scan', true) IS NOT NULL THEN
        -- A folder is no column: to count what is below it would be to read everything.
        IF repositories IS NOT NULL OR model IS NOT NULL OR language IS NOT NULL OR metadata IS NOT NULL THEN
            SELECT pg_catalog.count(*) INTO qualify
            FROM (SELECT FROM db_service.qualifying(model, path_prefix, language, metadata) e
                  WHERE repositories IS NULL OR e.repo_name = ANY (repositories) LIMIT few) counted;
        END IF;
        IF qualify >= few IS NOT FALSE THEN
            IF pg_catalog.cardinality(repositories) <= 8 THEN
                RETURN QUERY SELECT n.repo_name, n.path, n.distance, n.way
                FROM (SELECT DISTINCT r.r FROM pg_catalog.unnest(repositories) r (r)) r
                CROSS JOIN LATERAL db_service.search_in_repository(r.r, query, k, model, path_prefix, language, metadata, recall) n
                ORDER BY n.distance, n.repo_name, n.path LIMIT k;
                RETURN;
            END IF;
            -- Who may not see all rows, or not the codes, is answered by the leaves; everybody is, while too much lies unfolded.
            SELECT s.way, s.ef_search, s.more INTO used, ef_search, more
            FROM db_service.search_setting s
            WHERE s.way = db_service.codes_in_use() AND s.recall = search_many.recall
              AND NOT pg_catalog.row_security_active('public.embeddings')
              AND pg_catalog.has_table_privilege('db_service.embedding_codes', 'SELECT')
              AND pg_catalog.has_table_privilege('db_service.fresh_codes', 'SELECT')
              AND pg_catalog.pg_relation_size('db_service.fresh_codes') < 64 * 1024 * 1024;
            IF used IS NULL THEN
                SELECT CASE c.relkind WHEN 'p' THEN 'merge-append' ELSE 'hnsw' END, CASE recall WHEN 'fast' THEN 10 ELSE 20 END
                INTO used, ef_search FROM pg_catalog.pg_class c WHERE c.oid = 'public.embeddings'::pg_catalog.regclass;
                before := db_service.take_index(ef_search, k);
                IF is_filtered THEN
                    SELECT pg_catalog.array_agg(n.repo_name), pg_catalog.array_agg(n.path), pg_catalog.array_agg(n.distance)
                    INTO names, paths, distances
                    FROM (SELECT e.repo_name, e.path, e.embedding OPERATOR(public.<=>) query AS distance
                          FROM db_service.qualifying(model, path_prefix, language, metadata) e
                          WHERE repositories IS NULL OR e.repo_name = ANY (repositories)
                          ORDER BY e.embedding OPERATOR(public.<=>) query LIMIT k) n;
                ELSE
                    SELECT pg_catalog.array_agg(n.repo_name), pg_catalog.array_agg(n.path), pg_catalog.array_agg(n.distance)
                    INTO names, paths, distances
                    FROM (SELECT e.repo_name, e.path, e.embedding OPERATOR(public.<=>) query AS distance
                          FROM public.embeddings e
                          ORDER BY e.embedding OPERATOR(public.<=>) query LIMIT k) n;
                END IF;
                PERFORM db_service.leave_index(before);
            ELSE
                -- Few, without an index: all of them are compared. For whom nothing is filtered, nothing else is looked at.
                IF is_filtered THEN
                    SELECT pg_catalog.array_agg(f.repo_name), pg_catalog.array_agg(f.path) INTO fresh_names, fresh_paths
                    FROM (SELECT f.repo_name, f.path
                          FROM db_service.fresh_codes f
                          WHERE public.l2_norm(f.half) > 0 AND EXISTS (
                              SELECT FROM db_service.qualifying(model, path_prefix, language, metadata) e
                              WHERE e.repo_name = f.repo_name AND e.path = f.path
                                AND (repositories IS NULL OR e.repo_name = ANY (repositories)))
                          ORDER BY (f.half OPERATOR(public.<=>) half) + 0 LIMIT k + 10) f;
                ELSE
                    SELECT pg_catalog.array_agg(f.repo_name), pg_catalog.array_agg(f.path) INTO fresh_names, fresh_paths
                    FROM (SELECT f.repo_name, f.path
                          FROM db_service.fresh_codes f
                          WHERE public.l2_norm(f.half) > 0
                          ORDER BY (f.half OPERATOR(public.<=>) half) + 0 LIMIT k + 10) f;
                END IF;
                before := db_service.take_index(ef_search, k + more);
                IF used = 'halfvec' AND is_filtered THEN
                    SELECT pg_catalog.array_agg(c.repo_name), pg_catalog.array_agg(c.path) INTO names, paths
                    FROM (SELECT c.repo_name, c.path
                          FROM db_service.qualifying_codes(repositories, model, path_prefix, language, metadata) c
                          ORDER BY c.half OPERATOR(public.<=>) half LIMIT k + more) c;
                ELSIF used = 'halfvec' THEN
                    SELECT pg_catalog.array_agg(c.repo_name), pg_catalog.array_agg(c.path) INTO names, paths
                    FROM (SELECT c.repo_name, c.path
                          FROM db_service.embedding_codes c
                          WHERE NOT EXISTS (
                              SELECT FROM db_service.fresh_codes f WHERE f.repo_name = c.repo_name AND f.path = c.path)
                          ORDER BY c.half OPERATOR(public.<=>) half LIMIT k + more) c;
                ELSIF is_filtered THEN
                    SELECT pg_catalog.array_agg(c.repo_name), pg_catalog.array_agg(c.path) INTO names, paths
                    FROM (SELECT c.repo_name, c.path
                          FROM (SELECT c.repo_name, c.path, c.half OPERATOR(public.<=>) half AS about
                                FROM db_service.qualifying_codes(repositories, model, path_prefix, language, metadata) c
                                ORDER BY public.binary_quantize(c.half)::bit(768) OPERATOR(public.<~>) bits LIMIT k + more) c
                          ORDER BY c.about + 0 LIMIT k + 10) c;
                ELSE
                    SELECT pg_catalog.array_agg(c.repo_name), pg_catalog.array_agg(c.path) INTO names, paths
                    FROM (SELECT c.repo_name, c.path
                          FROM (SELECT c.repo_name, c.path, c.half OPERATOR(public.<=>) half AS about
                                FROM db_service.embedding_codes c
                                WHERE NOT EXISTS (
                                    SELECT FROM db_service.fresh_codes f WHERE f.repo_name = c.repo_name AND f.path = c.path)
                                ORDER BY public.binary_quantize(c.half)::bit(768) OPERATOR(public.<~>) bits LIMIT k + more) c
                          ORDER BY c.about + 0 LIMIT k + 10) c;
                END IF;
                PERFORM db_service.leave_index(before),
                        pg_catalog.set_config('plan_cache_mode', 'force_generic_plan', true);
                SELECT pg_catalog.array_agg(c.repo_name), pg_catalog.array_agg(c.path), pg_catalog.array_agg(e.distance)
                INTO names, paths, distances
                FROM (SELECT n.repo_name, n.path
                      FROM ROWS FROM (pg_catalog.unnest(names), pg_catalog.unnest(paths)) n (repo_name, path)
                      UNION ALL
                      SELECT f.repo_name, f.path
                      FROM ROWS FROM (pg_catalog.unnest(fresh_names), pg_catalog.unnest(fresh_paths)) f (repo_name, path)) c
                CROSS JOIN LATERAL (
                    SELECT e.embedding OPERATOR(public.<=>) query AS distance FROM public.embeddings e
                    WHERE e.repo_name = c.repo_name AND e.path = c.path LIMIT 1) e;
            END IF;
            IF pg_catalog.cardinality(paths) >= k THEN
                RETURN QUERY SELECT n.repo_name, n.path, n.distance, used
                FROM ROWS FROM (pg_catalog.unnest(names), pg_catalog.unnest(paths), pg_catalog.unnest(distances))
                    n (repo_name, path, distance)
                ORDER BY n.distance, n.repo_name, n.path LIMIT k;
                RETURN;
            END IF;
        END IF;
    END IF;
    IF is_filtered THEN
        RETURN QUERY SELECT n.repo_name, n.path, n.distance, 'exact'::text
        FROM (SELECT e.repo_name, e.path, e.embedding OPERATOR(public.<=>) query AS distance
              FROM db_service.qualifying(model, path_prefix, language, metadata) e
              WHERE repositories IS NULL OR e.repo_name = ANY (repositories)) n
        WHERE n.distance <> 'NaN'
        ORDER BY n.distance + 0, n.repo_name, n.path LIMIT k;
    ELSE
        RETURN QUERY SELECT n.repo_name, n.path, n.distance, 'exact'::text
        FROM (SELECT e.repo_name, e.path, e.embedding OPERATOR(public.<=>) query AS distance
              FROM public.embeddings e) n
        WHERE n.distance <> 'NaN'
        ORDER BY n.distance + 0, n.repo_name, n.path LIMIT k;
    END IF;
END $$;

COMMENT ON FUNCTION db_service.search_many(text[], public.vector, integer, text, text, text, jsonb, text) IS 'What search_across and search_in_repositories do; repositories null: all.';

CREATE FUNCTION db_service.search_across(
    query public.vector, k integer DEFAULT 10, model text DEFAULT NULL, path_prefix text DEFAULT NULL,
    language text DEFAULT NULL, metadata jsonb DEFAULT NULL, recall text DEFAULT 'balanced')
RETURNS TABLE (repo_name text, path text, distance double precision, way text)
LANGUAGE sql STABLE PARALLEL UNSAFE ROWS 10 COST 10000 AS $$
    SELECT s.* FROM db_service.search_many(NULL, $1, $2, $3, $4, $5, $6, $7) s
$$;

COMMENT ON FUNCTION db_service.search_across(public.vector, integer, text, text, text, jsonb, text) IS 'The k nearest embeddings of all repositories by cosine distance.';

CREATE FUNCTION db_service.search_in_repositories(
    repositories text[], query public.vector, k integer DEFAULT 10, model text DEFAULT NULL, path_prefix text DEFAULT NULL,
    language text DEFAULT NULL, metadata jsonb DEFAULT NULL, recall text DEFAULT 'balanced')
RETURNS TABLE (repo_name text, path text, distance double precision, way text)
LANGUAGE sql STABLE PARALLEL UNSAFE ROWS 10 COST 10000 AS $$
    SELECT s.* FROM db_service.search_many(COALESCE($1, '{}'), $2, $3, $4, $5, $6, $7, $8) s
$$;

COMMENT ON FUNCTION db_service.search_in_repositories(text[], public.vector, integer, text, text, text, jsonb, text) IS 'The k nearest embeddings of some repositories by cosine distance.';

-- The functions read what their caller may read. `migrations` lets those use this schema and read the codes who may read
-- embeddings, and no others.
GRANT SELECT ON db_service.search_setting, db_service.embedding_model TO PUBLIC;
REVOKE EXECUTE ON FUNCTION db_service.keep_codes(), db_service.empty_codes(), db_service.begin_codes(),
    db_service.fold_codes(integer) FROM PUBLIC;
