#!/bin/sh
# Makes the image debian:trixie-slim from Debian's packages where no container registry can be reached.
# Needs root and debootstrap; takes half a minute. CONTAINER_ENGINE names the engine (default: docker).
set -eu

engine=${CONTAINER_ENGINE:-docker}
if ! command -v debootstrap >/dev/null; then
  echo "base-image.sh: debootstrap is not installed: run \`apt-get install debootstrap\`" >&2
  exit 1
fi

root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT INT TERM
debootstrap --variant=minbase --include=ca-certificates trixie "$root"
rm -rf "$root"/var/cache/apt/archives/*.deb "$root"/var/lib/apt/lists/*
tar --directory="$root" --create . | "$engine" import - debian:trixie-slim
