#!/usr/bin/env bash
# Installs the command-line client of the Flink versions that people still run, 1.13 to 2.2, into .test-tools/flink-versions: the
# tests list jobs with each of them. Does nothing when they are installed already. The newest one comes with install-flink.sh.
#
# usage: tests/tools/install-flink-versions.sh
set -euo pipefail

VERSIONS="1.13.6 1.14.6 1.15.4 1.16.3 1.17.2 1.18.1 1.19.3 1.20.5 2.0.2 2.1.3 2.2.1"
here=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
installed="$here/.test-tools/flink-versions"

if [ "$(cat "$installed/VERSIONS" 2>/dev/null || true)" = "$VERSIONS" ]; then
  exit 0
fi

mkdir -p "$here/.test-tools"
work=$(mktemp -d "$here/.test-tools/flink-versions.XXXXXX")
trap 'rm -rf "$work"' EXIT

# Versions before 2.2 are source packages that only carry jars. pip runs their setup.py, which needs these two.
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check wheel==0.45.1 setuptools==69.5.1

for version in $VERSIONS; do
  mkdir -p "$work/$version/package" "$work/$version/lib"
  "$work/venv/bin/pip" download --quiet --disable-pip-version-check --no-deps --no-build-isolation \
    --dest "$work/$version/package" "apache-flink-libraries==$version"
  package=$(echo "$work/$version/package"/*)
  # The client runs on these jars alone.
  case "$package" in
    *.whl) python3 - "$package" "$work/$version/lib" <<'PYTHON'
import pathlib, sys, zipfile

with zipfile.ZipFile(sys.argv[1]) as wheel:
    for name in wheel.namelist():
        base = name.rsplit("/", 1)[-1]
        if name.startswith("pyflink/lib/") and base.startswith(("flink-dist", "log4j-")):
            (pathlib.Path(sys.argv[2]) / base).write_bytes(wheel.read(name))
PYTHON
      ;;
    *) tar -xzf "$package" -C "$work/$version" --strip-components=2 --wildcards '*/deps/lib/flink-dist*' '*/deps/lib/log4j-*' ;;
  esac
  rm -r "$work/$version/package"
done

rm -r "$work/venv"
echo "$VERSIONS" > "$work/VERSIONS"
chmod 755 "$work"
rm -rf "$installed"
mv "$work" "$installed"
trap - EXIT
