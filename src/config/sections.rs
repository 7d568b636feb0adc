//! The validated configuration, by section.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use crate::access::SecurityOptions;
use crate::access::rights::Rule;
use crate::archive::{ArchiveLimits, SensitiveKeys};

use super::secrets::{Secret, mask_urls, shown};
use super::store_options::StoreOptions;
use crate::names::HostPattern;

/// The whole configuration, validated.
#[derive(Debug, Clone)]
pub struct Config {
    /// Archive directories and their scans.
    pub archive: ArchiveConfig,
    /// Limits on archives, and the times of cleanups.
    pub retention: RetentionConfig,
    /// The data directory.
    pub data: DataConfig,
    /// Limits on the content of an archive.
    pub limits: ArchiveLimits,
    /// Maximum bytes of archives that are read at the same time.
    pub bytes_in_flight: u64,
    /// The HTTP server.
    pub web: WebConfig,
    /// TLS of the HTTP server.
    pub ssl: SslConfig,
    /// Authentication of clients.
    pub security: SecurityOptions,
    /// The rights of clients.
    pub rights: RightsConfig,
    /// The log of the server.
    pub log: LogConfig,
}

impl Config {
    /// The default configuration, with these archive directories and this data directory, on any free port.
    #[must_use]
    pub fn with_defaults(directories: Vec<String>, data_dir: PathBuf) -> Self {
        Self {
            archive: ArchiveConfig {
                directories,
                store_options: BTreeMap::new(),
                directory_options: BTreeMap::new(),
                refresh_interval: Duration::from_secs(10),
                empty_grace: Duration::from_hours(1),
                lookup_unlisted: true,
            },
            retention: RetentionConfig {
                applications: None,
                jobs: None,
                ttl: None,
                size: None,
                clean_expired_applications: false,
                clean_expired_jobs: false,
                retain_remote_beyond_local_limit: false,
                cron: Vec::new(),
                time_zone: None,
                max_delete_fraction: None,
                delete_unreadable: false,
                record_ttl: Duration::from_hours(365 * 24),
            },
            data: DataConfig { dir: data_dir, cache_max_size: 10 << 30, cache_memory: 64 << 20 },
            limits: ArchiveLimits::default(),
            bytes_in_flight: 64 << 20,
            web: WebConfig {
                address: "127.0.0.1".to_owned(),
                address_is_default: true,
                port: 0,
                refresh_interval: Duration::from_secs(10),
                query_timeout: Duration::from_secs(30),
                max_connections: 1024,
                max_connections_per_client: 512,
                expensive_requests_per_client: 8,
                min_read_rate: 1024,
                answer_memory: 32 << 20,
                operations: None,
                flink_version: None,
                allow_remote_actions: false,
                hosts: Vec::new(),
                frame_ancestors: Vec::new(),
                cors_origins: Vec::new(),
                jobmanager_log_url: None,
                taskmanager_log_url: None,
            },
            ssl: SslConfig::default(),
            security: SecurityOptions::default(),
            rights: RightsConfig::default(),
            log: LogConfig { format: LogFormat::Text, level: "info".to_owned() },
        }
    }
}

/// Archive directories and their scans.
#[derive(Clone)]
pub struct ArchiveConfig {
    /// Entries of `historyserver.archive.fs.dir`: trimmed, each directory once, at least one.
    pub directories: Vec<String>,
    /// Options of file systems and object stores (`s3.*`, `fs.*`, `security.kerberos.*` and others), as set. They contain secrets.
    pub store_options: BTreeMap<String, String>,
    /// Options of the store of one directory, by its entry. They win over the others.
    pub directory_options: BTreeMap<String, BTreeMap<String, String>>,
    /// From the end of one quick scan to the start of the next.
    pub refresh_interval: Duration,
    /// How long a directory that contained archives must be missing or empty before its archives count as deleted; 0: at once.
    pub empty_grace: Duration,
    /// Whether the server searches for requested ids that are not listed.
    pub lookup_unlisted: bool,
}

impl ArchiveConfig {
    /// All options of the store of one directory, by its entry in `directories`. They contain secrets.
    #[must_use]
    pub fn options_of(&self, entry: &str) -> BTreeMap<String, String> {
        StoreOptions::of(&self.store_options, &self.directory_options, entry)
    }
}

impl fmt::Debug for ArchiveConfig {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let directories: Vec<String> = self.directories.iter().map(|entry| mask_urls(entry)).collect();
        let masked = |options: &BTreeMap<String, String>| -> BTreeMap<String, String> {
            options.iter().map(|(key, value)| (key.clone(), shown(key, value))).collect()
        };
        let of_directories: BTreeMap<String, BTreeMap<String, String>> =
            self.directory_options.iter().map(|(entry, options)| (mask_urls(entry), masked(options))).collect();
        formatter
            .debug_struct("ArchiveConfig")
            .field("directories", &directories)
            .field("store_options", &masked(&self.store_options))
            .field("directory_options", &of_directories)
            .field("refresh_interval", &self.refresh_interval)
            .field("empty_grace", &self.empty_grace)
            .field("lookup_unlisted", &self.lookup_unlisted)
            .finish()
    }
}

