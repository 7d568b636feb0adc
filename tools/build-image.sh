#!/usr/bin/env bash
# Builds the OCI image, without a container engine and without root, on Debian or Ubuntu. Prints the path of the archive.
#
# The image holds the program and what it needs from Debian: the C library, certificates of authorities and time zones. It has no shell
# and no package manager. The Debian packages come from the sources of this machine, whose signatures apt checks.
# The same sources, packages and date give the same bytes: the date is SOURCE_DATE_EPOCH, or that of the last commit.
#
# usage: tools/build-image.sh [PROGRAM]    PROGRAM: the binary; else it is built with `cargo build --release`
# environment: IMAGE_PACKAGES  further Debian packages; `libgssapi-krb5-2 libkrb5-3 libk5crypto3 libkrb5support0 libcom-err2
#                              libkeyutils1 libssl3` are for HDFS with Kerberos
#              IMAGE_SOURCE    URL of the sources, for the label org.opencontainers.image.source
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

for tool in apt-get dpkg-deb python3 strip umoci; do
  command -v "$tool" >/dev/null || { echo "build-image.sh: $tool is missing: install its Debian package" >&2; exit 1; }
done

program=${1:-}
if [ -z "$program" ]; then
  cargo build --release --locked >&2
  program=target/release/historyserver
fi

version=$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -1)
architecture=$(dpkg --print-architecture)
epoch=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct)}
export SOURCE_DATE_EPOCH=$epoch
created=$(date --utc --date="@$epoch" +%Y-%m-%dT%H:%M:%SZ)
. /etc/os-release
work=target/image/work
rm -rf target/image
mkdir -p "$work/packages" "$work/base" "$work/program"

# The base: Debian packages without their scripts.
read -r -a packages <<<"libc6 libgcc-s1 ca-certificates tzdata ${IMAGE_PACKAGES:-}"
(cd "$work/packages" && apt-get -o APT::Sandbox::User="$(id -un)" download "${packages[@]}" >&2)
versions=()
for package in "$work"/packages/*.deb; do
  dpkg-deb --extract "$package" "$work/base"
  versions+=("$(dpkg-deb --field "$package" Package)=$(dpkg-deb --field "$package" Version)")
done
base=$work/base
# /lib and /lib64 are links, as in every Debian.
for folder in lib lib64; do
  mkdir -p "$base/usr/$folder"
  if [ -d "$base/$folder" ] && [ ! -L "$base/$folder" ]; then
    cp -a "$base/$folder/." "$base/usr/$folder/"
    rm -rf "${base:?}/$folder"
  fi
  ln -sfn "usr/$folder" "$base/$folder"
done
# The list that update-ca-certificates would write.
mkdir -p "$base/etc/ssl/certs"
find "$base/usr/share/ca-certificates" -name '*.crt' | LC_ALL=C sort | xargs cat >"$base/etc/ssl/certs/ca-certificates.crt"
# What no program in the image uses: scripts, tables of other character sets, manuals. Copyrights stay.
rm -rf "$base"/usr/{sbin,bin} "$base"/{sbin,bin} "$base"/etc/{ca-certificates,cron*,default,init.d,ld.so.conf.d} "$base"/usr/lib/*/gconv \
  "$base"/usr/share/{ca-certificates,doc-base,lintian,locale,man,bug} "$base"/usr/share/zoneinfo/{posix,right}
find "$base/usr/share/doc" -type f ! -name copyright -delete
find "$base/usr/share/doc" -type l -delete
mkdir -p "$base/etc" "$base/tmp"
cat >"$base/etc/passwd" <<'TXT'
root:x:0:0:root:/:/nonexistent
historyserver:x:65532:65532:historyserver:/var/lib/historyserver:/nonexistent
TXT
cat >"$base/etc/group" <<'TXT'
root:x:0:
historyserver:x:65532:
TXT
echo "hosts: files dns" >"$base/etc/nsswitch.conf"

# The program, its default configuration, its papers.
top=$work/program
install -D -m 755 "$program" "$top/usr/bin/historyserver"
strip "$top/usr/bin/historyserver"
install -D -m 644 packaging/image/historyserver.toml "$top/etc/historyserver/historyserver.toml"
papers=$top/usr/share/doc/historyserver
mkdir -p "$papers"
cp LICENSE NOTICE "$papers/"
tools/sbom.py --debian "${versions[@]}" --distribution "$ID-$VERSION_ID" >"$papers/sbom.cdx.json"
cp "$papers/sbom.cdx.json" target/image/sbom.cdx.json

# Layers whose bytes follow from their files.
pack() { tar --sort=name --format=posix --pax-option=delete=atime,delete=ctime --mtime="@$epoch" --numeric-owner "$@"; }
find "$work/base" "$work/program" -type d -exec chmod 755 {} +
chmod 1777 "$base/tmp"
mkdir -p "$work/data/var/lib/historyserver"
chmod 755 "$work/data/var" "$work/data/var/lib"
chmod 700 "$work/data/var/lib/historyserver"
pack --owner=0 --group=0 --create --file="$work/base.tar" --directory="$base" .
pack --owner=0 --group=0 --create --file="$work/program.tar" --directory="$top" .
pack --owner=65532 --group=65532 --append --file="$work/program.tar" --directory="$work/data" var/lib/historyserver

layout=target/image/layout
umoci init --layout "$layout"
umoci new --image "$layout:$version"
umoci raw add-layer --image "$layout:$version" --history.created "$created" --history.created_by "Debian packages: ${versions[*]}" "$work/base.tar"
umoci raw add-layer --image "$layout:$version" --history.created "$created" --history.created_by "historyserver $version" "$work/program.tar"
label() { labels+=(--config.label "org.opencontainers.image.$1=$2"); }
labels=()
label title historyserver
label description "History server for Apache Flink"
label version "$version"
label revision "$(git rev-parse HEAD)"
label created "$created"
label licenses Apache-2.0
label documentation "/docs/ of the running server"
[ -z "${IMAGE_SOURCE:-}" ] || label source "$IMAGE_SOURCE"
# The configuration is the file historyserver.toml in the working directory. SQLite fails when it finds no folder for its temporary files,
# and the root may be read-only without a /tmp.
umoci config --image "$layout:$version" --no-history --created "$created" --os linux --architecture "$architecture" \
  --config.user 65532:65532 --config.entrypoint /usr/bin/historyserver --config.workingdir /etc/historyserver \
  --config.exposedports 8082/tcp --config.volume /var/lib/historyserver --config.stopsignal SIGTERM \
  --config.env SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt --config.env SQLITE_TMPDIR=/var/lib/historyserver "${labels[@]}"
umoci gc --layout "$layout"

archive=target/image/historyserver-$version-$architecture.oci.tar
pack --owner=0 --group=0 --create --file="$archive" --directory="$layout" .
(cd target/image && sha256sum "$(basename "$archive")" sbom.cdx.json >SHA256SUMS)
rm -rf "$work"
echo "$archive"
