#!/usr/bin/env bash
# Records the answers of Flink's own (Java) history server over tests/fixtures/archives, in
# tests/fixtures/java-history-server/. Run it again after a change of those archives or of the Flink version; the
# recordings are committed, so that the tests which compare with them need no Java.
#
# usage: tests/tools/record-java-answers.sh
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
"$here/install-flink.sh"
exec python3 "$here/record_java_answers.py"
