#!/usr/bin/env bash
# hdfs-native 0.14.8 (crates.io) with Hadoop 2.7.3 (in pyspark 2.4.8): a blank in `dfs.ha.namenodes` loses a NameNode.
#
# Files of Hadoop write the list as `nn1, nn2`, or one name on each line: Hadoop trims each name. hdfs-native does not. It finds no
# address for ` nn2`, says nothing, and never asks the second NameNode, also when the first one fails. So high availability is lost
# without a sign until the first failover.
#
# Output seen on 28 November 2026:
#   Hadoop, "nn1, nn2": localhost:18020 127.0.0.2:18020
#   hdfs-native, "nn1,nn2": asks nn1 nn2
#   hdfs-native, "nn1, nn2": asks nn1
#
# usage: findings/hdfs-native-loses-name-nodes-behind-blanks.sh
# Needs Rust, Java and Python with venv. Downloads 218 MB (pyspark); the build takes some minutes.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# A source package that only carries jars. pip runs its setup.py, which needs these two.
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check wheel==0.45.1 setuptools==69.5.1
"$work/venv/bin/pip" download --quiet --disable-pip-version-check --no-deps --no-build-isolation --dest "$work/package" pyspark==2.4.8
mkdir "$work/jars"
tar -xzf "$work"/package/*.tar.gz -C "$work/jars" --strip-components=3 --wildcards '*/deps/jars/*.jar'

mkdir "$work/conf" "$work/src"
cat > "$work/conf/hdfs-site.xml" <<'XML'
<configuration>
  <property><name>dfs.nameservices</name><value>ns</value></property>
  <property><name>dfs.ha.namenodes.ns</name><value>nn1, nn2</value></property>
  <property><name>dfs.namenode.rpc-address.ns.nn1</name><value>127.0.0.1:18020</value></property>
  <property><name>dfs.namenode.rpc-address.ns.nn2</name><value>127.0.0.2:18020</value></property>
</configuration>
XML
cat > "$work/Cargo.toml" <<'TOML'
[package]
name = "namenodes"
version = "0.0.0"
edition = "2024"

[dependencies]
hdfs-native = "=0.14.8"
tokio = { version = "1", features = ["full"] }
TOML
cat > "$work/src/main.rs" <<'RUST'
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use hdfs_native::ClientBuilder;
use tokio::net::TcpListener;

/// The NameNodes that a client connects to. Both close each connection at once, as a NameNode that is going down.
async fn asked(ids: &str) -> String {
    let asked = Arc::new(Mutex::new(BTreeSet::new()));
    let mut config: Vec<(String, String)> = [
        ("fs.defaultFS", "hdfs://ns"),
        ("dfs.nameservices", "ns"),
        ("dfs.ha.namenodes.ns", ids),
        ("dfs.client.failover.max.attempts", "2"),
        ("dfs.client.failover.sleep.base.millis", "1"),
        ("dfs.client.failover.sleep.max.millis", "1"),
    ]
    .map(|(key, value)| (key.to_owned(), value.to_owned()))
    .into();
    for id in ["nn1", "nn2"] {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        config.push((format!("dfs.namenode.rpc-address.ns.{id}"), listener.local_addr().unwrap().to_string()));
        let asked = Arc::clone(&asked);
        tokio::spawn(async move {
            while let Ok(_connection) = listener.accept().await {
                asked.lock().unwrap().insert(id);
            }
        });
    }
    let client = ClientBuilder::new().with_config(config).build().unwrap();
    assert!(client.get_file_info("/").await.is_err(), "no NameNode answers");
    let asked = asked.lock().unwrap();
    asked.iter().copied().collect::<Vec<_>>().join(" ")
}

#[tokio::main]
async fn main() {
    for ids in ["nn1,nn2", "nn1, nn2"] {
        println!("hdfs-native, {ids:?}: asks {}", asked(ids).await);
    }
}
RUST
cargo build --quiet --manifest-path "$work/Cargo.toml"

addresses=$(java -cp "$work/conf:$work/jars/*" org.apache.hadoop.hdfs.tools.GetConf -nnRpcAddresses 2> "$work/java.log" | paste -sd' ')
seen=$(
  printf 'Hadoop, "nn1, nn2": %s\n' "$addresses"
  "$work/target/debug/namenodes"
)
printf '%s\n' "$seen"
expected=$(sed -n 's/^#   //p' "$0")
[ "$seen" = "$expected" ] || { printf 'The output differs from that of 28 November 2026, which was:\n%s\n' "$expected" >&2; exit 1; }
