#!/usr/bin/env bash
# Installs what the tests compare this server with: Flink's own jars (its history server, its message classes and its
# dashboard) into .test-tools/flink, and Java 17 if it is missing. Does nothing when they are installed already.
#
# usage: tests/tools/install-flink.sh
set -euo pipefail

FLINK_VERSION=2.3.0
here=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
flink="$here/.test-tools/flink"

if ! command -v javac >/dev/null || ! command -v java >/dev/null; then
  # The headless JDK: the tests compile one program against Flink's jars.
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends openjdk-17-jdk-headless >/dev/null
fi

if [ "$(cat "$flink/VERSION" 2>/dev/null || true)" = "$FLINK_VERSION" ]; then
  exit 0
fi

mkdir -p "$here/.test-tools"
work=$(mktemp -d "$here/.test-tools/flink.XXXXXX")
trap 'rm -rf "$work"' EXIT

# Only the wheel itself: PyFlink and its dependencies are not needed.
python3 -m pip download --quiet --disable-pip-version-check --no-deps --only-binary :all: --dest "$work" "apache-flink-libraries==$FLINK_VERSION"
python3 - "$work" <<'PYTHON'
import pathlib, sys, zipfile

work = pathlib.Path(sys.argv[1])
(wheel,) = work.glob("*.whl")
(work / "lib").mkdir()
with zipfile.ZipFile(wheel) as archive:
    for name in archive.namelist():
        base = name.rsplit("/", 1)[-1]
        # The history server runs on these alone; flink-dist holds the message classes and the dashboard too.
        if name.startswith("pyflink/lib/") and base.startswith(("flink-dist-", "log4j-")):
            (work / "lib" / base).write_bytes(archive.read(name))

# The dashboard, as Flink serves it to browsers.
(dist,) = (work / "lib").glob("flink-dist-*.jar")
with zipfile.ZipFile(dist) as jar:
    for name in jar.namelist():
        if name.startswith("web/") and not name.endswith("/") and ".." not in name:
            target = work / name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(jar.read(name))
wheel.unlink()
PYTHON
test -f "$work/web/index.html" || { echo "install-flink.sh: no dashboard in flink-dist $FLINK_VERSION" >&2; exit 1; }

echo "$FLINK_VERSION" > "$work/VERSION"
chmod 755 "$work"
rm -rf "$flink"
mv "$work" "$flink"
trap - EXIT
