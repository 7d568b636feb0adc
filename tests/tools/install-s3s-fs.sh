#!/usr/bin/env bash
# Installs s3s-fs, an S3 server for tests that checks signatures, into .test-tools/s3s-fs. Newer versions need a newer Rust. Does nothing
# when this version is installed already.
#
# usage: tests/tools/install-s3s-fs.sh
set -euo pipefail

VERSION=0.14.1
here=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
folder="$here/.test-tools/s3s-fs"

if [ "$(cat "$folder/VERSION" 2>/dev/null || true)" = "$VERSION" ]; then
  exit 0
fi

mkdir -p "$here/.test-tools"
work=$(mktemp -d "$here/.test-tools/s3s-fs.XXXXXX")
trap 'rm -rf "$work"' EXIT
# Only small files pass through it: a quick build is worth more than a quick program.
env CARGO_PROFILE_RELEASE_OPT_LEVEL=1 CARGO_PROFILE_RELEASE_DEBUG=false CARGO_TARGET_DIR="$work/target" \
  cargo install --quiet --locked --root "$work/root" --version "$VERSION" --features binary s3s-fs
rm -rf "$folder"
mkdir "$folder"
mv "$work/root/bin/s3s-fs" "$folder/s3s-fs"
echo "$VERSION" > "$folder/VERSION"
