#!/usr/bin/env bash
# Installs systemd-analyze, which checks the unit of the package. Does nothing when it is installed already.
#
# usage: tests/tools/install-service-tools.sh
set -euo pipefail

if ! command -v systemd-analyze >/dev/null; then
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends systemd >/dev/null
fi
