#!/usr/bin/env bash
# Installs the jars of a real HDFS 2.7.3 (NameNode and DataNode) into .test-tools/hdfs/lib: those of the Python package pyspark and,
# for the web server that both start, of some Debian packages. Does nothing when they are installed already.
#
# usage: tests/tools/install-hdfs.sh
set -euo pipefail

VERSION="pyspark 2.4.8"
here=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
installed="$here/.test-tools/hdfs"

if [ "$(cat "$installed/VERSION" 2>/dev/null || true)" = "$VERSION" ]; then
  exit 0
fi

DEBIAN_PACKAGES="libjersey1-core-java libjersey1-server-java libjersey1-servlet-java libjersey1-json-java libjsr311-api-java
  libjaxb-api-java libactivation-java libasm-java libcommons-daemon-java"
DEBIAN_JARS="jersey1-core jersey1-server jersey1-servlet jersey1-json jsr311-api jaxb-api javax.activation asm commons-daemon"
SPARK_JARS="hadoop-annotations hadoop-auth hadoop-common hadoop-hdfs-2 jetty-6 jetty-util-6 commons-cli commons-codec
  commons-collections commons-configuration commons-io commons-lang-2 commons-logging commons-beanutils commons-digester
  commons-httpclient commons-net commons-compress commons-math3 guava-14 httpclient httpcore jackson-core-asl jackson-mapper-asl
  log4j-1 slf4j-api slf4j-log4j12 protobuf-java-2.5 netty-all netty-3 leveldbjni htrace-core xercesImpl xmlenc jsr305 javax.servlet-api"

mkdir -p "$here/.test-tools"
work=$(mktemp -d "$here/.test-tools/hdfs.XXXXXX")
trap 'rm -rf "$work"' EXIT
mkdir "$work/lib" "$work/debian"

if ! command -v java >/dev/null; then
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends openjdk-17-jre-headless >/dev/null
fi

# A source package that only carries jars. pip runs its setup.py, which needs these two.
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check wheel==0.45.1 setuptools==69.5.1
"$work/venv/bin/pip" download --quiet --disable-pip-version-check --no-deps --no-build-isolation --dest "$work/package" pyspark==2.4.8
patterns=()
for jar in $SPARK_JARS; do patterns+=("*/deps/jars/$jar*.jar"); done
tar -xzf "$work"/package/*.tar.gz -C "$work/lib" --strip-components=3 --wildcards "${patterns[@]}"

# Unpacked, not installed: they bring nothing else with them.
(
  cd "$work/debian"
  chmod 755 "$work" "$work/debian"
  # shellcheck disable=SC2086
  apt-get download -qq $DEBIAN_PACKAGES 2>/dev/null || { apt-get update -qq && apt-get download -qq $DEBIAN_PACKAGES 2>/dev/null; }
  for package in *.deb; do dpkg -x "$package" root; done
)
for jar in $DEBIAN_JARS; do cp -L "$work/debian/root/usr/share/java/$jar.jar" "$work/lib/"; done

rm -rf "$installed"
mkdir "$installed"
mv "$work/lib" "$installed/lib"
echo "$VERSION" > "$installed/VERSION"
