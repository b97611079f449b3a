//! What searches are tried on.

/// A vector of 768 components as SQL, in clusters; the same for the same `g`.
pub(crate) const VECTOR: &str = "(SELECT array_agg(sin(g % 53 * i + i) + 0.4 * sin(g::double precision * i * i)) FROM generate_series(1, 768) i)::public.vector";

/// A large repository of 1,500 vectors, a middle one of 300, 40 small ones of five each; a tenth in another folder. Nothing is
/// analyzed, as after a bulk load.
pub(crate) fn fill() -> String {
    format!(
        "DROP INDEX embeddings_embedding_index;
         INSERT INTO embeddings (repo_name, path, model, content_hash, embedding, metadata)
         SELECT CASE WHEN g <= 1500 THEN 'large' WHEN g <= 1800 THEN 'middle' ELSE 'small' || g % 40 END,
                CASE WHEN g % 10 = 0 THEN 'lib/' ELSE 'src/' END || 'file' || g || CASE WHEN g % 2 = 0 THEN '#1' ELSE '' END,
                'm', sha256(g::text::bytea), {VECTOR}, jsonb_build_object('tenth', g % 10 = 0, 'rare', g % 400 = 0)
         FROM generate_series(1, 2000) g;
         SET max_parallel_maintenance_workers = 0;
         CREATE INDEX embeddings_embedding_index ON embeddings
         USING hnsw (embedding public.vector_cosine_ops) WITH (m = '16', ef_construction = '64');
         INSERT INTO code_files (repo_name, file_path, language, content, content_hash, size_bytes)
         SELECT repo_name, split_part(path, '#', 1), CASE WHEN path LIKE 'lib/%' THEN 'elixir' ELSE 'rust' END, '', sha256(''), 0
         FROM embeddings"
    )
}
