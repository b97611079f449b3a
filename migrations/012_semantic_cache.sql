-- Answers of language models, found again: by the same prompt, or by one that means nearly the same.
--
-- requires-ecto: 20251005
-- requires-table: public.llm_semantic_cache
-- provides: db_service.answer_namespace(text, text, text[]), db_service.prompt_hash(text)
-- provides: db_service.find_answer(text, text, vector, double precision)
-- provides: db_service.store_answer(text, text, text, vector, text, interval, integer, integer, numeric, jsonb)
-- provides: db_service.count_answer_hits(bigint[], bigint[]), db_service.answers_saved()
--
-- Why: an answer takes seconds and money, and half of all questions were asked before. What it was made of is a part of its
-- namespace, the versions of repositories as well: an answer about code that has changed is never found.
-- Who uses it: the application (`SELECT * FROM db_service.find_answer($1, $2, $3)`), `db_service::answers`.
-- All of it is in the rows of llm_semantic_cache, and runs with the rights of who calls it.
-- Locks: none. Undo: drop the functions.

CREATE FUNCTION db_service.answer_namespace(model text, template text, repositories text[] DEFAULT '{}') RETURNS text
LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = '' AS $$
DECLARE
    versions jsonb;
BEGIN
    IF model IS NULL OR template IS NULL OR pg_catalog.array_position(repositories, NULL) IS NOT NULL THEN
        RAISE EXCEPTION 'a namespace has a model and a template, and none of its repositories is null'
            USING ERRCODE = 'invalid_parameter_value';
    END IF;
    IF repositories IS NULL THEN
        versions := pg_catalog.to_jsonb(db_service.version_of_all()::text);
    ELSE
        -- One null and all is; of none there is none.
        SELECT CASE WHEN pg_catalog.bool_and(v.version IS NOT NULL) IS DISTINCT FROM false
               THEN COALESCE(pg_catalog.jsonb_object_agg(v.repository, v.version::text), '{}') END
        INTO versions
        FROM (SELECT r.repository, db_service.version_of(r.repository) AS version
              FROM pg_catalog.unnest(repositories) r (repository)) v;
    END IF;
    IF versions IS NULL THEN
        RETURN NULL;
    END IF;
    -- The role, since rows may be hidden from it. Of equal values the text of jsonb is equal.
    RETURN pg_catalog.jsonb_build_object(
        'model', model, 'template', template, 'role', current_user, 'versions', versions)::text;
END $$;

COMMENT ON FUNCTION db_service.answer_namespace(text, text, text[]) IS 'What an answer depends on, as of now: the model, the prompt template with its settings, the role, and the versions of the repositories that it reads; all of them if that is null. To be asked before the answer is computed, and used unchanged when it is stored. NULL: versions are not kept, so do not cache.';

CREATE FUNCTION db_service.prompt_hash(prompt text) RETURNS bytea
LANGUAGE sql STABLE STRICT PARALLEL SAFE SET search_path = ''
RETURN pg_catalog.sha256(pg_catalog.convert_to(
    NORMALIZE(pg_catalog.btrim(pg_catalog.replace(prompt, E'\r\n', E'\n'), E' \t\n'), NFC), 'UTF8'));

COMMENT ON FUNCTION db_service.prompt_hash(text) IS 'SHA-256 of a prompt, as prompt_hash has it: the same for other ends of lines, blanks around it, and another composition of its characters. What is within lines counts: there may be code.';

CREATE FUNCTION db_service.find_answer(
    namespace text, prompt text, embedding public.vector DEFAULT NULL, within double precision DEFAULT 0.05)
RETURNS TABLE (id bigint, response text, asked text, distance double precision, way text)
-- The planner is told which index to take, since what it knows of namespaces is always out of date.
LANGUAGE plpgsql STABLE PARALLEL UNSAFE ROWS 1 SET search_path = '' SET jit = off SET plan_cache_mode = force_generic_plan
SET enable_indexscan = on SET enable_indexonlyscan = on SET enable_seqscan = on SET enable_bitmapscan = on SET enable_sort = on
AS $$
#variable_conflict use_column
DECLARE
    -- Fewer are all compared.
    few CONSTANT bigint := 10000;
    many bigint;
    before text[];
    nearest bigint[];
