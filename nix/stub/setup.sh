# Functions of the stand-in's builders, and the environment of its shell.

# The shell's own variables are `packages` and `machinePath`; a builder has set its PATH already.
if [ -n "${machinePath:-}" ]; then
  PATH=$(printf '%s:' $packages)$machinePath
  export PATH
fi

for input in ${nativeBuildInputs:-}; do
  PATH=$input/bin:$PATH
  if [ -e "$input/nix-support/setup-hook" ]; then source "$input/nix-support/setup-hook"; fi
done

# link_program NAME: into $out/bin, if the machine has it.
link_program() {
  local found
  found=$(type -P "$1") || return 0
  # Not a link: some programs tell by their name or folder what they are.
  printf '#!/bin/sh\nexec "%s" "$@"\n' "$found" > "$out/bin/$1"
  chmod +x "$out/bin/$1"
}

unpack_source() {
  cp --recursive --no-preserve=mode "$src" source
  cd source
  export HOME=$PWD
  if [ -z "${CARGO_HOME:-}" ]; then unset CARGO_HOME; fi
  if [ -z "${CARGO_TARGET_DIR:-}" ]; then unset CARGO_TARGET_DIR; fi
}

no_network() {
  echo "$1 packages are fetched with the real nixpkgs only" >&2
  exit 1
}
