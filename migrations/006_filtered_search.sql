-- Searches that cost less: few rows are counted and compared by one statement, and for a filter that many rows pass, the index is
-- asked before they are.
--
-- requires-ecto: 20251005030000, 20251005030001
-- requires-table: public.code_files, public.embeddings
-- uses-extension: vector
-- provides: db_service.compare_qualifying(integer, text[], public.vector, integer, text, text, text, jsonb)
-- provides: db_service.nearest_codes(text, public.halfvec, bit, integer, integer, text[], text, text, text, jsonb)
--
-- Why: an exact search computed each distance twice, in its condition and in its order; in a repository of a few hundred rows,
-- most of the time went into statements that decided what to do. Across repositories, what passes a filter was counted first and searched then, by two statements that were planned anew
-- each time over all leaves; and where many rows pass, the index was read on by a plan that looked at all of them. Measured on
-- 13,000 real vectors and three noisy copies of each: a filter that half of them pass took 114 ms. And what was written and not
-- folded yet was compared with every candidate by its name.
-- Who uses it: the functions of 005_search, which give the same rows as before.
-- Locks: none on tables of others. Undo: run search_in_repository, qualifying_codes and search_many of 005_search again, as CREATE
-- OR REPLACE.

-- Subqueries that give one value, in place of EXISTS: they are asked for each candidate, and never for all rows at once, so that
-- one plan serves every filter, and however much lies in fresh_codes, of which a plan that was made once knows nothing.
CREATE OR REPLACE FUNCTION db_service.qualifying_codes(
    repositories text[], model text, path_prefix text, language text, metadata jsonb)
RETURNS TABLE (repo_name text, path text, half public.halfvec)
LANGUAGE sql STABLE PARALLEL SAFE ROWS 1000 AS $$
    SELECT c.repo_name, c.path, c.half
    FROM db_service.embedding_codes c
    WHERE ($1 IS NULL OR c.repo_name = ANY ($1))
      AND ($2 IS NULL OR c.model = $2)
      AND ($3 IS NULL OR pg_catalog.starts_with(c.path, $3))
      AND (SELECT true FROM db_service.fresh_codes f WHERE f.repo_name = c.repo_name AND f.path = c.path LIMIT 1) IS NULL
      AND ($5 IS NULL OR (
          SELECT e.metadata OPERATOR(pg_catalog.@>) $5 FROM public.embeddings e
          WHERE e.repo_name = c.repo_name AND e.path = c.path LIMIT 1))
      AND ($4 IS NULL OR (
          SELECT true FROM public.code_files f
          WHERE f.repo_name = c.repo_name AND f.language::text = $4
            AND f.file_path IN (c.path, pg_catalog.regexp_replace(c.path, '#[^#]*$', '')) LIMIT 1))
$$;

CREATE FUNCTION db_service.compare_qualifying(
    few integer, repositories text[], query public.vector, k integer, model text, path_prefix text, language text, metadata jsonb,
    OUT qualify integer, OUT names text[], OUT paths text[], OUT distances double precision[])
LANGUAGE plpgsql STABLE PARALLEL UNSAFE SET search_path = ''
-- The index of a filter is worth the planning.
SET plan_cache_mode = force_custom_plan AS $$
#variable_conflict use_variable
BEGIN
    WITH compared AS MATERIALIZED (
        SELECT e.repo_name, e.path, e.embedding OPERATOR(public.<=>) query AS distance
        FROM db_service.qualifying(model, path_prefix, language, metadata) e
        WHERE repositories IS NULL OR e.repo_name = ANY (repositories) LIMIT few)
    SELECT (SELECT pg_catalog.count(*) FROM compared), pg_catalog.array_agg(n.repo_name), pg_catalog.array_agg(n.path),
           pg_catalog.array_agg(n.distance)
    INTO qualify, names, paths, distances
    FROM (SELECT c.repo_name, c.path, c.distance FROM compared c WHERE c.distance <> 'NaN'
          ORDER BY c.distance, c.repo_name, c.path LIMIT k) n;