/// Limits on archives, and the times of cleanups. A limit applies to each archive directory; `None`: no limit.
#[derive(Debug, Clone, PartialEq)]
pub struct RetentionConfig {
    /// Number of the newest applications to keep; 1 or more.
    pub applications: Option<u32>,
    /// Number of the newest legacy job archives to keep; 1 or more.
    pub jobs: Option<u32>,
    /// Age from which archives expire; above 0.
    pub ttl: Option<Duration>,
    /// Maximum bytes of archives to keep.
    pub size: Option<u64>,
    /// Whether applications that are missing from their directory are forgotten.
    pub clean_expired_applications: bool,
    /// The same for legacy job archives.
    pub clean_expired_jobs: bool,
    /// Whether expired archives are only forgotten, and not deleted.
    pub retain_remote_beyond_local_limit: bool,
    /// Cron expressions, of five to seven fields; empty: after every refresh.
    pub cron: Vec<String>,
    /// Time zone of the cron expressions; `None`: the time zone of the system.
    pub time_zone: Option<chrono_tz::Tz>,
    /// Largest part of a directory that one run may delete or forget, from 0 to 1; 1 is off. `None`: the first run with a limit, or
    /// with a stricter limit, may delete half of it.
    pub max_delete_fraction: Option<f64>,
    /// Whether unreadable archives count and are deleted.
    pub delete_unreadable: bool,
    /// How long the record of deletions is kept.
    pub record_ttl: Duration,
}

impl RetentionConfig {
    /// Whether any limit can make an archive expire.
    #[must_use]
    pub fn has_limit(&self) -> bool {
        self.applications.is_some() || self.jobs.is_some() || self.ttl.is_some() || self.size.is_some()
    }
}

/// The data directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DataConfig {
    /// Absolute path. The directory is created at start.
    pub dir: PathBuf,
    /// Maximum bytes of packs.
    pub cache_max_size: u64,
    /// Bytes of documents that are kept in memory; 0: none.
    pub cache_memory: u64,
}

/// The HTTP server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebConfig {
    /// Address or host name to listen on.
    pub address: String,
    /// Whether the address is the default, which the first log line then says.
    pub address_is_default: bool,
    /// Port; 0: any free one.
    pub port: u16,
    /// How often the page refreshes itself.
    pub refresh_interval: Duration,
    /// Maximum time of a read of many rows.
    pub query_timeout: Duration,
    /// Maximum number of connections.
    pub max_connections: usize,
    /// Maximum number of connections of one client.
    pub max_connections_per_client: usize,
    /// Maximum number of expensive requests of one client at the same time.
    pub expensive_requests_per_client: usize,
    /// Bytes per second that a client must read of its answer.
    pub min_read_rate: u64,
    /// Maximum bytes of answers that clients have not read.
    pub answer_memory: u64,
    /// Second address and port, which serve only probes and metrics.
    pub operations: Option<(String, u16)>,
    /// Version reported by `/config`; `None`: the version whose API is served.
    pub flink_version: Option<String>,
    /// Whether actions are allowed on addresses other than loopback.
    pub allow_remote_actions: bool,
    /// Host names of the server.
    pub hosts: Vec<HostPattern>,
    /// Sources of `frame-ancestors`, as written in a Content-Security-Policy; empty: none.
    pub frame_ancestors: Vec<String>,
    /// Origins whose scripts may read the server, as browsers write them, or `*`.
    pub cors_origins: Vec<String>,
    /// Pattern of JobManager log URLs, with its scheme; http or https.
    pub jobmanager_log_url: Option<String>,
    /// Pattern of TaskManager log URLs, with its scheme; http or https.
    pub taskmanager_log_url: Option<String>,
}

/// TLS of the HTTP server, as configured.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SslConfig {
    /// Whether HTTPS is served: `historyserver.web.ssl.enabled`.
    pub enabled: bool,
    /// Certificate chain and key as PEM files.
    pub pem: Option<PemFiles>,
    /// Key store; used without PEM files.
    pub keystore: Option<Store>,
    /// Password of the key in the key store, if set. It must equal the password of the store.
    pub key_password: Option<Secret>,
    /// Whether clients must present a certificate.
    pub client_authentication: bool,
    /// PEM file with the certificates that may sign client certificates.
    pub client_ca: Option<PathBuf>,
    /// Trust store; used without that PEM file.
    pub truststore: Option<Store>,
    /// SHA-1 of the client certificates that are accepted; empty: all that an authority has signed.
    pub fingerprints: Vec<[u8; 20]>,
    /// Whether TLS 1.2 is enabled. Without this and the next, both are enabled.
    pub tls12: bool,
    /// Whether TLS 1.3 is enabled.
    pub tls13: bool,
    /// Standard names of the cipher suites that the server offers; empty: all safe ones.
    pub algorithms: Vec<String>,
}

/// A certificate chain and its key in PEM files; absolute paths.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PemFiles {
    /// Certificate chain, which begins with the certificate of the server.
    pub certificate: PathBuf,
    /// Private key.
    pub private_key: PathBuf,
}

/// A PKCS#12 file; its path is absolute.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Store {
    /// Key of the option with its path.
    pub option: &'static str,
    /// Its path.
    pub path: PathBuf,
    /// Its password.
    pub password: Secret,
}

/// The rights of clients.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RightsConfig {
    /// The rules.
    pub rules: Vec<Rule>,
    /// Configuration keys whose values are masked.
    pub sensitive: SensitiveKeys,
}

/// The log of the server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogConfig {
    /// Format of the lines.
    pub format: LogFormat,
    /// Filter, in the grammar of `RUST_LOG`.
    pub level: String,
}

/// Format of log lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// Plain text.
    Text,
    /// One JSON object per line.
    Json,
}
