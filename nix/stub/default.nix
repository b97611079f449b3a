# The packages of the stand-in. Overlays are taken as in nixpkgs, and never looked at.
{
  system,
  overlays ? [ ],
  config ? { },
}:
let
  lib = import ./lib.nix;

  # What `machine.sh` has found here; without it the flake can be evaluated, and little be built.
  machine = {
    path = "/usr/local/bin:/usr/bin:/bin";
    postgresql = "/usr/bin";
    extensions = [ "vector" ];
    cargoHome = "";
    target = "";
  }
  // lib.optionalAttrs (builtins.pathExists ./machine.json) (
    builtins.fromJSON (builtins.readFile ./machine.json)
  );

  build =
    name: attributes: script:
    let
      package =
        derivation (
          removeAttrs attributes [
            "meta"
            "passthru"
          ]
          // {
            inherit name system;
            builder = "/bin/bash";
            args = [
              "-eu"
              "-o"
              "pipefail"
              "-c"
              ''
                export PATH=${machine.path}
                source ${./setup.sh}
                ${script}
                # Not replaced by its last program, which Nix would kill as soon as that closes its output.
                true
              ''
            ];
          }
        );
    in
    package // { meta = attributes.meta or { }; } // attributes.passthru or { };

  # Programs of the machine, as far as it has them.
  programs =
    name: names:
    build name { } ''
      mkdir -p $out/bin
      for name in ${lib.concatStringsSep " " names}; do link_program "$name"; done
    '';
  program = name: programs name [ name ];

  extension =
    name:
    build "stub-${name}" { passthru.absentFromStub = !lib.elem name machine.extensions; } "mkdir $out";

  postgresql =
    build "stub-postgresql"
      {
        passthru = {
          withPackages = _: postgresql;
          pkgs = {
            pgvector = extension "vector";
            pgvecto-rs = extension "vectors";
            vectorchord = extension "vchord";
            timescaledb-apache = extension "timescaledb";
          };
        };
      }
      ''
        mkdir -p $out/bin
        for program in ${machine.postgresql}/*; do ln -s "$program" $out/bin/; done
      '';

  hexPackage =
    { name, src, ... }@attributes:
    build "stub-${name}" {
      inherit src;
      beamDeps = attributes.beamDeps or [ ];
    } "no_network Hex";

  toolchain = programs "stub-rust" [
    "cargo"
    "rustc"
    "rustdoc"
    "rustfmt"
    "cargo-fmt"
    "cargo-clippy"
    "clippy-driver"
  ];

  buildRustPackage =
    attributes:
    build attributes.pname
      {
        inherit (attributes) src;
        meta = attributes.meta or { };
        SQLX_OFFLINE = attributes.SQLX_OFFLINE or "true";
        CARGO_HOME = machine.cargoHome;
        CARGO_TARGET_DIR = machine.target;
        # Half the disk. In all else as cargo builds beside it, so that one folder serves both.
        CARGO_INCREMENTAL = "0";
      }
      ''
        unpack_source
        ${attributes.buildPhase
          or "cargo build --locked ${lib.concatStringsSep " " attributes.cargoBuildFlags}"
        }
        ${attributes.installPhase or "install -D -t $out/bin \"\${CARGO_TARGET_DIR:-target}/debug/${attributes.pname}\""}
      '';
in
{
  inherit lib system;
  stdenv.hostPlatform = {
    inherit system;
    isLinux = builtins.match ".*-linux" system != null;
  };

  bashInteractive = program "bash";
  runCommand = build;
  writeShellScriptBin =
    name: text:
    build name { inherit text; } ''
      mkdir -p $out/bin
      printf '#!/bin/bash\n%s\n' "$text" > $out/bin/${name}
      chmod +x $out/bin/${name}
    '';
  mkShell =
    {
      packages,
      shellHook,
      ...
    }@attributes:
    derivation (
      attributes
      // {
        name = "stub-shell";
        inherit system shellHook;
        # As nixpkgs' mkDerivation sets it.
        outputs = [ "out" ];
        builder = "/bin/bash";
        # `nix develop` sources its `setup`.
        stdenv = build "stub-stdenv" { } ''
          mkdir $out
          cp ${./setup.sh} $out/setup
        '';
        machinePath = machine.path;
        packages = map (package: "${package}/bin") packages;
      }
    );

  makeRustPlatform = _: { inherit buildRustPackage; };
  rust-bin.fromRustupToolchainFile = _: toolchain;
  rust-analyzer = program "rust-analyzer";
  cargo-nextest = program "cargo-nextest";
  sqlx-cli = program "sqlx";
  squawk = program "squawk";

  postgresql_16 = postgresql;
  postgresqlTestHook = build "stub-postgresql-test-hook" { } ''
    mkdir -p $out/nix-support
    cp ${./postgresql-test-hook.sh} $out/nix-support/setup-hook
  '';

  beam.packages.erlang_27 = {
    elixir_1_18 = programs "stub-elixir" [
      "elixir"
      "iex"
      "mix"
    ];
    hex = build "stub-hex" { } "mkdir $out";
    rebar3 = program "rebar3";
    fetchHex = { pkg, version, sha256 }: build "stub-hex-${pkg}-${version}" { inherit sha256; } "no_network Hex";
    buildMix = hexPackage;
    buildRebar3 = hexPackage;
  };

  direnv = program "direnv";
  nix-direnv = build "stub-nix-direnv" { } "mkdir $out";
  nixfmt-rfc-style = program "nixfmt";
  cacert = build "stub-cacert" { } "mkdir $out";
  dockerTools.buildLayeredImage = { name, contents, ... }: build "stub-image-${name}" { inherit contents; } "mkdir $out";
}
