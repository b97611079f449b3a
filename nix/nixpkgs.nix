# Everything that the flake takes from nixpkgs. No other file of it names an attribute of nixpkgs; a test compares.
# Behind each: the branches of nixpkgs that carry it under this name, as far as it matters.
{ pkgs }:
let
  inherit (pkgs) lib; # all
in
{
  inherit lib;
  inherit (pkgs.stdenv) hostPlatform; # all
  inherit (pkgs) mkShell; # all
  inherit (pkgs) runCommand; # all
  inherit (pkgs) writeShellScriptBin; # all

  inherit (pkgs) makeRustPlatform; # all
  inherit (pkgs) rust-bin; # none: rust-overlay adds it
  inherit (pkgs) rust-analyzer; # all
  inherit (pkgs) cargo-nextest; # all
  inherit (pkgs) sqlx-cli; # all
  inherit (pkgs) squawk; # all

  postgresql = pkgs.postgresql_16; # all
  inherit (pkgs.postgresql_16.pkgs) pgvector; # all
  # Up to nixos-25.11, for PostgreSQL 14 to 16; marked broken on 17. Thrown away as an alias where it is gone.
  pgvecto-rs = pkgs.postgresql_16.pkgs.pgvecto-rs; # up to 25.11
  inherit (pkgs.postgresql_16.pkgs) vectorchord; # 25.05 and later
  timescaledb = pkgs.postgresql_16.pkgs.timescaledb-apache; # 23.05 and later; `timescaledb` is unfree
  inherit (pkgs) postgresqlTestHook; # 22.05 and later

  elixir = pkgs.beam.packages.erlang_27.elixir_1_18; # 24.11 and later
  inherit (pkgs.beam.packages.erlang_27) hex; # all
  inherit (pkgs.beam.packages.erlang_27) rebar3; # all
  inherit (pkgs.beam.packages.erlang_27) fetchHex; # all
  inherit (pkgs.beam.packages.erlang_27) buildMix; # all
  inherit (pkgs.beam.packages.erlang_27) buildRebar3; # all

  inherit (pkgs) direnv; # all
  inherit (pkgs) nix-direnv; # all
  formatter = pkgs.nixfmt-rfc-style; # 24.05 to 25.11, an alias of `nixfmt` after

  inherit (pkgs) cacert; # all
  inherit (pkgs.dockerTools) buildLayeredImage; # all
}
