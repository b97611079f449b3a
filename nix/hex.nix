# The Hex packages of singularity_app/mix.lock, built: each fetched as a fixed-output derivation by the checksum of its
# tarball that the lock file holds.
{ from }:
let
  inherit (from) lib;

  # A line of the lock: `"name": {:hex, :package, "version", "inner checksum", [managers], [dependencies], "hexpm", "checksum"},`
  parse =
    line:
    let
      fields = builtins.match ''[ ]*"([^"]+)": [{]:hex, :([a-z0-9_]+), "([^"]+)", "[0-9a-f]{64}", [[]([^]]*)[]], ([[].*[]]), "hexpm", "([0-9a-f]{64})"[}],?'' line;
    in
    lib.optional (fields != null) {
      name = lib.elemAt fields 0;
      package = lib.elemAt fields 1;
      version = lib.elemAt fields 2;
      managers = lib.elemAt fields 3;
      requires = dependencies (lib.elemAt fields 4);
      checksum = lib.elemAt fields 5;
    };

  # The names in `[{:decimal, "~> 3.0", [hex: :decimal, …]}, …]`.
  dependencies =
    text:
    map lib.head (lib.filter lib.isList (builtins.split ''[{]:([a-z0-9_]+), "'' text));

  lines = lib.splitString "\n" (builtins.readFile ../singularity_app/mix.lock);
  locked = lib.concatMap parse lines;
  entries = lib.filter (lib.hasInfix ": {:") lines;

  packages = lib.listToAttrs (
    map (
      entry:
      lib.nameValuePair entry.name (
        (if lib.hasInfix ":mix" entry.managers then from.buildMix else from.buildRebar3) {
          inherit (entry) name version;
          src = from.fetchHex {
            pkg = entry.package;
            inherit (entry) version;
            sha256 = entry.checksum;
          };
          # Optional ones that the application does not use are not in the lock.
          beamDeps = map (name: packages.${name}) (lib.filter (name: packages ? ${name}) entry.requires);
        }
      )
    ) locked
  );
in
assert lib.assertMsg (lib.length entries == lib.length locked) "nix/hex.nix: a line of mix.lock is not understood";
packages
