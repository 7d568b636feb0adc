#!/usr/bin/env bash
# Installs the tools that open Flink's dashboard in a browser (tests/clients/dashboard): Chromium, Node and playwright-core. Does
# nothing when they are installed already. The dashboard itself comes with install-flink.sh.
#
# usage: tests/tools/install-dashboard-check.sh
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
packages=()
command -v chromium >/dev/null || packages+=(chromium fonts-dejavu-core)
command -v npm >/dev/null || packages+=(nodejs npm)
if [ ${#packages[@]} -gt 0 ]; then
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${packages[@]}" >/dev/null
fi

cd "$here/tests/clients/dashboard"
if ! cmp -s package-lock.json node_modules/installed-lock.json; then
  npm ci --no-audit --no-fund --silent
  cp package-lock.json node_modules/installed-lock.json
fi
