#!/usr/bin/env bash
# Installs Azurite, a server for tests that speaks Azure Blob Storage, into .test-tools/azurite. Does nothing when this version is
# installed already.
#
# usage: tests/tools/install-azurite.sh
set -euo pipefail

VERSION=3.37.0
here=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
folder="$here/.test-tools/azurite"

if [ "$(cat "$folder/VERSION" 2>/dev/null || true)" = "$VERSION" ]; then
  exit 0
fi

if ! command -v npm >/dev/null; then
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends nodejs npm >/dev/null
fi
rm -rf "$folder"
mkdir -p "$folder"
npm install --prefix "$folder" --no-audit --no-fund --silent --no-save --omit=dev --omit=optional --ignore-scripts "azurite@$VERSION"
echo "$VERSION" > "$folder/VERSION"
