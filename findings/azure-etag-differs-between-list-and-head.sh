#!/usr/bin/env bash
# object_store 0.14.2 (crates.io) with Azurite 3.37.0 (npm): one blob has two ETags, depending on the request.
#
# A listing returns the tag as Azure writes it into XML, without quotes. `head` and `get` return the tag of the HTTP header, with
# quotes. A program that compares the two takes every blob for a changed one. S3 returns both with quotes.
#
# Output seen on 27 November 2026:
#   list: without quotes
#   head: with quotes
#   get: with quotes
#   equal: false
#   equal without quotes: true
#
# usage: findings/azure-etag-differs-between-list-and-head.sh
# Needs Rust, Node.js and npm. The build takes some minutes.
set -euo pipefail

work=$(mktemp -d)
trap 'kill "${server:-}" 2>/dev/null || true; rm -rf "$work"' EXIT

npm install --silent --no-audit --no-fund --prefix "$work/npm" azurite@3.37.0
mkdir -p "$work/src"
cat > "$work/Cargo.toml" <<'TOML'
[package]
name = "tags"
version = "0.0.0"
edition = "2024"

[dependencies]
futures = "=0.3.31"
object_store = { version = "=0.14.2", features = ["azure"] }
tokio = { version = "1", features = ["macros", "rt-multi-thread"] }
TOML
cat > "$work/src/main.rs" <<'RUST'
use futures::TryStreamExt as _;
use object_store::azure::MicrosoftAzureBuilder;
use object_store::path::Path;
use object_store::{ObjectStore as _, ObjectStoreExt as _};

#[tokio::main]
async fn main() {
    let builder = MicrosoftAzureBuilder::from_env().with_use_emulator(true).with_allow_http(true).with_container_name("archives");
    let store = builder.build().unwrap();
    let path = Path::from("job");
    store.put(&path, "{}".into()).await.unwrap();
    let listed: Vec<_> = store.list(None).try_collect().await.unwrap();
    let list = listed[0].e_tag.clone().unwrap();
    let head = store.head(&path).await.unwrap().e_tag.unwrap();
    let get = store.get(&path).await.unwrap().meta.e_tag.unwrap();
    for (name, tag) in [("list", &list), ("head", &head), ("get", &get)] {
        println!("{name}: {} quotes", if tag.starts_with('"') { "with" } else { "without" });
    }
    println!("equal: {}", list == head);
    println!("equal without quotes: {}", list.trim_matches('"') == head.trim_matches('"'));
}
RUST

port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
"$work/npm/node_modules/.bin/azurite-blob" --silent --inMemoryPersistence --disableTelemetry --skipApiVersionCheck \
  --blobHost 127.0.0.1 --blobPort "$port" > "$work/azurite.log" 2>&1 &
server=$!
cargo build --quiet --manifest-path "$work/Cargo.toml"
for _ in $(seq 100); do
  (exec 3<> "/dev/tcp/127.0.0.1/$port") 2>/dev/null && break
  sleep 0.1
done

# object_store cannot make a container; Azure's client can.
npm install --silent --no-audit --no-fund --prefix "$work/npm" @azure/storage-blob@12.29.1
cat > "$work/npm/make.mjs" <<'JS'
import { BlobServiceClient, StorageSharedKeyCredential } from '@azure/storage-blob'
const account = 'devstoreaccount1'
// The documented key of every Azure emulator.
const key = 'Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=='
const url = `http://127.0.0.1:${process.argv[2]}/${account}`
await new BlobServiceClient(url, new StorageSharedKeyCredential(account, key)).createContainer('archives')
JS
node "$work/npm/make.mjs" "$port"

seen=$(AZURITE_BLOB_STORAGE_URL="http://127.0.0.1:$port" "$work/target/debug/tags")
printf '%s\n' "$seen"
expected=$(sed -n 's/^#   //p' "$0")
[ "$seen" = "$expected" ] || { printf 'The output differs from that of 27 November 2026, which was:\n%s\n' "$expected" >&2; exit 1; }
