#!/usr/bin/env bash
# Installs what the tests of TLS make certificates and key stores with: openssl, and Java's keytool. Does nothing where they are.
#
# usage: tests/tools/install-tls-tools.sh
set -euo pipefail

missing=()
command -v openssl >/dev/null || missing+=(openssl)
command -v keytool >/dev/null || missing+=(openjdk-17-jre-headless)
if [ "${#missing[@]}" -gt 0 ]; then
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
fi