BEGIN
    IF prompt IS NULL OR within IS NULL OR NOT within BETWEEN 0 AND 2 THEN
        RAISE EXCEPTION 'a prompt is looked for within a cosine distance from 0 to 2, and neither is null'
            USING ERRCODE = 'invalid_parameter_value';
    END IF;
    IF public.vector_norm(embedding) = 0 THEN
        RAISE EXCEPTION 'a vector of zeros is equally far from everything' USING ERRCODE = 'invalid_parameter_value';
    END IF;
    RETURN QUERY
    SELECT a.id, a.response, a.prompt, 0::double precision, 'exact'::text
    FROM public.llm_semantic_cache a
    WHERE a.namespace = find_answer.namespace AND a.prompt_hash = db_service.prompt_hash(find_answer.prompt)
        AND (a.expires_at IS NULL OR a.expires_at > pg_catalog.statement_timestamp());
    IF FOUND OR embedding IS NULL OR namespace IS NULL THEN
        RETURN;
    END IF;
    SELECT pg_catalog.count(*) INTO many
    FROM (SELECT FROM public.llm_semantic_cache a WHERE a.namespace = find_answer.namespace LIMIT few + 1) n;
    IF many <= few THEN
        -- "+ 0": no order that an index could give.
        nearest := ARRAY(
            SELECT a.id FROM public.llm_semantic_cache a
            WHERE a.namespace = find_answer.namespace
                AND (a.expires_at IS NULL OR a.expires_at > pg_catalog.statement_timestamp())
                AND public.vector_norm(a.prompt_embedding) > 0
            ORDER BY (a.prompt_embedding OPERATOR(public.<=>) embedding) + 0 LIMIT 1);
    ELSE
        before := db_service.take_index(100, 10);
        nearest := ARRAY(
            SELECT a.id FROM public.llm_semantic_cache a
            WHERE a.namespace = find_answer.namespace
                AND (a.expires_at IS NULL OR a.expires_at > pg_catalog.statement_timestamp())
            ORDER BY a.prompt_embedding OPERATOR(public.<=>) embedding LIMIT 10);
        PERFORM db_service.leave_index(before);
    END IF;
    -- The threshold is asked afterwards: within the scan it would be read on to the end for what is not there.
    RETURN QUERY
    SELECT n.id, n.response, n.prompt, n.distance, 'near'::text
    FROM (SELECT a.id, a.response, a.prompt, a.prompt_embedding OPERATOR(public.<=>) embedding AS distance
          FROM public.llm_semantic_cache a WHERE a.id = ANY (nearest) OFFSET 0) n
    WHERE n.distance <= within
    ORDER BY n.distance, n.id LIMIT 1;
END $$;

COMMENT ON FUNCTION db_service.find_answer(text, text, public.vector, double precision) IS 'The answer to the same prompt (way exact), else to the nearest one of the namespace within a cosine distance (way near); no row if there is none that has not expired. Writes nothing: who uses it says so by count_answer_hits. NULL as a namespace has none.';

CREATE FUNCTION db_service.store_answer(
    namespace text, model text, prompt text, embedding public.vector, response text,
    lifetime interval DEFAULT '7 days', prompt_tokens integer DEFAULT 0, response_tokens integer DEFAULT 0,
    cost_usd numeric DEFAULT 0, metadata jsonb DEFAULT '{}') RETURNS bigint
LANGUAGE plpgsql SET search_path = '' AS $$
#variable_conflict use_column
DECLARE
    stored bigint;
