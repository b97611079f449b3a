# The outputs of the flake for one system.
{ pkgs }:
let
  from = import ./nixpkgs.nix { inherit pkgs; };
  inherit (from) lib hostPlatform;

  files =
    paths:
    lib.fileset.toSource {
      root = ../.;
      fileset = lib.fileset.unions paths;
    };
  # What the programs are made of: a change of anything else builds none of them anew.
  rust-files = [
    ../.cargo
    ../.sqlx
    ../Cargo.lock
    ../Cargo.toml
    ../crates
    ../db_service
    ../migrations
    # `db_service` learns the versions of Ecto's migrations from them.
    ../singularity_app/priv/repo/migrations
    ../xtask
  ];
  # And what the checks look at.
  source = files (
    rust-files
    ++ [
      ../clippy.toml
      ../docker
      ../docs
      ../rustfmt.toml
      ../singularity_app
      ../sqlx.toml
    ]
  );

  # The extensions of the development server, by their names in SQL.
  extensions = {
    vector = from.pgvector;
    vchord = from.vectorchord;
    timescaledb = from.timescaledb;
  }
  # pgvecto.rs is built for Linux only.
  // lib.optionalAttrs hostPlatform.isLinux { vectors = from.pgvecto-rs; };

  postgresql = from.postgresql.withPackages (_: lib.attrValues (offered extensions));
  # nixpkgs has all of them; its stand-in in `stub/` marks those that the machine lacks.
  offered = lib.filterAttrs (_: package: !(package.absentFromStub or false));
  require = lib.concatStringsSep "," (lib.attrNames (offered extensions));

  toolchain = from.rust-bin.fromRustupToolchainFile ../rust-toolchain.toml;
  rust = import ./rust.nix {
    inherit from source toolchain;
    programs = files rust-files;
  };
in
{
  packages = {
    default = rust.xtask;
    inherit (rust) xtask migrations;
    inherit postgresql;
  }
  // lib.optionalAttrs hostPlatform.isLinux {
    image = from.buildLayeredImage {
      name = "singularity-migrations";
      tag = "latest";
      contents = [ rust.migrations ];
      config = {
        Entrypoint = [ "/bin/migrations" ];
        Env = [ "SSL_CERT_FILE=${from.cacert}/etc/ssl/certs/ca-bundle.crt" ];
        User = "65534:65534";
      };
    };
  };

  apps =
    let
      app = package: description: {
        type = "app";
        program = "${package}/bin/${package.meta.mainProgram}";
        meta = { inherit description; };
      };
    in
    {
      default = app rust.xtask "Set the databases up, and all that is around it";
      xtask = app rust.xtask "Set the databases up, and all that is around it";
      migrations = app rust.migrations "Bring a database's performance layer up to date";
    };

  devShells.default = import ./shell.nix {
    inherit from postgresql toolchain require;
    inherit (rust) xtask;
  };

  checks = import ./checks.nix {
    inherit
      from
      source
      postgresql
      extensions
      require
      rust
      ;
  };

  inherit (from) formatter;
}
