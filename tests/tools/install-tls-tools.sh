#!/usr/bin/env bash
# Installs the tools with which the tests of TLS make certificates and key stores: openssl, and Java's keytool. Does nothing when
# they are installed already.
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
