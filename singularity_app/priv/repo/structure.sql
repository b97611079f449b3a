CREATE EXTENSION IF NOT EXISTS vector WITH SCHEMA public;

CREATE TABLE public.code_files (
    repo_name text NOT NULL,
    file_path text NOT NULL,
    id bigint NOT NULL,
    language text,
    content text NOT NULL,
    content_hash bytea NOT NULL,
    size_bytes integer NOT NULL,
    metadata jsonb DEFAULT '{}'::jsonb NOT NULL,
    inserted_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT code_files_content_hash_check CHECK ((octet_length(content_hash) = 32)),
    CONSTRAINT code_files_size_bytes_check CHECK ((size_bytes >= 0))
);

COMMENT ON TABLE public.code_files IS 'Source files of all repositories';

COMMENT ON COLUMN public.code_files.file_path IS 'Relative to the root of the repository';

COMMENT ON COLUMN public.code_files.id IS 'Handle for Ecto; the key is (repo_name, file_path)';

COMMENT ON COLUMN public.code_files.language IS 'Null: not recognised';

COMMENT ON COLUMN public.code_files.content_hash IS 'SHA-256 of the content';

COMMENT ON COLUMN public.code_files.size_bytes IS 'Size of the content in UTF-8';

CREATE SEQUENCE public.code_files_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;

ALTER SEQUENCE public.code_files_id_seq OWNED BY public.code_files.id;

CREATE TABLE public.code_fingerprints (
    id bigint NOT NULL,
    repo_name text NOT NULL,
    file_path text NOT NULL,
    content_hash bytea NOT NULL,
    structural_hash bytea,
    semantic_hash bytea,
    fingerprint_version integer DEFAULT 1 NOT NULL,
    inserted_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT code_fingerprints_content_hash_check CHECK ((octet_length(content_hash) = 32))
);

COMMENT ON TABLE public.code_fingerprints IS 'Hashes of files at three levels, to find duplicates';

COMMENT ON COLUMN public.code_fingerprints.content_hash IS 'SHA-256 of the bytes';

COMMENT ON COLUMN public.code_fingerprints.structural_hash IS 'Of the syntax tree without names; null: not parsed';

COMMENT ON COLUMN public.code_fingerprints.semantic_hash IS 'Of the normalised meaning; null: not parsed';

COMMENT ON COLUMN public.code_fingerprints.fingerprint_version IS 'Compare within one version only';

CREATE SEQUENCE public.code_fingerprints_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;

ALTER SEQUENCE public.code_fingerprints_id_seq OWNED BY public.code_fingerprints.id;

CREATE TABLE public.embeddings (
    repo_name text NOT NULL,
    path text NOT NULL,
    id bigint NOT NULL,
    model text NOT NULL,
    content_hash bytea NOT NULL,
    embedding public.vector(768) NOT NULL,
    metadata jsonb DEFAULT '{}'::jsonb NOT NULL,
    inserted_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT embeddings_content_hash_check CHECK ((octet_length(content_hash) = 32))
);

COMMENT ON TABLE public.embeddings IS 'Vectors of files, and of parts of files';

COMMENT ON COLUMN public.embeddings.path IS 'code_files.file_path; for a part of the file followed by # and the part';

COMMENT ON COLUMN public.embeddings.id IS 'Handle for Ecto; the key is (repo_name, path)';

COMMENT ON COLUMN public.embeddings.model IS 'What computed the vector; never compare across models';

COMMENT ON COLUMN public.embeddings.content_hash IS 'SHA-256 of the embedded text; unchanged: skip it';

CREATE SEQUENCE public.embeddings_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;

ALTER SEQUENCE public.embeddings_id_seq OWNED BY public.embeddings.id;

