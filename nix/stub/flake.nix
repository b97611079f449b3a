# A stand-in for nixpkgs, for machines that cannot reach the real one: what the flake takes from nixpkgs, mapped to the
# programs of this machine. For tests of the flake only; nothing that it builds is reproducible.
{
  outputs =
    { self }:
    let
      lib = import ./lib.nix;
    in
    {
      inherit lib;
      # What `nix develop` asks nixpkgs for.
      legacyPackages = lib.genAttrs lib.systems (system: import ./. { inherit system; });
    };
}
