-- $3: 1 is one plain table, anything else one in weeks.
INSERT INTO db_service.layout (table_name, partition_key, path_key, leaves) VALUES ($1, $2, NULL, $3)
ON CONFLICT (table_name) DO UPDATE SET leaves = EXCLUDED.leaves