BEGIN
    IF namespace IS NULL THEN
        RETURN NULL;
    END IF;
    IF public.vector_norm(embedding) = 0 THEN
        RAISE EXCEPTION 'a vector of zeros is equally far from everything' USING ERRCODE = 'invalid_parameter_value';
    END IF;
    INSERT INTO public.llm_semantic_cache AS a (
        namespace, model, prompt, prompt_hash, prompt_embedding, response, prompt_tokens, response_tokens, cost_usd,
        expires_at, metadata)
    VALUES (
        store_answer.namespace, store_answer.model, store_answer.prompt, db_service.prompt_hash(store_answer.prompt),
        store_answer.embedding, store_answer.response, store_answer.prompt_tokens, store_answer.response_tokens,
        store_answer.cost_usd, pg_catalog.statement_timestamp() + store_answer.lifetime, store_answer.metadata)
    ON CONFLICT (namespace, prompt_hash) DO UPDATE SET
        model = excluded.model, prompt = excluded.prompt, prompt_embedding = excluded.prompt_embedding,
        response = excluded.response, prompt_tokens = excluded.prompt_tokens, response_tokens = excluded.response_tokens,
        cost_usd = excluded.cost_usd, expires_at = excluded.expires_at, metadata = excluded.metadata,
        updated_at = pg_catalog.now()
    RETURNING a.id INTO stored;
    RETURN stored;
END $$;

COMMENT ON FUNCTION db_service.store_answer(text, text, text, public.vector, text, interval, integer, integer, numeric, jsonb) IS 'Stores an answer for so long, for ever if that is null; one to the same prompt in the same namespace is replaced. Returns its id; null, and nothing is stored, where the namespace is null.';

CREATE FUNCTION db_service.count_answer_hits(ids bigint[], hits bigint[]) RETURNS bigint
LANGUAGE plpgsql SET search_path = '' AS $$
DECLARE
    counted bigint;
BEGIN
    IF pg_catalog.cardinality(ids) IS DISTINCT FROM pg_catalog.cardinality(hits) THEN
        RAISE EXCEPTION 'each answer has one number of hits' USING ERRCODE = 'invalid_parameter_value';
    END IF;
    -- Always in one order: two batches with the same answers would wait for each other in turn.
    WITH found AS (
        SELECT f.id, pg_catalog.sum(f.hits) AS hits
        FROM ROWS FROM (pg_catalog.unnest(ids), pg_catalog.unnest(hits)) f (id, hits) WHERE f.hits > 0 GROUP BY f.id),
    held AS MATERIALIZED (
        SELECT a.id FROM public.llm_semantic_cache a WHERE a.id = ANY (ids) ORDER BY a.id FOR NO KEY UPDATE),
    updated AS (
        UPDATE public.llm_semantic_cache a
        SET hit_count = a.hit_count + f.hits, last_hit_at = pg_catalog.statement_timestamp()
        FROM held h JOIN found f ON f.id = h.id WHERE a.id = h.id RETURNING 1)
    SELECT pg_catalog.count(*) INTO counted FROM updated;
    RETURN counted;
END $$;

COMMENT ON FUNCTION db_service.count_answer_hits(bigint[], bigint[]) IS 'Notes how often answers were used. For many at once: each is a row that is written. Returns how many of them are still there.';

CREATE FUNCTION db_service.answers_saved()
RETURNS TABLE (model text, answers bigint, hits bigint, tokens bigint, cost_usd numeric)
LANGUAGE sql STABLE PARALLEL SAFE SET search_path = '' AS $$
    SELECT a.model, pg_catalog.count(*), pg_catalog.sum(a.hit_count)::bigint,
           pg_catalog.sum(a.hit_count * (a.prompt_tokens + a.response_tokens))::bigint,
           pg_catalog.sum(a.hit_count * a.cost_usd)
    FROM public.llm_semantic_cache a GROUP BY a.model ORDER BY 5 DESC, 1
$$;

COMMENT ON FUNCTION db_service.answers_saved() IS 'What the answers that are stored have saved by being found again, by model.';
