#!/usr/bin/env bash
# Installs Helm and the schemas of Kubernetes, as Python packages
# (tests/tools/chart-check-requirements.txt), into .test-tools/chart-check, a virtual environment. Does nothing when these
# versions are installed already.
#
# usage: tests/tools/install-chart-check.sh
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
chart_check="$here/.test-tools/chart-check"
requirements="$here/tests/tools/chart-check-requirements.txt"

if cmp -s "$requirements" "$chart_check/installed.txt"; then
  exit 0
fi

rm -rf "$chart_check"
mkdir -p "$here/.test-tools"
if ! python3 -m venv "$chart_check" 2>/dev/null; then
  # Debian's Python lacks the module venv.
  rm -rf "$chart_check"
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends python3-venv >/dev/null
  python3 -m venv "$chart_check"
fi
"$chart_check/bin/pip" install --quiet --disable-pip-version-check --no-deps --requirement "$requirements"
cp "$requirements" "$chart_check/installed.txt"
