#!/usr/bin/env bash
# Builds the Debian package: program, manual pages, completions, configuration and systemd unit. Prints the path of the package.
# cargo-deb is installed below .test-tools/ unless it is on the PATH.
#
# usage: tools/build-package.sh
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

version=3.8.0
tools=$PWD/.test-tools/cargo-deb
export PATH=$tools/bin:$PATH
if [ "$(cargo-deb --version 2>/dev/null)" != "cargo-deb $version" ]; then
  cargo install cargo-deb --version "$version" --locked --no-default-features --root "$tools" >&2
fi

cargo build --release --locked >&2
rm -rf target/package
mkdir -p target/package/completions
# Beside the tests, which build it as well.
cargo run --quiet --locked --example man_pages -- target/package/man >&2
gzip --best --no-name target/package/man/*.1
target/release/historyserver completions bash >target/package/completions/historyserver
target/release/historyserver completions zsh >target/package/completions/_historyserver
target/release/historyserver completions fish >target/package/completions/historyserver.fish
gzip --best --no-name --stdout CHANGELOG.md >target/package/changelog.gz
gzip --best --no-name --stdout NOTICE >target/package/NOTICE.gz
cargo deb --no-build --locked --strip
