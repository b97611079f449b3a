# The development shell: the tools, and a server with its databases and extensions. Schema is `db-setup`'s business.
{
  from,
  postgresql,
  toolchain,
  xtask,
  require,
}:
let
  # The first layer of `cargo xtask db-setup`, by the same code. Says one line, unless something is wrong.
  enter = from.writeShellScriptBin "singularity-enter" ''
    if [ -n "''${DATABASE_URL:-}" ]; then
      echo "singularity: DATABASE_URL is set, so no development server was started" >&2
    elif said=$(${xtask}/bin/xtask db-setup --layers bootstrap --server local --require ${require} 2>&1); then
      echo "singularity: ''${said##*$'\n'}" >&2
    else
      printf '%s\n' "$said" "singularity: the shell is there, its databases are not" >&2
    fi
  '';
in
from.mkShell {
  packages = [
    postgresql
    toolchain
    from.rust-analyzer
    from.cargo-nextest
    from.sqlx-cli
    from.squawk
    from.elixir
    from.hex
    from.rebar3
    from.direnv
    from.nix-direnv
  ];
  # mix finds what it would otherwise ask to install.
  MIX_REBAR3 = "${from.rebar3}/bin/rebar3";
  shellHook = "${enter}/bin/singularity-enter";
}
