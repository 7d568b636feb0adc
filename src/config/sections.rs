//! The validated configuration, by section.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use crate::archive::ArchiveLimits;

use super::secrets::{MASK, Secret, is_sensitive, mask_urls};
use crate::names::HostPattern;

/// The whole configuration, validated.
#[derive(Debug, Clone)]
pub struct Config {
    /// Archive directories and how they are looked at.
    pub archive: ArchiveConfig,
    /// What is kept, and when the rest is deleted.
    pub retention: RetentionConfig,
    /// The data directory.
    pub data: DataConfig,
    /// Limits on what an archive may hold.
    pub limits: ArchiveLimits,
    /// Bytes of archives that are read at the same time.
    pub bytes_in_flight: u64,
    /// The HTTP server.
    pub web: WebConfig,
    /// TLS of the HTTP server.
    pub ssl: SslConfig,
    /// The server's own log.
    pub log: LogConfig,
}

impl Config {
    /// Everything at its default, over these archive directories and with this data directory, on any free port.
    #[must_use]
    pub fn with_defaults(directories: Vec<String>, data_dir: PathBuf) -> Self {
        Self {
            archive: ArchiveConfig {
                directories,
                store_options: BTreeMap::new(),
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
            data: DataConfig { dir: data_dir, cache_max_size: 10 << 30 },
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
                least_read_rate: 1024,
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
            log: LogConfig { format: LogFormat::Text, level: "info".to_owned() },
        }
    }
}

/// Archive directories and how they are looked at.
#[derive(Clone)]
pub struct ArchiveConfig {
    /// Entries of `historyserver.archive.fs.dir`: trimmed, each directory once, at least one.
    pub directories: Vec<String>,
    /// Keys that open archives (`s3.*`, `fs.*`, `security.kerberos.*` and the like), as set. Holds secrets.
    pub store_options: BTreeMap<String, String>,
    /// From the end of one quick scan to the start of the next.
    pub refresh_interval: Duration,
    /// How long a directory that held archives may be missing or empty before that is believed; 0: at once.
    pub empty_grace: Duration,
    /// Whether ids that are not listed are looked for.
    pub lookup_unlisted: bool,
}

impl fmt::Debug for ArchiveConfig {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let directories: Vec<String> = self.directories.iter().map(|entry| mask_urls(entry)).collect();
        let options: BTreeMap<&str, String> = self
            .store_options
            .iter()
            .map(|(key, value)| (key.as_str(), if is_sensitive(key) { MASK.to_owned() } else { mask_urls(value) }))
            .collect();
        formatter
            .debug_struct("ArchiveConfig")
            .field("directories", &directories)
            .field("store_options", &options)
            .field("refresh_interval", &self.refresh_interval)
            .field("empty_grace", &self.empty_grace)
            .field("lookup_unlisted", &self.lookup_unlisted)
            .finish()
    }
}

/// What is kept, and when the rest is deleted. Limits hold per archive directory; `None`: no limit.
#[derive(Debug, Clone, PartialEq)]
pub struct RetentionConfig {
    /// Newest applications kept; at least 1.
    pub applications: Option<u32>,
    /// Newest legacy job archives kept; at least 1.
    pub jobs: Option<u32>,
    /// Age from which archives expire; above 0.
    pub ttl: Option<Duration>,
    /// Bytes of the newest archives kept.
    pub size: Option<u64>,
    /// Whether applications gone from their directory are forgotten.
    pub clean_expired_applications: bool,
    /// The same for legacy job archives.
    pub clean_expired_jobs: bool,
    /// Whether what expires is only forgotten, not deleted.
    pub retain_remote_beyond_local_limit: bool,
    /// Cron expressions, of five to seven fields; empty: after every refresh.
    pub cron: Vec<String>,
    /// Time zone of the cron expressions; `None`: the system's.
    pub time_zone: Option<chrono_tz::Tz>,
    /// Largest part of a directory that one run may delete or forget, from 0 to 1; 1 is off. `None`: unset, so that half of it is
    /// the most for the first run with a limit, or with a stricter one.
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
    /// Where it is; absolute. Made at start when missing.
    pub dir: PathBuf,
    /// Bytes of packs kept in it.
    pub cache_max_size: u64,
}

/// The HTTP server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebConfig {
    /// Address or host name to listen on.
    pub address: String,
    /// Whether nobody set the address: the first log line says so.
    pub address_is_default: bool,
    /// Port; 0: any free one.
    pub port: u16,
    /// How often the page refreshes itself.
    pub refresh_interval: Duration,
    /// How long a read that looks at many rows may take.
    pub query_timeout: Duration,
    /// Connections at a time.
    pub max_connections: usize,
    /// Connections of one client at a time.
    pub max_connections_per_client: usize,
    /// Bytes that a client must take per second.
    pub least_read_rate: u64,
    /// Bytes of answers that are made and not taken.
    pub answer_memory: u64,
    /// Second address, and its port, for probes and metrics alone.
    pub operations: Option<(String, u16)>,
    /// Version reported by `/config` instead of the one whose API is answered.
    pub flink_version: Option<String>,
    /// Whether changing requests are taken on addresses other than loopback.
    pub allow_remote_actions: bool,
    /// Names under which the server is reached.
    pub hosts: Vec<HostPattern>,
    /// Sources of `frame-ancestors`, as they stand in a policy; empty: none.
    pub frame_ancestors: Vec<String>,
    /// Origins that may read by script, as browsers write them, or `*`.
    pub cors_origins: Vec<String>,
    /// Pattern of JobManager log URLs, with its scheme; http or https.
    pub jobmanager_log_url: Option<String>,
    /// Pattern of TaskManager log URLs, with its scheme; http or https.
    pub taskmanager_log_url: Option<String>,
}

/// TLS of the HTTP server, as configured.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SslConfig {
    /// `historyserver.web.ssl.enabled`: HTTPS or no start.
    pub enabled: bool,
    /// Certificate chain and key as PEM files.
    pub pem: Option<PemFiles>,
    /// Key store, when there are no PEM files.
    pub keystore: Option<Store>,
    /// Password of the key in the key store, if set: it has to be that of the store.
    pub key_password: Option<Secret>,
    /// Whether clients must present a certificate.
    pub client_authentication: bool,
    /// PEM file with the certificates that may sign client certificates.
    pub client_ca: Option<PathBuf>,
    /// Trust store, when there is no such PEM file.
    pub truststore: Option<Store>,
    /// SHA-1 of the only client certificates taken; empty: all that are signed by the right ones.
    pub fingerprints: Vec<[u8; 20]>,
    /// Whether TLS 1.2 is spoken; when neither this nor the next is set, both are.
    pub tls12: bool,
    /// Whether TLS 1.3 is spoken.
    pub tls13: bool,
    /// Standard names of the cipher suites that are spoken; empty: all that are safe.
    pub algorithms: Vec<String>,
}

/// A certificate chain and its key in PEM files; absolute paths.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PemFiles {
    /// Certificate chain, the server's own first.
    pub certificate: PathBuf,
    /// Private key.
    pub private_key: PathBuf,
}

/// A PKCS#12 file; its path is absolute.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Store {
    /// Key of the option that names it.
    pub option: &'static str,
    /// Where it is.
    pub path: PathBuf,
    /// Its password.
    pub password: Secret,
}

/// The server's own log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogConfig {
    /// Form of the lines.
    pub format: LogFormat,
    /// Filter, in the grammar of `RUST_LOG`.
    pub level: String,
}

/// Form of log lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object per line.
    Json,
}