CREATE TABLE public.framework_patterns (
    id bigint NOT NULL,
    framework_name text NOT NULL,
    framework_type text NOT NULL,
    version_pattern text DEFAULT '*'::text NOT NULL,
    file_patterns text[] DEFAULT ARRAY[]::text[] NOT NULL,
    directory_patterns text[] DEFAULT ARRAY[]::text[] NOT NULL,
    commands jsonb DEFAULT '{}'::jsonb NOT NULL,
    confidence_weight double precision DEFAULT 1.0 NOT NULL,
    detection_count bigint DEFAULT 0 NOT NULL,
    success_count bigint DEFAULT 0 NOT NULL,
    last_detected_at timestamp with time zone,
    embedding public.vector(768),
    metadata jsonb DEFAULT '{}'::jsonb NOT NULL,
    inserted_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT framework_patterns_confidence_weight_check CHECK (((confidence_weight >= (0)::double precision) AND (confidence_weight <= (1)::double precision))),
    CONSTRAINT framework_patterns_success_count_check CHECK (((success_count >= 0) AND (success_count <= detection_count)))
)
WITH (fillfactor='80');

COMMENT ON TABLE public.framework_patterns IS 'How frameworks are recognised and run, and how often that was right';

COMMENT ON COLUMN public.framework_patterns.framework_type IS 'backend, frontend, build_tool, database, ...';

COMMENT ON COLUMN public.framework_patterns.version_pattern IS 'Versions it applies to; * for any';

COMMENT ON COLUMN public.framework_patterns.file_patterns IS 'Globs of telltale files';

COMMENT ON COLUMN public.framework_patterns.directory_patterns IS 'Globs of telltale folders';

COMMENT ON COLUMN public.framework_patterns.commands IS 'By purpose: {"test": "mix test", ...}';

COMMENT ON COLUMN public.framework_patterns.confidence_weight IS 'Weight of a match, 0 to 1';

COMMENT ON COLUMN public.framework_patterns.success_count IS 'Detections later found right';

COMMENT ON COLUMN public.framework_patterns.embedding IS 'Null until computed';

CREATE SEQUENCE public.framework_patterns_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;

ALTER SEQUENCE public.framework_patterns_id_seq OWNED BY public.framework_patterns.id;

CREATE TABLE public.llm_semantic_cache (
    id bigint NOT NULL,
    namespace text NOT NULL,
    model text NOT NULL,
    prompt text NOT NULL,
    prompt_hash bytea NOT NULL,
    prompt_embedding public.vector(768) NOT NULL,
    response text NOT NULL,
    prompt_tokens integer DEFAULT 0 NOT NULL,
    response_tokens integer DEFAULT 0 NOT NULL,
    cost_usd numeric(12,6) DEFAULT 0 NOT NULL,
    hit_count bigint DEFAULT 0 NOT NULL,
    last_hit_at timestamp with time zone,
    expires_at timestamp with time zone,
    metadata jsonb DEFAULT '{}'::jsonb NOT NULL,
    inserted_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT llm_semantic_cache_cost_usd_check CHECK ((cost_usd >= (0)::numeric)),
    CONSTRAINT llm_semantic_cache_prompt_hash_check CHECK ((octet_length(prompt_hash) = 32))
)
WITH (fillfactor='80');

COMMENT ON TABLE public.llm_semantic_cache IS 'Answers of language models, found by prompt hash or by a prompt close in meaning';

COMMENT ON COLUMN public.llm_semantic_cache.namespace IS 'Whatever an answer depends on: prompt template, settings, repositories and their versions';

COMMENT ON COLUMN public.llm_semantic_cache.prompt_hash IS 'SHA-256 of the normalised prompt';

COMMENT ON COLUMN public.llm_semantic_cache.cost_usd IS 'Saved by each hit';

COMMENT ON COLUMN public.llm_semantic_cache.expires_at IS 'Null: never';

CREATE SEQUENCE public.llm_semantic_cache_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;

ALTER SEQUENCE public.llm_semantic_cache_id_seq OWNED BY public.llm_semantic_cache.id;

CREATE TABLE public.rag_performance_stats (
    id bigint NOT NULL,
    inserted_at timestamp with time zone DEFAULT now() NOT NULL,
    query_type text NOT NULL,
    repo_name text,
    execution_time_ms double precision NOT NULL,
    rows_returned integer DEFAULT 0 NOT NULL,
    cache_hit boolean DEFAULT false NOT NULL,
    CONSTRAINT rag_performance_stats_execution_time_ms_check CHECK ((execution_time_ms >= (0)::double precision))
);