END $$;

COMMENT ON FUNCTION db_service.compare_qualifying(integer, text[], public.vector, integer, text, text, text, jsonb) IS 'How many embeddings pass the filters, and the k nearest of them; where there are as many as few or more, that many of them, and their nearest mean nothing.';

CREATE FUNCTION db_service.nearest_codes(
    form text, half public.halfvec, bits bit, wanted integer, kept integer,
    repositories text[], model text, path_prefix text, language text, metadata jsonb,
    OUT passed integer, OUT names text[], OUT paths text[])
LANGUAGE plpgsql STABLE PARALLEL UNSAFE SET search_path = '' AS $$
#variable_conflict use_variable
DECLARE
    is_filtered boolean := repositories IS NOT NULL OR model IS NOT NULL OR path_prefix IS NOT NULL OR language IS NOT NULL
                           OR metadata IS NOT NULL;
BEGIN
    IF form <> 'bits' AND is_filtered THEN
        SELECT pg_catalog.array_agg(c.repo_name), pg_catalog.array_agg(c.path) INTO names, paths
        FROM (SELECT c.repo_name, c.path
              FROM db_service.qualifying_codes(repositories, model, path_prefix, language, metadata) c
              ORDER BY c.half OPERATOR(public.<=>) half LIMIT wanted) c;
    ELSIF form <> 'bits' THEN
        SELECT pg_catalog.array_agg(c.repo_name), pg_catalog.array_agg(c.path) INTO names, paths
        FROM (SELECT c.repo_name, c.path
              FROM db_service.embedding_codes c
              WHERE (SELECT true FROM db_service.fresh_codes f WHERE f.repo_name = c.repo_name AND f.path = c.path LIMIT 1) IS NULL
              ORDER BY c.half OPERATOR(public.<=>) half LIMIT wanted) c;
    ELSIF is_filtered THEN
        SELECT pg_catalog.array_agg(c.repo_name ORDER BY c.about), pg_catalog.array_agg(c.path ORDER BY c.about) INTO names, paths
        FROM (SELECT c.repo_name, c.path, c.half OPERATOR(public.<=>) half AS about
              FROM db_service.qualifying_codes(repositories, model, path_prefix, language, metadata) c
              ORDER BY public.binary_quantize(c.half)::bit(768) OPERATOR(public.<~>) bits LIMIT wanted) c;
    ELSE
        SELECT pg_catalog.array_agg(c.repo_name ORDER BY c.about), pg_catalog.array_agg(c.path ORDER BY c.about) INTO names, paths
        FROM (SELECT c.repo_name, c.path, c.half OPERATOR(public.<=>) half AS about
              FROM db_service.embedding_codes c
              WHERE (SELECT true FROM db_service.fresh_codes f WHERE f.repo_name = c.repo_name AND f.path = c.path LIMIT 1) IS NULL
              ORDER BY public.binary_quantize(c.half)::bit(768) OPERATOR(public.<~>) bits LIMIT wanted) c;
    END IF;
    passed := COALESCE(pg_catalog.cardinality(names), 0);
    names := names[1:kept];
    paths := paths[1:kept];
END $$;

COMMENT ON FUNCTION db_service.nearest_codes(text, public.halfvec, bit, integer, integer, text[], text, text, text, jsonb) IS 'The nearest codes that pass the filters, by the index of a form: of so many that are wanted those that passed, and the nearest of these, so many as are kept.';

