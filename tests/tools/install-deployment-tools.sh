#!/usr/bin/env bash
# Installs nginx, and promtool of Debian's package prometheus below .test-tools/prometheus. Does nothing when they are there already.
#
# usage: tests/tools/install-deployment-tools.sh
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
folder="$here/.test-tools/prometheus"

if ! command -v nginx >/dev/null; then
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends nginx-light >/dev/null
fi
if [ ! -x "$folder/usr/bin/promtool" ]; then
  download=$(mktemp -d)
  trap 'rm -rf "$download"' EXIT
  (cd "$download" && apt-get -qq -o APT::Sandbox::User="$(id -un)" download prometheus)
  mkdir -p "$folder"
  dpkg-deb --extract "$download"/prometheus_*.deb "$folder"
fi
