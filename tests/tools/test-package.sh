#!/usr/bin/env bash
# Checks the Debian package with lintian, then installs, starts, upgrades, removes and purges it in a new Debian root. Needs root.
#
# usage: tests/tools/test-package.sh PACKAGE.deb
set -euo pipefail
package=$(realpath "$1")

missing=()
for tool in lintian mmdebstrap; do
  command -v "$tool" >/dev/null || missing+=("$tool")
done
if [ "${#missing[@]}" -gt 0 ]; then
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
fi

lintian --fail-on error,warning "$package"

root=$(mktemp -d)
server=
stop() {
  [ -z "$server" ] || kill "$server" 2>/dev/null || true
  rm -rf "$root"
}
trap stop EXIT
mmdebstrap --quiet --variant=minbase --include=adduser bookworm "$root"
cp "$package" "$root/new.deb"
inside() { chroot "$root" "$@"; }
check() { "$@" || { echo "failed: $*" >&2; exit 1; }; }

inside dpkg --install /new.deb
check inside historyserver --version
check test "$(inside stat -c '%U %a' /var/lib/historyserver)" = "historyserver 700"
check test "$(inside stat -c '%G %a' /etc/historyserver/historyserver.toml)" = "historyserver 640"
check inside test -f /usr/share/man/man1/historyserver-jobs-list.1.gz
check inside test -f /lib/systemd/system/historyserver.service

# The user of the service serves an archive directory with the configuration of the package.
inside install -d -m 755 /archives
cat >>"$root/etc/historyserver/historyserver.toml" <<'TOML'
historyserver.archive.fs.dir = "/archives"
historyserver.web.port = 0
TOML
chroot --userspec=historyserver:historyserver "$root" historyserver --config /etc/historyserver/historyserver.toml 2>"$root/log" &
server=$!
for _ in $(seq 600); do
  grep -q 'listening at' "$root/log" && break
  kill -0 "$server" || { cat "$root/log" >&2; exit 1; }
  sleep 0.1
done
url=$(sed -n 's|.*listening at \(http://[0-9.:]*\).*|\1|p' "$root/log")
check test "$(curl --silent --output /dev/null --write-out '%{http_code}' "$url/jobs/overview")" = 200
kill "$server"
check wait "$server"
server=

# An upgrade keeps the changed configuration and the index.
sum=$(sha256sum <"$root/etc/historyserver/historyserver.toml")
inside dpkg --install /new.deb
check test "$sum" = "$(sha256sum <"$root/etc/historyserver/historyserver.toml")"
check inside test -f /var/lib/historyserver/historyserver.sqlite

inside dpkg --remove historyserver
check inside test -f /var/lib/historyserver/historyserver.sqlite
check inside test -f /etc/historyserver/historyserver.toml
inside dpkg --purge historyserver
check inside test ! -e /var/lib/historyserver
check inside test ! -e /etc/historyserver/historyserver.toml
check inside test -d /archives
echo "1 passed, 0 failed"
