#!/usr/bin/env bash
# Compiles tests/clients/java against Flink's jars, when that has not been done since they changed, and runs one of its programs.
#
# usage: tests/tools/java.sh CLASS [ARGUMENT...]
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
jars=$(printf '%s:' "$here"/.test-tools/flink/lib/*.jar)
sources="$here/tests/clients/java"
stamp=$(cat "$here/.test-tools/flink/VERSION" "$sources"/*.java | sha256sum | cut -d' ' -f1)
classes="$here/.test-tools/java-classes/$stamp"

if [ ! -d "$classes" ]; then
  # Into a directory of its own first: tests run side by side, and the first to finish wins.
  mkdir -p "$here/.test-tools/java-classes"
  work=$(mktemp -d "$here/.test-tools/java-classes/work.XXXXXX")
  trap 'rm -rf "$work"' EXIT
  javac -nowarn -encoding UTF-8 -cp "$jars" -d "$work" "$sources"/*.java
  mv -T "$work" "$classes" 2>/dev/null || [ -d "$classes" ]
  rm -rf "$work"
  trap - EXIT
fi
exec java -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -XX:-UsePerfData -Dfile.encoding=UTF-8 -Dlog4j2.level=ERROR -cp "$classes:$jars" "$@"