COMMENT ON TABLE public.rag_performance_stats IS 'One row for each measured query; append-only';

COMMENT ON COLUMN public.rag_performance_stats.repo_name IS 'Null: across all repositories';

CREATE SEQUENCE public.rag_performance_stats_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;

ALTER SEQUENCE public.rag_performance_stats_id_seq OWNED BY public.rag_performance_stats.id;

CREATE TABLE public.schema_migrations (
    version bigint NOT NULL,
    inserted_at timestamp(0) without time zone
);

CREATE TABLE public.tool_knowledge (
    id bigint NOT NULL,
    server_name text NOT NULL,
    tool_name text NOT NULL,
    description text NOT NULL,
    input_schema jsonb DEFAULT '{}'::jsonb NOT NULL,
    embedding public.vector(768),
    metadata jsonb DEFAULT '{}'::jsonb NOT NULL,
    inserted_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL
);

COMMENT ON TABLE public.tool_knowledge IS 'Tools of MCP servers, found by meaning';

COMMENT ON COLUMN public.tool_knowledge.input_schema IS 'JSON Schema of the arguments';

COMMENT ON COLUMN public.tool_knowledge.embedding IS 'Of name and description; null until computed';

CREATE SEQUENCE public.tool_knowledge_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;

ALTER SEQUENCE public.tool_knowledge_id_seq OWNED BY public.tool_knowledge.id;

ALTER TABLE ONLY public.code_files ALTER COLUMN id SET DEFAULT nextval('public.code_files_id_seq'::regclass);

ALTER TABLE ONLY public.code_fingerprints ALTER COLUMN id SET DEFAULT nextval('public.code_fingerprints_id_seq'::regclass);

ALTER TABLE ONLY public.embeddings ALTER COLUMN id SET DEFAULT nextval('public.embeddings_id_seq'::regclass);

ALTER TABLE ONLY public.framework_patterns ALTER COLUMN id SET DEFAULT nextval('public.framework_patterns_id_seq'::regclass);

ALTER TABLE ONLY public.llm_semantic_cache ALTER COLUMN id SET DEFAULT nextval('public.llm_semantic_cache_id_seq'::regclass);

ALTER TABLE ONLY public.rag_performance_stats ALTER COLUMN id SET DEFAULT nextval('public.rag_performance_stats_id_seq'::regclass);

ALTER TABLE ONLY public.tool_knowledge ALTER COLUMN id SET DEFAULT nextval('public.tool_knowledge_id_seq'::regclass);

ALTER TABLE ONLY public.code_files
    ADD CONSTRAINT code_files_pkey PRIMARY KEY (repo_name, file_path);

ALTER TABLE ONLY public.code_fingerprints
    ADD CONSTRAINT code_fingerprints_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.embeddings
    ADD CONSTRAINT embeddings_pkey PRIMARY KEY (repo_name, path);

ALTER TABLE ONLY public.framework_patterns
    ADD CONSTRAINT framework_patterns_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.llm_semantic_cache
    ADD CONSTRAINT llm_semantic_cache_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.rag_performance_stats
    ADD CONSTRAINT rag_performance_stats_pkey PRIMARY KEY (id, inserted_at);

ALTER TABLE ONLY public.schema_migrations
    ADD CONSTRAINT schema_migrations_pkey PRIMARY KEY (version);

ALTER TABLE ONLY public.tool_knowledge
    ADD CONSTRAINT tool_knowledge_pkey PRIMARY KEY (id);

CREATE INDEX code_files_content_hash_index ON public.code_files USING btree (content_hash);

CREATE INDEX code_files_id_index ON public.code_files USING btree (id);

CREATE INDEX code_files_language_index ON public.code_files USING btree (language);

CREATE INDEX code_files_metadata_index ON public.code_files USING gin (metadata);

