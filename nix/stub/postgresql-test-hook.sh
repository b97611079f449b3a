# What the flake uses of nixpkgs' postgresqlTestHook: a server for one build. PostgreSQL refuses to run as root, as
# which builds without a sandbox may run.
as_server() {
  if [ "$(id -u)" = 0 ]; then setpriv --reuid=nobody --regid=nogroup --clear-groups "$@"; else "$@"; fi
}

postgresqlStart() {
  export PGDATA=$NIX_BUILD_TOP/postgresql PGHOST=$NIX_BUILD_TOP/run PGUSER PGDATABASE PGPORT=${PGPORT:-5432}
  mkdir -p "$PGDATA" "$PGHOST"
  chmod 700 "$PGDATA"
  if [ "$(id -u)" = 0 ]; then
    chmod go+x "$NIX_BUILD_TOP"
    chown nobody "$PGDATA" "$PGHOST"
  fi
  as_server initdb --pgdata="$PGDATA" --username=postgres --auth=trust --no-sync >/dev/null
  printf '%s\n' "$postgresqlExtraSettings" "unix_socket_directories = '$PGHOST'" >> "$PGDATA/postgresql.conf"
  as_server pg_ctl --pgdata="$PGDATA" --wait --log="$PGDATA/log" start >/dev/null
  psql --no-psqlrc --quiet --username=postgres --dbname=postgres \
    --command "CREATE ROLE \"$PGUSER\" $postgresqlTestUserOptions" --command "CREATE DATABASE \"$PGDATABASE\" OWNER \"$PGUSER\""
}

postgresqlStop() {
  as_server pg_ctl --pgdata="$PGDATA" --mode=immediate stop >/dev/null
}
