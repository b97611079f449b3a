//! The formula of `docs/sizing.md` against what a server really takes, with this project's own sources and their vectors.

use ::database::notices;
use corpus::repository::Repositories;
use corpus::{Repository, Source, load};
use db_service::sizing::{self, Amount, Sizes};
use db_service::subject::codes::Form;
use terminal::activity::Unwatched;

use crate::Verdict::{self, Passed};
use crate::command::{block_on, migrations};
use crate::database::{Database, Stage};
use crate::server::{TestServer, project};

crate::tests![the_formula_comes_close_to_what_a_server_takes, a_graph_takes_the_memory_that_it_is_said_to_take];

/// How far the formula may be off, in hundredths: of graphs, whose pages hold so many elements and no more; of rows, whose names are
/// of unequal length; of keys; and of content, which can be compressed more or less.
const OF_GRAPHS: u64 = 3;
const OF_ROWS: u64 = 10;
const OF_KEYS: u64 = 10;
const OF_CONTENT: u64 = 25;

/// Megabytes: a container's `/dev/shm` has 64, and the index of the codes is built by two processes.
const MEMORY: &str = "48";

/// So that pages which are not full are few.
const LEAVES: u64 = 4;

/// This project, each of its crates a repository, and beside each vector three others that are a little off: some thousand.
fn loaded(server: &TestServer) -> Database<'_> {
    let database = Database::at(server, Stage::Declared);
    database.execute("DROP INDEX embeddings_embedding_index");
    let mut repositories = Repositories::in_folder(&project().join("crates")).unwrap();
    let folders = ["db_service", "docs", "migrations", "singularity_app", "xtask"];
    let others = folders.map(|name| Repository { name: name.to_owned(), folder: project().join(name) });
    repositories.all.extend(others);
    let source = Source::files(repositories).copies(3);
    let loaded = block_on(load(source, &database.url, &load::Terms { jobs: 2, watcher: &Unwatched })).unwrap();
    assert!(loaded.vectors.written > 2_000, "{loaded:?}");
    database.execute(
        "SET max_parallel_maintenance_workers = 0; SET maintenance_work_mem = '128MB';
         CREATE INDEX embeddings_embedding_index ON embeddings USING hnsw (embedding vector_cosine_ops) WITH (m = '16', ef_construction = '64')",
    );
    database
}

fn number(database: &Database<'_>, sql: &str) -> u64 {
    database.text(&format!("SELECT ({sql})::bigint::text")).parse().unwrap()
}

/// What there is, with the names as long as they are.
fn amount(database: &Database<'_>) -> Amount {
    let number = |sql: &str| number(database, sql);
    Amount {
        vectors: number("SELECT count(*) FROM embeddings"),
        files: number("SELECT count(*) FROM code_files"),
        content_bytes: number("SELECT sum(size_bytes) FROM code_files"),
        leaves: LEAVES,
        names: (
            number("SELECT avg(octet_length(repo_name)) FROM embeddings"),
            number("SELECT avg(octet_length(path)) FROM embeddings"),
            number("SELECT avg(octet_length(model)) FROM embeddings"),
        ),
        metadata_keys: 0,
    }
}

fn the_formula_comes_close_to_what_a_server_takes(server: &TestServer) -> Verdict {
    let database = loaded(server);
    for table in ["embeddings", "code_files"] {
        let leaves = LEAVES.to_string();
        migrations(
            &database.url_text(),
            &["layout", "--table", table, "--leaves", &leaves, "--yes", "--index-memory", MEMORY],
        )
        .succeeds();
    }
    let amount = amount(&database);
    let of = |table: &str, which: &str| {
        number(&database, &format!(
            "SELECT COALESCE(sum({which}), 0) FROM pg_class t WHERE t.relname = '{table}' AND t.relkind = 'r'
               AND (t.relnamespace::regnamespace::text LIKE 'leaf\\_4\\_%' OR t.relnamespace = 'db_service'::regnamespace)"
        ))
    };
    let indexes = |condition: &str| {
        format!("(SELECT COALESCE(sum(pg_relation_size(i.indexrelid)), 0) FROM pg_index i JOIN pg_class x ON x.oid = i.indexrelid
                  JOIN pg_am m ON m.oid = x.relam WHERE i.indrelid = t.oid AND {condition})")
    };
    let (rows, vectors, key) = ("pg_table_size(t.oid)", indexes("amname = 'hnsw'"), indexes("indisprimary"));
    let others = indexes("amname <> 'hnsw' AND NOT indisprimary");
    let mut off = Vec::new();
    // Besides, an index may have a page more in each leaf, which is much where there are few rows.
    let mut compare = |what: &str, computed: u64, measured: u64, allowed: u64, indexes: u64| {
        if computed.abs_diff(measured) > measured * allowed / 100 + indexes * LEAVES * 8192 {
            off.push(format!("{what}: computed {computed}, measured {measured}"));
        }
    };
    let Sizes { embeddings, codes, code_files } = Sizes::of(&amount, Form::Halfvec);
    compare("embeddings, rows", embeddings.rows, of("embeddings", rows), OF_ROWS, 0);
    compare("embeddings, vector index", embeddings.vector_index, of("embeddings", &vectors), OF_GRAPHS, 0);
    compare("embeddings, primary key", embeddings.primary_key, of("embeddings", &key), OF_KEYS, 1);
    compare("embeddings, other indexes", embeddings.other_indexes, of("embeddings", &others), OF_KEYS, 4);
    compare("codes, rows", codes.rows, of("embedding_codes", rows), OF_ROWS, 0);
    compare("codes, halfvec", codes.vector_index, of("embedding_codes", &vectors), OF_GRAPHS, 0);
    compare("codes, primary key", codes.primary_key, of("embedding_codes", &key), OF_KEYS, 1);
    compare("code_files, rows", code_files.rows, of("code_files", rows), OF_CONTENT, 0);
    compare("code_files, primary key", code_files.primary_key, of("code_files", &key), OF_KEYS, 1);
    compare("code_files, other indexes", code_files.other_indexes, of("code_files", &others), OF_KEYS, 4);
    database.execute("UPDATE db_service.codes SET form = 'bits'");
    migrations(&database.url_text(), &["--index-memory", MEMORY]).succeeds();
    let bits = Sizes::of(&amount, Form::Bits).codes.vector_index;
    compare("codes, bits", bits, of("embedding_codes", &vectors), OF_GRAPHS, 0);
    assert!(off.is_empty(), "{off:#?}\n{amount:?}");
    Passed
}

fn a_graph_takes_the_memory_that_it_is_said_to_take(server: &TestServer) -> Verdict {
    let database = loaded(server);
    let build = "SET max_parallel_maintenance_workers = 0; SET maintenance_work_mem = '4MB'; REINDEX INDEX embeddings_embedding_index";
    let (done, said) = database.with(async |connection| notices::heard(sqlx::raw_sql(build).execute(connection)).await);
    done.unwrap();
    let after = said.iter().find_map(|said| said.split_once("maintenance_work_mem after ").map(|(_, rest)| rest));
    let after = after.unwrap_or_else(|| panic!("nothing was said of the memory: {said:?}"));
    let vectors: u64 = after.split(' ').next().unwrap().parse().unwrap();
    let computed = sizing::leaf_build_memory(vectors);
    assert!(computed.abs_diff(4 << 20) * 100 < (4 << 20) * 15, "{vectors} vectors: computed {computed}");
    Passed
}
