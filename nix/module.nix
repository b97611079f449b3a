# The server for those who deploy on NixOS: PostgreSQL with the four extensions, and what they need at its start.
# Databases and schema are `migrations` and Ecto's business.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  cfg = config.services.singularity-database;
in
{
  options.services.singularity-database = {
    enable = lib.mkEnableOption "a PostgreSQL server that Singularity's database can live on";
    pgvecto-rs = lib.mkOption {
      type = lib.types.bool;
      default = true;
      description = "Whether to offer pgvecto.rs (`vectors`). nixpkgs carries it up to nixos-25.11, for PostgreSQL 14 to 16.";
    };
  };

  config = lib.mkIf cfg.enable {
    services.postgresql = {
      enable = true;
      package = lib.mkDefault pkgs.postgresql_16;
      extensions =
        extensions:
        [
          extensions.pgvector
          extensions.timescaledb-apache
          extensions.vectorchord
        ]
        ++ lib.optional cfg.pgvecto-rs extensions.pgvecto-rs;
      settings = {
        shared_preload_libraries = [
          "timescaledb"
          "vchord"
        ]
        ++ lib.optional cfg.pgvecto-rs "vectors";
        # Every leaf of a partitioned table takes a lock of its own.
        max_locks_per_transaction = lib.mkDefault 256;
      };
    };
  };
}
