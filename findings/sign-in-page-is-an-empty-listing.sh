#!/usr/bin/env bash
# object_store 0.14.2 (crates.io) and boto3 1.44.5 (PyPI): a web page in place of a listing is an empty bucket.
#
# A proxy or a sign-in page of a network may answer 200 with XHTML. For the clients of S3 and Google Cloud Storage this is a listing
# without objects: they look for members by name and do not check the root element. Only the client of Azure reports an error. A
# program that takes an empty listing for "all objects were deleted" has to check the body itself.
#
# Output seen on 28 November 2026:
#   object_store, S3: 0 objects
#   object_store, Google Cloud Storage: 0 objects
#   object_store, Azure: error
#   boto3, S3: 0 objects
#
# usage: findings/sign-in-page-is-an-empty-listing.sh
# Needs Rust and Python with venv. The build takes some minutes.
set -euo pipefail

work=$(mktemp -d)
trap 'kill "${server:-}" 2>/dev/null || true; rm -rf "$work"' EXIT

python3 -m venv "$work/python"
"$work/python/bin/pip" install --quiet --disable-pip-version-check boto3==1.44.5
mkdir -p "$work/src"
cat > "$work/Cargo.toml" <<'TOML'
[package]
name = "listing"
version = "0.0.0"
edition = "2024"

[dependencies]
futures = "=0.3.31"
object_store = { version = "=0.14.2", features = ["aws", "azure", "gcp"] }
tokio = { version = "1", features = ["macros", "rt-multi-thread"] }
TOML
cat > "$work/src/main.rs" <<'RUST'
use futures::TryStreamExt as _;
use object_store::aws::AmazonS3Builder;
use object_store::azure::MicrosoftAzureBuilder;
use object_store::gcp::GoogleCloudStorageBuilder;
use object_store::{ClientOptions, ObjectStore};

async fn show(name: &str, store: &dyn ObjectStore) {
    match store.list(None).try_collect::<Vec<_>>().await {
        Ok(listed) => println!("object_store, {name}: {} objects", listed.len()),
        Err(_) => println!("object_store, {name}: error"),
    }
}

#[tokio::main]
async fn main() {
    let url = std::env::args().nth(1).unwrap();
    let plain = ClientOptions::new().with_allow_http(true);
    let s3 = AmazonS3Builder::new().with_endpoint(&url).with_bucket_name("archives");
    let gcs = GoogleCloudStorageBuilder::new().with_base_url(&url).with_bucket_name("archives");
    let azure = MicrosoftAzureBuilder::new().with_endpoint(url.clone()).with_account("account").with_container_name("archives");
    show("S3", &s3.with_client_options(plain.clone()).with_skip_signature(true).build().unwrap()).await;
    show("Google Cloud Storage", &gcs.with_client_options(plain.clone()).with_skip_signature(true).build().unwrap()).await;
    show("Azure", &azure.with_client_options(plain).with_skip_signature(true).build().unwrap()).await;
}
RUST
cargo build --quiet --manifest-path "$work/Cargo.toml"

cat > "$work/page.py" <<'PYTHON'
import http.server

PAGE = b'''<?xml version="1.0" encoding="UTF-8"?>
<html xmlns="http://www.w3.org/1999/xhtml"><head><title>Sign in</title></head><body><p>Sign in to the network.</p></body></html>'''


class Page(http.server.BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'

    def do_GET(self):
        self.send_response(200)
        self.send_header('Content-Type', 'application/xhtml+xml')
        self.send_header('Content-Length', str(len(PAGE)))
        self.end_headers()
        self.wfile.write(PAGE)

    def log_message(self, *arguments):
        pass


server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Page)
print(server.server_port, flush=True)
server.serve_forever()
PYTHON
cat > "$work/list.py" <<'PYTHON'
import sys

import boto3

client = boto3.client('s3', endpoint_url=sys.argv[1], aws_access_key_id='key', aws_secret_access_key='secret', region_name='us-east-1')
print(f"boto3, S3: {len(client.list_objects_v2(Bucket='archives').get('Contents', []))} objects")
PYTHON
python3 "$work/page.py" > "$work/port" &
server=$!
until [ -s "$work/port" ]; do sleep 0.1; done
url="http://127.0.0.1:$(cat "$work/port")"

seen=$(
  "$work/target/debug/listing" "$url"
  "$work/python/bin/python" "$work/list.py" "$url"
)
printf '%s\n' "$seen"
expected=$(sed -n 's/^#   //p' "$0")
[ "$seen" = "$expected" ] || { printf 'The output differs from that of 28 November 2026, which was:\n%s\n' "$expected" >&2; exit 1; }
