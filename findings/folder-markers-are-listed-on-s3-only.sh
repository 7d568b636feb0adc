#!/usr/bin/env bash
# object_store 0.14.2 (crates.io) with moto 5.2.5 and Azurite 3.37.0: a folder marker is listed on S3 and not on Azure.
#
# Tools that show folders write an empty object `run/` for the folder `run`. A listing of the folder returns the marker on S3, and
# its name has lost the slash: it looks like a file `run`. On Azure the same listing leaves it out without a sign, although the
# server returns it. So a program that counts on one of the two is wrong on the other, and cannot delete the marker on Azure by
# deleting all that a listing of the folder returns.
#
# Output seen on 28 November 2026:
#   S3 server: run/ run/job
#   object_store on S3: run run/job
#   Azure server: run/ run/job
#   object_store on Azure: run/job
#
# usage: findings/folder-markers-are-listed-on-s3-only.sh
# Needs Rust, Python with venv, Node.js and npm. The build takes some minutes.
set -euo pipefail

work=$(mktemp -d)
trap 'kill "${s3:-}" "${azure:-}" 2>/dev/null || true; rm -rf "$work"' EXIT

npm install --silent --no-audit --no-fund --prefix "$work/npm" azurite@3.37.0 @azure/storage-blob@12.29.1
python3 -m venv "$work/python"
"$work/python/bin/pip" install --quiet --disable-pip-version-check 'moto[server]==5.2.5' boto3==1.44.5
mkdir -p "$work/src"
cat > "$work/Cargo.toml" <<'TOML'
[package]
name = "markers"
version = "0.0.0"
edition = "2024"

[dependencies]
futures = "=0.3.31"
object_store = { version = "=0.14.2", features = ["aws", "azure"] }
tokio = { version = "1", features = ["macros", "rt-multi-thread"] }
TOML
cat > "$work/src/main.rs" <<'RUST'
use futures::TryStreamExt as _;
use object_store::ObjectStore;
use object_store::aws::AmazonS3Builder;
use object_store::azure::MicrosoftAzureBuilder;
use object_store::path::Path;

async fn list(store: &dyn ObjectStore) -> String {
    let mut listed: Vec<_> = store.list(Some(&Path::from("run"))).map_ok(|object| object.location.to_string()).try_collect().await.unwrap();
    listed.sort();
    listed.join(" ")
}

#[tokio::main]
async fn main() {
    if std::env::args().nth(1).as_deref() == Some("s3") {
        let s3 = AmazonS3Builder::new()
            .with_endpoint(std::env::var("S3_URL").unwrap())
            .with_allow_http(true)
            .with_bucket_name("archives")
            .with_access_key_id("key")
            .with_secret_access_key("secret")
            .build();
        println!("object_store on S3: {}", list(&s3.unwrap()).await);
    } else {
        let azure = MicrosoftAzureBuilder::from_env().with_use_emulator(true).with_allow_http(true).with_container_name("archives").build();
        println!("object_store on Azure: {}", list(&azure.unwrap()).await);
    }
}
RUST

free_port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }
wait_for() {
  for _ in $(seq 300); do
    (exec 3<> "/dev/tcp/127.0.0.1/$1") 2>/dev/null && return
    sleep 0.1
  done
}

cargo build --quiet --manifest-path "$work/Cargo.toml"
s3_port=$(free_port)
"$work/python/bin/moto_server" -H 127.0.0.1 -p "$s3_port" > "$work/moto.log" 2>&1 &
s3=$!
azure_port=$(free_port)
"$work/npm/node_modules/.bin/azurite-blob" --silent --inMemoryPersistence --disableTelemetry --skipApiVersionCheck \
  --blobHost 127.0.0.1 --blobPort "$azure_port" > "$work/azurite.log" 2>&1 &
azure=$!
wait_for "$s3_port"
wait_for "$azure_port"

# The clients of the two clouds write the objects, and list them as the servers return them.
cat > "$work/s3.py" <<'PYTHON'
import sys

import boto3

client = boto3.client('s3', endpoint_url=sys.argv[1], aws_access_key_id='key', aws_secret_access_key='secret', region_name='us-east-1')
client.create_bucket(Bucket='archives')
for key in ['run/', 'run/job']:
    client.put_object(Bucket='archives', Key=key, Body=b'')
listed = client.list_objects_v2(Bucket='archives', Prefix='run/')['Contents']
print('S3 server:', *[entry['Key'] for entry in listed])
PYTHON
cat > "$work/npm/azure.mjs" <<'JS'
import { BlobServiceClient, StorageSharedKeyCredential } from '@azure/storage-blob'
const account = 'devstoreaccount1'
// The documented key of every Azure emulator.
const key = 'Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=='
const service = new BlobServiceClient(`${process.argv[2]}/${account}`, new StorageSharedKeyCredential(account, key))
const container = service.getContainerClient('archives')
await container.create()
for (const name of ['run/', 'run/job']) await container.getBlockBlobClient(name).upload('', 0)
const names = []
for await (const blob of container.listBlobsFlat({ prefix: 'run/' })) names.push(blob.name)
console.log('Azure server:', ...names)
JS

seen=$(
  "$work/python/bin/python" "$work/s3.py" "http://127.0.0.1:$s3_port"
  S3_URL="http://127.0.0.1:$s3_port" "$work/target/debug/markers" s3
  node "$work/npm/azure.mjs" "http://127.0.0.1:$azure_port"
  AZURITE_BLOB_STORAGE_URL="http://127.0.0.1:$azure_port" "$work/target/debug/markers" azure
)
printf '%s\n' "$seen"
expected=$(sed -n 's/^#   //p' "$0")
[ "$seen" = "$expected" ] || { printf 'The output differs from that of 28 November 2026, which was:\n%s\n' "$expected" >&2; exit 1; }
