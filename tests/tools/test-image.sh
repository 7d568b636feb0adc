#!/usr/bin/env bash
# Checks the OCI image, then starts it with runc as a container engine does, fetches pages and stops it in order. Needs root.
# Debian packages that are missing are installed.
#
# usage: tests/tools/test-image.sh IMAGE.oci.tar
set -euo pipefail
image=$(realpath "$1")

missing=()
for tool in curl jq runc umoci; do
  command -v "$tool" >/dev/null || missing+=("$tool")
done
if [ "${#missing[@]}" -gt 0 ]; then
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
fi

work=$(mktemp -d)
container=historyserver-test-$$
runner=
stop() {
  if [ -n "$runner" ]; then
    runc kill "$container" KILL 2>/dev/null || true
    wait "$runner" 2>/dev/null || true
    runc delete --force "$container" 2>/dev/null || true
  fi
  rm -rf "$work"
}
trap stop EXIT
check() { "$@" || { echo "failed: $*" >&2; [ ! -f "$work/log" ] || cat "$work/log" >&2; exit 1; }; }

mkdir "$work/layout" "$work/archives"
tar --extract --file "$image" --directory "$work/layout"
tag=$(jq -r '.manifests[0].annotations["org.opencontainers.image.ref.name"]' "$work/layout/index.json")
umoci unpack --image "$work/layout:$tag" "$work/bundle" 2>/dev/null
root=$work/bundle/rootfs

# Labels, user and command.
manifest=$work/layout/blobs/$(jq -r '.manifests[0].digest' "$work/layout/index.json" | tr : /)
config=$work/layout/blobs/$(jq -r '.config.digest' "$manifest" | tr : /)
for label in title description version revision created licenses; do
  check test -n "$(jq -r ".config.Labels[\"org.opencontainers.image.$label\"] // empty" "$config")"
done
check test "$(jq -r .config.User "$config")" = 65532:65532
check test "$(jq -r .config.Labels.\"org.opencontainers.image.version\" "$config")" = "$tag"

# Nothing to run but the program and the dynamic loader; nothing that gives rights.
programs=$(find "$root" -type f -perm /111 ! -name '*.so*' -printf '/%P\n')
check test "$programs" = /usr/bin/historyserver
check test -z "$(find "$root" -type f -perm /6000)"
check test -z "$(find "$root" \( -name sh -o -name bash -o -name dash -o -name busybox \) ! -type d)"
check jq -e '.bomFormat == "CycloneDX" and ([.components[].name] | contains(["tokio", "libc6"]))' "$root/usr/share/doc/historyserver/sbom.cdx.json" >"$work/sbom"
check test -s "$root/etc/ssl/certs/ca-certificates.crt"
check test -f "$root/usr/share/doc/libc6/copyright"

# Read-only root, no capabilities, a data directory of its own; the network of this machine, on loopback.
specification() {
  jq --argjson arguments "$1" --arg archives "$work/archives" --arg data "$work/data" '
    .process.terminal = false
    | .process.args += $arguments
    | .process.noNewPrivileges = true
    | .process.capabilities = {}
    | .root.readonly = true
    | .linux.namespaces |= map(select(.type != "network" and .type != "user"))
    | .mounts |= map(select(.destination != "/var/lib/historyserver"))
    | .mounts += [
        {destination: "/var/lib/historyserver", type: "bind", source: $data, options: ["rbind", "rw"]},
        {destination: "/archives", type: "bind", source: $archives, options: ["rbind", "ro"]}
      ]' "$work/config.json" >"$work/bundle/config.json"
}
cp "$work/bundle/config.json" "$work/config.json"
chmod 711 "$work"
install -d -o 65532 -g 65532 -m 700 "$work/data"
check test "$(jq -r '.process.args[0]' "$work/config.json")" = /usr/bin/historyserver
check test "$(stat -c '%u %a' "$root/var/lib/historyserver")" = "65532 700"

# The configuration of the image listens on all addresses, and says where the data is.
specification '["check-config", "/archives", "-Dhistoryserver.security.authentication=none"]'
if ! runc run --bundle "$work/bundle" "$container" >"$work/options" 2>&1; then
  # A version without logins does not know the option.
  specification '["check-config", "/archives"]'
  check runc run --bundle "$work/bundle" "$container" >"$work/options"
fi
check grep -q '^historyserver.web.address *= *0.0.0.0 ' "$work/options"
check grep -q '^historyserver.data.dir *= */var/lib/historyserver ' "$work/options"

specification '["/archives", "-Dhistoryserver.web.address=127.0.0.1", "-Dhistoryserver.web.port=0"]'
runc run --bundle "$work/bundle" "$container" >"$work/log" 2>&1 &
runner=$!
for _ in $(seq 600); do
  grep -q 'listening at' "$work/log" && break
  kill -0 "$runner" 2>/dev/null || { cat "$work/log" >&2; exit 1; }
  sleep 0.1
done
url=$(sed -n 's|.*listening at \(http://[0-9.:]*\).*|\1|p' "$work/log")
check test "$(curl --silent --output "$work/page" --write-out '%{http_code}' "$url/")" = 200
check grep -qi '<!doctype html>' "$work/page"
check test "$(curl --silent --output /dev/null --write-out '%{http_code}' "$url/jobs/overview")" = 200
check test "$(curl --silent --output /dev/null --write-out '%{http_code}' "$url/healthz")" = 200

process=$(runc state "$container" | jq .pid)
check grep -q '^Uid:[[:space:]]65532[[:space:]]65532' "/proc/$process/status"
check grep -q '^CapEff:[[:space:]]0000000000000000' "/proc/$process/status"
check grep -qE '^[0-9]+ [0-9]+ [0-9:]+ [^ ]+ / ro[, ]' "/proc/$process/mountinfo"
check test "$(stat -c %u "$work/data/historyserver.sqlite")" = 65532

runc kill "$container" TERM
code=0
wait "$runner" || code=$?
runner=
check test "$code" = 0
check grep -q ' stopped' "$work/log"
echo "1 passed, 0 failed"
