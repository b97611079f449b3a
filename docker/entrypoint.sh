#!/bin/sh
# Creates the cluster on first start, then becomes the server. Further arguments go to `postgres`.
set -eu

: "${POSTGRES_PASSWORD:?set POSTGRES_PASSWORD to the password of the role postgres}"

if [ ! -d "$PGDATA" ]; then
  # Made aside and renamed when whole: a container killed during initdb starts anew.
  partial="$PGDATA.partial"
  rm -rf "$partial"
  password_file=$(mktemp)
  printf '%s\n' "$POSTGRES_PASSWORD" >"$password_file"
  initdb --pgdata="$partial" --username=postgres --pwfile="$password_file" \
    --auth=scram-sha-256 --encoding=UTF8 --locale-provider=builtin --locale=C.UTF-8
  rm -f "$password_file"
  echo "host all all all scram-sha-256" >>"$partial/pg_hba.conf"
  mv "$partial" "$PGDATA"
fi
unset POSTGRES_PASSWORD

# A killed container leaves the pid file of a server that is gone; every server here has pid 1, so it would look alive.
rm -f "$PGDATA/postmaster.pid"

# Where it is empty, the server's files decide.
preload=${POSTGRES_PRELOAD-timescaledb,pg_stat_statements}
exec postgres \
  -c listen_addresses='*' \
  ${preload:+-c "shared_preload_libraries=$preload"} \
  -c max_locks_per_transaction=256 \
  "$@"
