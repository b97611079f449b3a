# The Rust programs, and what is checked of their source.
{
  from,
  source,
  programs,
  toolchain,
}:
let
  platform = from.makeRustPlatform {
    cargo = toolchain;
    rustc = toolchain;
  };
  workspace =
    attributes:
    platform.buildRustPackage (
      {
        version = (from.lib.importTOML ../Cargo.toml).workspace.package.version;
        src = programs;
        cargoLock.lockFile = ../Cargo.lock;
        # The suites need servers; unit tests and layers are checks of their own.
        doCheck = false;
        # Queries are checked against `.sqlx`, no database is asked.
        SQLX_OFFLINE = "true";
      }
      // attributes
    );
  program =
    name: description:
    workspace {
      pname = name;
      # Both packages, so that their libraries have the same features and are built once for both programs.
      cargoBuildFlags = [
        "--package"
        "xtask"
        "--package"
        "db_service"
        "--bin"
        name
      ];
      meta = {
        inherit description;
        mainProgram = name;
        license = from.lib.licenses.mit;
      };
    };
  # A command of cargo that leaves nothing behind.
  check =
    name: command:
    workspace {
      pname = name;
      src = source;
      buildPhase = command;
      installPhase = "touch $out";
    };
in
{
  xtask = program "xtask" "Sets Singularity's databases up";
  migrations = program "migrations" "Brings the performance layer of a database up to date";
  clippy = check "clippy" "cargo clippy --offline --workspace --all-targets -- --deny warnings";
  # Not by way of cargo, which looks for it in its own folder first.
  format = check "format" "cargo-fmt --all --check";
  unit-tests = check "unit-tests" "cargo test --offline --workspace --lib --bins";
}
