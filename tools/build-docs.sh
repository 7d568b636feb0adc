#!/usr/bin/env bash
# Builds the documents of docs/ into docs-dist/, which is committed and embedded in the binary.
#
# usage: tools/build-docs.sh
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

tests/tools/install-mdbook.sh
rm -rf target/book
.test-tools/mdbook/bin/mdbook build >&2

rm -rf docs-dist
mkdir -p docs-dist/decisions docs-dist/images
cp docs/theme/docs.css docs-dist/
cp target/book/*.html docs-dist/
cp target/book/decisions/*.html docs-dist/decisions/
# The server answers 404 itself, and mdBook's list of contents as a frame is not used.
rm -f docs-dist/404.html docs-dist/toc.html
# The list of contents has links from the root of the book, and mdBook marks the current page with a script, which the server's
# Content-Security-Policy refuses.
for page in docs-dist/*.html docs-dist/decisions/*.html; do
  link=${page#docs-dist/}
  sed -i "/^<ol class=\"chapter\">/s|<a href=\"$link\">|<a aria-current=\"page\" href=\"$link\">|" "$page"
done
sed -i '/^<ol class="chapter">/s| href="| href="../|g' docs-dist/decisions/*.html
# Only the pictures that a page shows.
grep -ohE 'src="(\.\./)?images/[^"]+"' docs-dist/*.html docs-dist/decisions/*.html | sed -E 's/.*images\/([^"]+)"/\1/' | sort -u |
  while read -r picture; do cp "docs/images/$picture" docs-dist/images/; done
