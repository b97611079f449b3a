# The development shell, the packages and the checks. No schema: that is Ecto's.
{
  description = "Singularity's database: bootstrap, Ecto, performance layer";

  inputs = {
    # The last branch that carries pgvecto.rs.
    nixpkgs.url = "github:NixOS/nixpkgs/nixos-25.11";
    # sqlx 0.9 needs Rust 1.94, that branch carries 1.91; this has the version that rust-toolchain.toml names.
    rust-overlay = {
      url = "github:oxalica/rust-overlay";
      inputs.nixpkgs.follows = "nixpkgs";
    };
  };

  outputs =
    {
      self,
      nixpkgs,
      rust-overlay,
    }:
    let
      systems = [
        "x86_64-linux"
        "aarch64-linux"
        "x86_64-darwin"
        "aarch64-darwin"
      ];
      project =
        system:
        import ./nix {
          pkgs = import nixpkgs {
            inherit system;
            overlays = [ rust-overlay.overlays.default ];
          };
        };
      each = output: nixpkgs.lib.genAttrs systems (system: (project system).${output});
    in
    {
      packages = each "packages";
      apps = each "apps";
      devShells = each "devShells";
      checks = each "checks";
      formatter = each "formatter";
      nixosModules.default = import ./nix/module.nix;
    };
}
