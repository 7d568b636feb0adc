# `make test` runs every test, and installs what they need beside the Rust toolchain: Debian packages where they are missing
# (as root), everything else below .test-tools/. A second run installs nothing.

SHELL := /bin/bash

.PHONY: test test-tools test-rust-units test-web documents bench bench-quick fuzz package test-package image test-image

# The tests of the Rust integration binary come last, so that their summary closes the output.
test: test-tools test-rust-units test-web
	cargo test --locked --test integration

test-rust-units: test-tools
	cargo test --locked --lib --bins
	cargo test --locked --doc

# The pages: units, then Chromium over the server that was just built.
test-web: test-tools test-rust-units
	cargo build --locked
	npm --prefix web test
	npm --prefix web run e2e

# Each script checks for itself whether there is something to do.
test-tools:
	@set -euo pipefail; for script in tests/tools/install-*.sh; do echo "== $$script"; "$$script"; done

# New inputs for the archive reader, for FUZZ_SECONDS. A failure names the file of its input: add it to tests/fixtures/fuzz/envelope.
fuzz:
	FUZZ_SECONDS=$${FUZZ_SECONDS:-600} cargo test --release --locked --test integration fuzz_envelope -- --nocapture

# Writes the files that follow from others: historyserver.toml and the options in docs/configuration.md, the OpenAPI document, the recorded
# answers, the types made from the document, the documents as pages, and NOTICE.
documents:
	UPDATE_DOCUMENTS=1 cargo test --locked --test integration configuration_documents
	UPDATE_DOCUMENTS=1 cargo test --locked --test integration http_openapi::the_committed_document
	UPDATE_DOCUMENTS=1 cargo test --locked --test integration http_contract::answers
	npm --prefix web run types
	tools/build-docs.sh
	tools/notice.py

# The Debian package, below target/debian/.
package:
	tools/build-package.sh

# Checks the package, and installs it in a new Debian root. Needs root.
test-package:
	tests/tools/test-package.sh "$$(tools/build-package.sh | tail -1)"

# The OCI image, below target/image/. Needs umoci, and neither root nor a container engine.
image:
	tools/build-image.sh

# Starts the image with runc, fetches pages and stops it. Needs root.
test-image:
	tests/tools/test-image.sh "$$(tools/build-image.sh | tail -1)"

# Measures this server beside Flink's own and nginx, and writes BENCHMARKS.md: about 25 minutes on two CPUs with nothing else to do.
# Parts of it: make bench BENCH="--only ours --sizes 4000 --rounds 1" (see benches/comparison/__main__.py).
bench:
	cargo build --release --locked --bins --example generate_archives --example parse_and_pack
	cd benches && python3 -m comparison $(BENCH)

# The most important rows, in three minutes.
bench-quick:
	cargo build --release --locked --bins --example generate_archives
	cd benches && python3 -m comparison --quick $(BENCH)
