#!/usr/bin/env bash
# Installs mdBook, which builds the documents of docs/ into pages (tests/tools/mdbook-requirements.txt), into .test-tools/mdbook,
# a virtual environment. Does nothing when this version is installed already.
#
# usage: tests/tools/install-mdbook.sh
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
mdbook="$here/.test-tools/mdbook"
requirements="$here/tests/tools/mdbook-requirements.txt"

if cmp -s "$requirements" "$mdbook/installed.txt"; then
  exit 0
fi

rm -rf "$mdbook"
mkdir -p "$here/.test-tools"
if ! python3 -m venv "$mdbook" 2>/dev/null; then
  # Debian's Python lacks the module venv.
  rm -rf "$mdbook"
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends python3-venv >/dev/null
  python3 -m venv "$mdbook"
fi
"$mdbook/bin/pip" install --quiet --disable-pip-version-check --no-deps --only-binary :all: --requirement "$requirements"
cp "$requirements" "$mdbook/installed.txt"