-- OFFSET 0, here and below: a distance is computed once, and then looked at. Without it the planner puts the computation in place
-- of its name, in the condition, in the order and in what is given back.
CREATE OR REPLACE FUNCTION db_service.search_in_repository(
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
    few integer := GREATEST(1000, 2 * k);
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
    IF NOT is_filtered THEN
        -- Most repositories hold few rows, and then one statement is all that there is: where there are more, it compares none.
        RETURN QUERY WITH counted AS MATERIALIZED (
            SELECT pg_catalog.count(*) AS number
            FROM (SELECT FROM public.embeddings e WHERE e.repo_name = repository LIMIT few) c)
        SELECT repository, n.path, n.distance, 'exact'::text
        FROM (SELECT e.path, e.embedding OPERATOR(public.<=>) query AS distance
              FROM public.embeddings e
              WHERE e.repo_name = repository AND (SELECT c.number < few FROM counted c) OFFSET 0) n
        WHERE n.distance <> 'NaN'
        ORDER BY n.distance, n.path LIMIT k;
        IF FOUND THEN
            RETURN;
        END IF;
    END IF;
    SELECT e.tableoid INTO leaf FROM public.embeddings e WHERE e.repo_name = repository LIMIT 1;
    IF leaf IS NULL THEN
        RETURN;
    END IF;
    IF is_filtered THEN
        -- The index of a filter is worth the planning.
        PERFORM pg_catalog.set_config('plan_cache_mode', 'force_custom_plan', true);
    END IF;
    IF recall <> 'exact' AND pg_catalog.current_setting('hnsw.iterative_scan', true) IS NOT NULL THEN
        IF is_filtered THEN
            SELECT c.qualify, c.paths, c.distances INTO qualify, paths, distances
            FROM db_service.compare_qualifying(few, ARRAY[repository], query, k, model, path_prefix, language, metadata) c;
            IF qualify < few THEN
                RETURN QUERY SELECT repository, n.path, n.distance, 'exact'::text
                FROM ROWS FROM (pg_catalog.unnest(paths), pg_catalog.unnest(distances)) n (path, distance)
                ORDER BY 3, 2;
                RETURN;
            END IF;
        END IF;
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
    -- A vector of zeros has no direction, and is in no index either.
    IF is_filtered THEN
        RETURN QUERY SELECT repository, n.path, n.distance, 'exact'::text
        FROM (SELECT e.path, e.embedding OPERATOR(public.<=>) query AS distance
              FROM db_service.qualifying(model, path_prefix, language, metadata) e
              WHERE e.repo_name = repository OFFSET 0) n
        WHERE n.distance <> 'NaN'
        ORDER BY n.distance, n.path LIMIT k;
    ELSE
        RETURN QUERY SELECT repository, n.path, n.distance, 'exact'::text
        FROM (SELECT e.path, e.embedding OPERATOR(public.<=>) query AS distance
              FROM public.embeddings e WHERE e.repo_name = repository OFFSET 0) n
        WHERE n.distance <> 'NaN'
        ORDER BY n.distance, n.path LIMIT k;
    END IF;
END $$;

CREATE OR REPLACE FUNCTION db_service.search_many(
    repositories text[], query public.vector, k integer, model text, path_prefix text, language text, metadata jsonb, recall text)
RETURNS TABLE (repo_name text, path text, distance double precision, way text)
LANGUAGE plpgsql STABLE PARALLEL UNSAFE ROWS 10 COST 10000 SET search_path = '' AS $$
#variable_conflict use_variable
DECLARE
    is_filtered boolean;
    -- Something that rows can be counted by. A folder is no column: to count what is below it would be to read everything.
    is_counted boolean;
    is_exact boolean;
    is_found boolean := false;
    few integer;
    qualify integer;
    used text;
    ef_search integer;
    more integer;
    wanted integer;
    kept integer;
    before text[];
    half public.halfvec := public.l2_normalize(query)::public.halfvec;
    bits bit(768) := public.binary_quantize(query)::bit(768);
    passed integer;
    fresh_names text[];
    fresh_paths text[];
    names text[];
    paths text[];
    distances double precision[];
BEGIN
    PERFORM db_service.check_search(query, k, recall);
    model := db_service.model_to_compare(model);
    is_counted := repositories IS NOT NULL OR model IS NOT NULL OR language IS NOT NULL OR metadata IS NOT NULL;
    is_filtered := is_counted OR path_prefix IS NOT NULL;
    is_exact := recall = 'exact' OR pg_catalog.current_setting('hnsw.iterative_scan', true) IS NULL;
    IF NOT is_exact THEN
        -- Who may not see all rows, or not the codes, is answered by the leaves; everybody is, while too much lies unfolded.
        SELECT s.way, s.ef_search, s.more INTO used, ef_search, more
        FROM db_service.search_setting s
        WHERE s.way = (SELECT db_service.codes_in_use()) AND s.recall = search_many.recall
          AND NOT pg_catalog.row_security_active('public.embeddings')
          AND pg_catalog.has_table_privilege('db_service.embedding_codes', 'SELECT')
          AND pg_catalog.has_table_privilege('db_service.fresh_codes', 'SELECT')
          AND pg_catalog.pg_relation_size('db_service.fresh_codes') < 64 * 1024 * 1024;
        wanted := k + more;
        kept := CASE used WHEN 'bits' THEN k + 10 ELSE k + more END;
    END IF;
    IF is_counted AND NOT is_exact THEN
        -- So few are compared in the time that it takes to ask the index.
        few := GREATEST(1000, k);
        SELECT c.* INTO qualify, names, paths, distances
        FROM db_service.compare_qualifying(few, repositories, query, k, model, path_prefix, language, metadata) c;
        IF qualify >= few AND used IS NOT NULL AND COALESCE(pg_catalog.cardinality(repositories), 9) > 8 THEN
            -- If a fifth of its candidates pass, the last that is wanted is well before the end of them.
            before := db_service.take_index(GREATEST(ef_search, 10 * k), GREATEST(wanted, 2 * k));
            PERFORM pg_catalog.set_config('hnsw.iterative_scan', 'off', true);
            SELECT n.passed, n.names, n.paths INTO passed, names, paths
            FROM db_service.nearest_codes(
                used, half, bits, GREATEST(wanted, 2 * k), GREATEST(kept, 2 * k),
                repositories, model, path_prefix, language, metadata) n;
            PERFORM db_service.leave_index(before);
            is_found := passed >= GREATEST(wanted / 2, 2 * k);
        END IF;
        IF qualify >= few AND NOT is_found THEN
            -- So many are compared in the time in which an index is read until it has found enough of so few. A row of the
            -- codes takes a quarter of a page.
            few := GREATEST(3000, k, LEAST(20000,
                pg_catalog.sqrt(350 * pg_catalog.pg_relation_size('db_service.embedding_codes') / 2048.0)));
            SELECT c.* INTO qualify, names, paths, distances
            FROM db_service.compare_qualifying(few, repositories, query, k, model, path_prefix, language, metadata) c;
        END IF;
        IF qualify < few THEN
            RETURN QUERY SELECT n.repo_name, n.path, n.distance, 'exact'::text
            FROM ROWS FROM (pg_catalog.unnest(names), pg_catalog.unnest(paths), pg_catalog.unnest(distances))
                n (repo_name, path, distance)
            ORDER BY n.distance, n.repo_name, n.path;
            RETURN;
        END IF;
    END IF;
    IF NOT is_exact AND pg_catalog.cardinality(repositories) <= 8 THEN
        RETURN QUERY SELECT n.repo_name, n.path, n.distance, n.way
        FROM (SELECT DISTINCT r.r FROM pg_catalog.unnest(repositories) r (r)) r
        CROSS JOIN LATERAL db_service.search_in_repository(r.r, query, k, model, path_prefix, language, metadata, recall) n
        ORDER BY n.distance, n.repo_name, n.path LIMIT k;
        RETURN;
    ELSIF NOT is_exact THEN
        IF used IS NULL THEN
            SELECT CASE c.relkind WHEN 'p' THEN 'merge-append' ELSE 'hnsw' END, CASE recall WHEN 'fast' THEN 10 ELSE 20 END
            INTO used, ef_search FROM pg_catalog.pg_class c WHERE c.oid = 'public.embeddings'::pg_catalog.regclass;
            before := db_service.take_index(ef_search, k);
            IF is_filtered THEN
                PERFORM pg_catalog.set_config('plan_cache_mode', 'force_custom_plan', true);
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
            -- Few, without an index: all of them are compared, by what costs least: they are of length 1, or of zeros. For whom
            -- nothing is filtered, nothing else is looked at.
            IF is_filtered THEN
                SELECT pg_catalog.array_agg(f.repo_name), pg_catalog.array_agg(f.path) INTO fresh_names, fresh_paths
                FROM (SELECT f.repo_name, f.path
                      FROM (SELECT f.*, f.half OPERATOR(public.<#>) half AS about
                            FROM db_service.fresh_codes f
                            WHERE f.half IS NOT NULL AND (
                                SELECT true FROM db_service.qualifying(model, path_prefix, language, metadata) e
                                WHERE e.repo_name = f.repo_name AND e.path = f.path
                                  AND (repositories IS NULL OR e.repo_name = ANY (repositories)) LIMIT 1)
                            OFFSET 0) f
                      WHERE f.about <> 0 OR public.l2_norm(f.half) > 0 ORDER BY f.about LIMIT k + 10) f;
            ELSE
                SELECT pg_catalog.array_agg(f.repo_name), pg_catalog.array_agg(f.path) INTO fresh_names, fresh_paths
                FROM (SELECT f.repo_name, f.path
                      FROM (SELECT f.*, f.half OPERATOR(public.<#>) half AS about
                            FROM db_service.fresh_codes f WHERE f.half IS NOT NULL OFFSET 0) f
                      WHERE f.about <> 0 OR public.l2_norm(f.half) > 0 ORDER BY f.about LIMIT k + 10) f;
            END IF;
            IF NOT is_found THEN
                before := db_service.take_index(ef_search, wanted);
                SELECT n.names, n.paths INTO names, paths
                FROM db_service.nearest_codes(
                    used, half, bits, wanted, kept, repositories, model, path_prefix, language, metadata) n;
                PERFORM db_service.leave_index(before);
            END IF;
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
    IF is_filtered THEN
        PERFORM pg_catalog.set_config('plan_cache_mode', 'force_custom_plan', true);
        RETURN QUERY SELECT n.repo_name, n.path, n.distance, 'exact'::text
        FROM (SELECT e.repo_name, e.path, e.embedding OPERATOR(public.<=>) query AS distance
              FROM db_service.qualifying(model, path_prefix, language, metadata) e
              WHERE repositories IS NULL OR e.repo_name = ANY (repositories) OFFSET 0) n
        WHERE n.distance <> 'NaN'
        ORDER BY n.distance, n.repo_name, n.path LIMIT k;
    ELSE
        RETURN QUERY SELECT n.repo_name, n.path, n.distance, 'exact'::text
        FROM (SELECT e.repo_name, e.path, e.embedding OPERATOR(public.<=>) query AS distance
              FROM public.embeddings e OFFSET 0) n
        WHERE n.distance <> 'NaN'
        ORDER BY n.distance, n.repo_name, n.path LIMIT k;
    END IF;
END $$;

-- What a search is planned with stands once, behind search_in_repository.
DO $$
DECLARE
    setting text;
BEGIN
    FOR setting IN
        SELECT s.setting
        FROM pg_catalog.pg_proc p, pg_catalog.unnest(p.proconfig) s (setting)
        WHERE p.oid = 'db_service.search_in_repository(text, public.vector, integer, text, text, text, jsonb, text)'::pg_catalog.regprocedure
          AND s.setting NOT LIKE 'search_path=%'
    LOOP
        EXECUTE pg_catalog.format(
            'ALTER FUNCTION db_service.search_many(text[], public.vector, integer, text, text, text, jsonb, text) SET %I TO %L',
            pg_catalog.split_part(setting, '=', 1), pg_catalog.substr(setting, pg_catalog.strpos(setting, '=') + 1));
    END LOOP;
END $$;
