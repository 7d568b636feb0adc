//! Archive directories in real servers: S3 in three implementations, Azure Blob Storage, Google Cloud Storage and HDFS. `make test-tools`
//! installs the servers; each test starts its own on a free port of 127.0.0.1 and stops it.

mod contract;
mod fault_proxy;
mod faults;
mod files;
mod remote;
mod servers;
