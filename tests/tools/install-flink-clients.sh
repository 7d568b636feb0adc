#!/usr/bin/env bash
# Installs clients of Flink's REST API that other people wrote (tests/clients/requirements.txt) into
# .test-tools/flink-clients, a virtual environment. Does nothing when these versions are installed already.
#
# usage: tests/tools/install-flink-clients.sh
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
clients="$here/.test-tools/flink-clients"
requirements="$here/tests/clients/requirements.txt"

if cmp -s "$requirements" "$clients/installed.txt"; then
  exit 0
fi

rm -rf "$clients"
mkdir -p "$here/.test-tools"
if ! python3 -m venv "$clients" 2>/dev/null; then
  # Debian's Python lacks the module venv.
  rm -rf "$clients"
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends python3-venv >/dev/null
  python3 -m venv "$clients"
fi
"$clients/bin/pip" install --quiet --disable-pip-version-check --no-deps --requirement "$requirements"
cp "$requirements" "$clients/installed.txt"
