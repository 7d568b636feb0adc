#!/usr/bin/env bash
# Installs moto, an S3 server for tests (tests/tools/moto-requirements.txt), into
# .test-tools/moto, a virtual environment. Does nothing when these versions are installed already.
#
# usage: tests/tools/install-moto.sh
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
moto="$here/.test-tools/moto"
requirements="$here/tests/tools/moto-requirements.txt"

if cmp -s "$requirements" "$moto/installed.txt"; then
  exit 0
fi

rm -rf "$moto"
mkdir -p "$here/.test-tools"
if ! python3 -m venv "$moto" 2>/dev/null; then
  # Debian's Python lacks the module venv.
  rm -rf "$moto"
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends python3-venv >/dev/null
  python3 -m venv "$moto"
fi
"$moto/bin/pip" install --quiet --disable-pip-version-check --no-deps --requirement "$requirements"
cp "$requirements" "$moto/installed.txt"