CREATE INDEX code_fingerprints_content_hash_index ON public.code_fingerprints USING btree (content_hash);

CREATE UNIQUE INDEX code_fingerprints_repo_name_file_path_index ON public.code_fingerprints USING btree (repo_name, file_path);

CREATE INDEX code_fingerprints_semantic_hash_index ON public.code_fingerprints USING btree (semantic_hash);

CREATE INDEX code_fingerprints_structural_hash_index ON public.code_fingerprints USING btree (structural_hash);

CREATE INDEX embeddings_content_hash_index ON public.embeddings USING btree (content_hash);

CREATE INDEX embeddings_embedding_index ON public.embeddings USING hnsw (embedding public.vector_cosine_ops) WITH (m='16', ef_construction='64');

CREATE INDEX embeddings_id_index ON public.embeddings USING btree (id);

CREATE INDEX embeddings_metadata_index ON public.embeddings USING gin (metadata);

CREATE INDEX embeddings_model_index ON public.embeddings USING btree (model);

CREATE INDEX framework_patterns_commands_index ON public.framework_patterns USING gin (commands);

CREATE INDEX framework_patterns_directory_patterns_index ON public.framework_patterns USING gin (directory_patterns);

CREATE INDEX framework_patterns_embedding_index ON public.framework_patterns USING hnsw (embedding public.vector_cosine_ops) WITH (m='16', ef_construction='64');

CREATE INDEX framework_patterns_file_patterns_index ON public.framework_patterns USING gin (file_patterns);

CREATE INDEX framework_patterns_framework_type_index ON public.framework_patterns USING btree (framework_type);

CREATE INDEX framework_patterns_metadata_index ON public.framework_patterns USING gin (metadata);

CREATE UNIQUE INDEX framework_patterns_name_type_version_index ON public.framework_patterns USING btree (framework_name, framework_type, version_pattern);

CREATE INDEX llm_semantic_cache_expires_at_index ON public.llm_semantic_cache USING btree (expires_at);

CREATE INDEX llm_semantic_cache_metadata_index ON public.llm_semantic_cache USING gin (metadata);

CREATE INDEX llm_semantic_cache_model_index ON public.llm_semantic_cache USING btree (model);

CREATE UNIQUE INDEX llm_semantic_cache_namespace_prompt_hash_index ON public.llm_semantic_cache USING btree (namespace, prompt_hash);

CREATE INDEX llm_semantic_cache_prompt_embedding_index ON public.llm_semantic_cache USING hnsw (prompt_embedding public.vector_cosine_ops) WITH (m='16', ef_construction='64');

CREATE INDEX rag_performance_stats_inserted_at_index ON public.rag_performance_stats USING btree (inserted_at);

CREATE INDEX rag_performance_stats_query_type_inserted_at_index ON public.rag_performance_stats USING btree (query_type, inserted_at);

CREATE INDEX rag_performance_stats_repo_name_inserted_at_index ON public.rag_performance_stats USING btree (repo_name, inserted_at);

CREATE INDEX tool_knowledge_embedding_index ON public.tool_knowledge USING hnsw (embedding public.vector_cosine_ops) WITH (m='16', ef_construction='64');

CREATE INDEX tool_knowledge_input_schema_index ON public.tool_knowledge USING gin (input_schema);

CREATE INDEX tool_knowledge_metadata_index ON public.tool_knowledge USING gin (metadata);

CREATE UNIQUE INDEX tool_knowledge_server_name_tool_name_index ON public.tool_knowledge USING btree (server_name, tool_name);

CREATE INDEX tool_knowledge_tool_name_index ON public.tool_knowledge USING btree (tool_name);

INSERT INTO public."schema_migrations" (version) VALUES (20251005);
INSERT INTO public."schema_migrations" (version) VALUES (20251004222000);
INSERT INTO public."schema_migrations" (version) VALUES (20251005030000);
INSERT INTO public."schema_migrations" (version) VALUES (20251005030001);
INSERT INTO public."schema_migrations" (version) VALUES (20251005030002);
INSERT INTO public."schema_migrations" (version) VALUES (20251005030003);
