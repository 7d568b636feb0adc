#!/usr/bin/env bash
# Installs schemathesis, which sends a server all kinds of requests that its OpenAPI document allows and forbids
# (tests/tools/schemathesis-requirements.txt), into .test-tools/schemathesis, a virtual environment. Does nothing when these
# versions are installed already.
#
# usage: tests/tools/install-schemathesis.sh
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
schemathesis="$here/.test-tools/schemathesis"
requirements="$here/tests/tools/schemathesis-requirements.txt"

if cmp -s "$requirements" "$schemathesis/installed.txt"; then
  exit 0
fi

rm -rf "$schemathesis"
mkdir -p "$here/.test-tools"
if ! python3 -m venv "$schemathesis" 2>/dev/null; then
  # Debian's Python lacks the module venv.
  rm -rf "$schemathesis"
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends python3-venv >/dev/null
  python3 -m venv "$schemathesis"
fi
"$schemathesis/bin/pip" install --quiet --disable-pip-version-check --no-deps --requirement "$requirements"
cp "$requirements" "$schemathesis/installed.txt"
