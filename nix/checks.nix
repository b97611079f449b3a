# What `nix flake check` builds. Each layer is checked on a PostgreSQL inside the sandbox, where no container can run.
{
  from,
  source,
  postgresql,
  extensions,
  require,
  rust,
}:
let
  inherit (from) lib;
  hex = import ./hex.nix { inherit from; };

  # A server with a superuser, and the URL of a database that `setup` creates: the hook's own has the encoding of the
  # build's locale.
  layer =
    name: attributes: script:
    from.runCommand "check-${name}"
      (
        attributes
        // {
          nativeBuildInputs = [
            postgresql
            from.postgresqlTestHook
            rust.xtask
            rust.migrations
          ]
          ++ attributes.nativeBuildInputs or [ ];
          PGUSER = "singularity";
          PGDATABASE = "of_the_hook";
          postgresqlTestUserOptions = "LOGIN SUPERUSER";
          postgresqlEnableTCP = 1;
          postgresqlExtraSettings = ''
            max_locks_per_transaction = 256
            shared_preload_libraries = '${preload}'
          '';
        }
      )
      ''
        cp --recursive --no-preserve=mode ${source} project
        cd project
        export HOME=$NIX_BUILD_TOP
        postgresqlStart
        export PGDATABASE=singularity
        export DATABASE_URL="postgres://$PGUSER@127.0.0.1:''${PGPORT:-5432}/$PGDATABASE"
        setup() { xtask --project "$PWD" db-setup --environment test --require ${require} "$@"; }
        # The tokens in newer dumps are random.
        dump() { pg_dump --schema-only "$1" | grep --invert-match '^\\\(un\)\?restrict '; }
        ${script}
        postgresqlStop
        touch $out
      '';
  # pgvector needs none.
  preload = lib.concatStringsSep ", " (
    lib.filter (name: name != "vector" && lib.elem name (lib.splitString "," require)) (lib.attrNames extensions)
  );
  load = "setup --layers bootstrap,ecto --ecto load";
in
{
  inherit (rust)
    xtask
    migrations
    clippy
    format
    unit-tests
    ;

  bootstrap = layer "bootstrap" { } ''
    setup --layers bootstrap
    for name in ${lib.replaceStrings [ "," ] [ " " ] require}; do
      psql --no-psqlrc --tuples-only --command "SELECT extversion FROM pg_extension WHERE extname = '$name'" | grep .
    done
    # No schema: no table, and nothing of the layers above.
    test "$(psql --no-psqlrc --tuples-only --no-align --command "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'")" = 0
    # A dry run fails if there is still something to do.
    setup --layers bootstrap --dry-run
  '';

  ecto =
    layer "ecto"
      {
        nativeBuildInputs = [
          from.elixir
          from.hex
        ]
        ++ lib.attrValues hex;
      }
      ''
        export MIX_ENV=prod MIX_HOME=$NIX_BUILD_TOP/mix HEX_OFFLINE=1 MIX_NO_DEPS=1
        setup --layers bootstrap
        (cd singularity_app && mix compile --no-deps-check)
        setup --layers ecto --ecto-command 'cd singularity_app && mix ecto.migrate --no-deps-check'
        setup --layers ecto --dry-run
        # What mix has made is what `structure.sql` says.
        DATABASE_URL=''${DATABASE_URL%/*}/loaded ${load}
        diff <(dump singularity) <(dump loaded)
      '';

  sqlx = layer "sqlx" { } ''
    ${load}
    migrations
    migrations verify
    migrations plan
  '';

  # The performance layer can go again, and leaves the schema as it was.
  structure = layer "structure" { } ''
    ${load}
    dump singularity > before.sql
    migrations
    migrations revert --yes
    psql --no-psqlrc --quiet --command 'DROP SCHEMA db_service CASCADE'
    diff before.sql <(dump singularity)
  '';
}
