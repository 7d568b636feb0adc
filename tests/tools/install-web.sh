#!/usr/bin/env bash
# Installs the tools that build the pages and open them in a browser (web, tests/e2e): Chromium, Node and the packages of
# web/package-lock.json. Does nothing when they are installed already.
#
# usage: tests/tools/install-web.sh
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
packages=()
command -v chromium >/dev/null || packages+=(chromium fonts-dejavu-core)
command -v npm >/dev/null || packages+=(nodejs npm)
if [ ${#packages[@]} -gt 0 ]; then
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${packages[@]}" >/dev/null
fi

cd "$here/web"
if ! cmp -s package-lock.json node_modules/installed-lock.json; then
  npm ci --no-audit --no-fund --silent
  cp package-lock.json node_modules/installed-lock.json
fi
