//! What `bench` takes.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::server::ServerOptions;

#[derive(Debug, Subcommand)]
pub(crate) enum Bench {
    /// A set-up with nothing to do, against the three tools one after the other
    Noop {
        /// Runs of each
        #[arg(long, default_value_t = 20)]
        runs: u32,
        /// Print the outcome as JSON on stdout
        #[arg(long)]
        json: bool,
    },
    /// Converting live tables into hash leaves under writers, against the same with the application switched off
    ///
    /// In a scratch database, with generated rows: 300 repositories of very unequal size, files of 0.3 to 3 KB, vectors of
    /// 768 dimensions in clusters.
    Relayout(RelayoutOptions),
    /// Loading source files and their vectors, by COPY over several connections
    ///
    /// Into a scratch database that has all three layers and is dropped afterwards, or into the database that a URL names, where
    /// what is loaded stays. Loading the same again changes nothing.
    Ingest(IngestOptions),
    /// Searches by the layer's functions, against one table with one vector index, partial indexes and merge-append
    ///
    /// In a scratch database for each size, which is dropped afterwards. Every side is tried as hard as it takes to find 99 of
    /// 100 of the true nearest, with the searches of all sides interleaved; times, recall and ratios are printed beside what
    /// is to be reached. 100,000 vectors take about ten minutes on two cores.
    Search(SearchOptions),
    /// Answers from the cache, against the same search without it, and what it costs writers that versions are kept
    ///
    /// In a scratch database, which is dropped afterwards. Build it with `--release`: an answer from memory takes a few
    /// microseconds, most of them in this program.
    Cache(CacheOptions),
    /// Writing what queries took by batches from a queue, against an INSERT for each query
    ///
    /// In a scratch database, which is dropped afterwards. Build it with `--release`.
    Stats(StatsOptions),
    /// Finding out which contents are known and which files have changed, against asking for each, and what it costs writers
    ///
    /// In a scratch database, which is dropped afterwards, and a filter in memory. Build it with `--release`: to probe a filter
    /// takes less time than to call a function that was not optimised.
    Dedup(DedupOptions),
}

/// Where vectors come from.
#[derive(Debug, Args)]
pub(crate) struct SourceOptions {
    /// A repository, or a folder of repositories; default: the sources of the crates in Cargo's registry
    ///
    /// A Git checkout, and a folder without folders, is one repository; in any other, each folder directly beneath is one. Its
    /// name is the folder's, without the version where it is `name-1.2.3` and the newest of that name.
    #[arg(long, value_name = "FOLDER", conflicts_with = "vectors")]
    pub(crate) path: Option<PathBuf>,
    /// Vectors that a model has made, in place of hashed words: an npy file of n × 768 half or single floats
    #[arg(long, value_name = "FILE", requires = "rows")]
    pub(crate) vectors: Option<PathBuf>,
    /// What they stand for: a JSON list of n rows `[repository, path, bytes]`
    #[arg(long, value_name = "FILE", requires = "vectors")]
    pub(crate) rows: Option<PathBuf>,
    /// Name of the model; default: `hashed-features-768`, and `all-mpnet-base-v2` for vectors from a file
    #[arg(long, value_name = "NAME")]
    pub(crate) model: Option<String>,
    /// Beside each vector so many others that differ from it a little, where there are fewer than are wanted
    #[arg(long, value_name = "NUMBER", default_value_t = 0)]
    pub(crate) copies: u32,
}

#[derive(Debug, Args)]
pub(crate) struct SearchOptions {
    /// Vectors, one database after the other
    #[arg(long, value_name = "VECTORS", value_delimiter = ',', default_values_t = [10_000, 100_000])]
    pub(crate) sizes: Vec<u64>,
    /// How many search at once, besides one alone
    #[arg(long, value_name = "CLIENTS", value_delimiter = ',', default_values_t = [10, 32])]
    pub(crate) clients: Vec<u16>,
    /// Vectors that are taken out and searched for
    #[arg(long, value_name = "NUMBER", default_value_t = 100, value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) queries: u16,
    #[command(flatten)]
    pub(crate) source: SourceOptions,
    /// Print the outcome as JSON on stdout
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) server: ServerOptions,
}

#[derive(Debug, Args)]
pub(crate) struct CacheOptions {
    #[command(flatten)]
    pub(crate) source: SourceOptions,
    /// No more than so many vectors, the first ones
    #[arg(long, value_name = "VECTORS")]
    pub(crate) limit: Option<u64>,
    /// Print the outcome as JSON on stdout
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) server: ServerOptions,
}

#[derive(Debug, Args)]
pub(crate) struct StatsOptions {
    /// Print the outcome as JSON on stdout
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) server: ServerOptions,
}

#[derive(Debug, Args)]
pub(crate) struct DedupOptions {
    /// Contents in the filter that is probed
    #[arg(long, value_name = "CONTENTS", default_value_t = 10_000_000, value_parser = clap::value_parser!(u32).range(100_000..=1_000_000_000))]
    pub(crate) contents: u32,
    /// Rows of `code_files`, beside the 10,000 of the repository that is compared
    #[arg(long, value_name = "ROWS", default_value_t = 200_000)]
    pub(crate) rows: u32,
    /// Print the outcome as JSON on stdout
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) server: ServerOptions,
}

#[derive(Debug, Args)]
pub(crate) struct RelayoutOptions {
    /// Rows of `code_files`
    #[arg(long, default_value_t = 1_000_000)]
    pub(crate) rows: u32,
    /// Rows of `embeddings`
    #[arg(long, default_value_t = 100_000)]
    pub(crate) vectors: u32,
    /// Connections that write to each table meanwhile
    #[arg(long, default_value_t = 2)]
    pub(crate) writers: u32,
    /// Print the outcome as JSON on stdout
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) server: ServerOptions,
}

#[derive(Debug, Args)]
pub(crate) struct IngestOptions {
    #[command(flatten)]
    pub(crate) source: SourceOptions,
    /// No more than so many vectors, the first ones
    #[arg(long, value_name = "VECTORS")]
    pub(crate) limit: Option<u64>,
    /// Connections that write at once
    #[arg(long, value_name = "CONNECTIONS", default_value_t = 4, value_parser = clap::value_parser!(u8).range(1..))]
    pub(crate) jobs: u8,
    /// Keep the scratch database, and go on with one that was kept before
    #[arg(long)]
    pub(crate) keep: bool,
    /// Print the outcome as JSON on stdout
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) server: ServerOptions,
}
