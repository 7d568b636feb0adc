//! Validation of settings and conversion to the configuration.

use std::collections::BTreeMap;
use std::path::PathBuf;

use tracing_subscriber::EnvFilter;

use super::certificates::standard_name;
use super::data_directory;
use super::default_scheme::DefaultScheme;
use super::directories::directories;
use super::hadoop_conf;
use super::listen_address;
use super::options::{self, Spec};
use super::origins;
use super::problem::ConfigProblem;
use super::reader::Reader;
use super::sections::{
    ArchiveConfig, Config, DataConfig, LogConfig, LogFormat, PemFiles, RetentionConfig, RightsConfig, SslConfig, Store, WebConfig,
};
use super::security;
use super::settings::{Environment, Settings};
use super::store_options;
use crate::access::rights;
use crate::archive::{ArchiveLimits, SensitiveKeys};
use crate::directory::check_address;
use crate::names::HostPattern;
use crate::schedule::cron::{Schedule, Zone};

/// Reads all sections. With problems, the configuration contains defaults in their place and must not be used.
/// `of_flink`: Flink's own configuration directory is one of the layers.
pub(super) fn validate(
    settings: &Settings,
    environment: &Environment,
    of_flink: bool,
    warnings: &mut Vec<String>,
) -> (Config, Vec<ConfigProblem>) {
    let reader = Reader::new(settings);
    let retention = retention(&reader);
    let (web, ssl) = (web(&reader, settings, warnings), ssl(&reader, environment, warnings));
    let security = security::read(&reader, environment, &web, &ssl, of_flink, warnings);
    let rights = rights(&reader);
    if !rights.rules.is_empty() && security.methods.is_empty() {
        let message = "has rules, but clients are not authenticated, so none of them applies: set historyserver.security.authentication to a \
                       method, or remove the rules";
        reader.refuse(&options::SECURITY_RULES, message);
    }
    let config = Config {
        archive: archive(&reader, settings, environment, &retention, warnings),
        retention,
        data: data(&reader, environment, warnings),
        limits: limits(&reader),
        bytes_in_flight: reader.size(&options::BYTES_IN_FLIGHT).unwrap_or_default(),
        web,
        ssl,
        security,
        rights,
        log: log(&reader),
    };
    (config, reader.into_problems())
}

fn archive(
    reader: &Reader<'_>,
    settings: &Settings,
    environment: &Environment,
    retention: &RetentionConfig,
    warnings: &mut Vec<String>,
) -> ArchiveConfig {
    let spec = &options::ARCHIVE_DIR;
    let scheme = default_scheme(reader);
    let mut entries = Vec::new();
    for entry in reader.items(spec, ',') {
        match scheme.resolve(&entry) {
            Ok(entry) => entries.push(entry),
            Err(fault) => reader.refuse(spec, fault),
        }
    }
    let found = directories(&entries, &environment.working_directory);
    if reader.items(spec, ',').is_empty() {
        let message = "is not set; set it to the directory that Flink's jobmanager.archive.fs.dir points to";
        reader.refuse(spec, message);
    }
    for entry in &found.repeated {
        warnings.push(format!("{}: {entry} is the same directory as an earlier entry; it is read once", spec.key));
    }
    for (inner, outer) in &found.nested {
        let sentence = format!("{inner} lies inside {outer}");
        if retention.has_limit() {
            reader.refuse(
                spec,
                format!("{sentence}, so that limits on retained archives would count and delete its archives twice; keep only one of them"),
            );
        } else {
            warnings.push(format!("{}: {sentence}; each archive belongs only to the inner one", spec.key));
        }
    }
    let (mut entries, mut problems) = (found.entries, Vec::new());
    let is_hdfs = |entry: &String| entry.get(..5).is_some_and(|scheme| scheme.eq_ignore_ascii_case("hdfs:"));
    let hadoop = if entries.iter().any(is_hdfs) { hadoop_conf::read(settings, environment, &mut problems) } else { BTreeMap::new() };
    for entry in entries.iter_mut().filter(|entry| is_hdfs(entry)) {
        if let Err(fault) = default_filesystem(entry, settings, &hadoop) {
            reader.refuse(spec, fault);
        }
    }
    for entry in &entries {
        if let Err(error) = check_address(entry) {
            reader.refuse(spec, error.message);
        }
    }
    let options = store_options::read(settings, &entries, hadoop, environment, &mut problems, warnings);
    for problem in problems {
        reader.add(problem);
    }
    ArchiveConfig {
        directories: entries,
        store_options: options.general,
        directory_options: options.of_directory,
        refresh_interval: reader.duration(&options::REFRESH_INTERVAL).unwrap_or_default(),
        empty_grace: reader.duration(&options::EMPTY_GRACE).unwrap_or_default(),
        lookup_unlisted: reader.switch(&options::LOOKUP_UNLISTED),
    }
}

/// Completes `hdfs:///path` by Hadoop's `fs.defaultFS`.
///
/// # Errors
/// It is not set, or is no HDFS.
fn default_filesystem(entry: &mut String, settings: &Settings, hadoop: &BTreeMap<String, String>) -> Result<(), String> {
    let path = match entry[5..].strip_prefix("//") {
        Some(rest) if rest.starts_with('/') => rest,
        Some(_) => return Ok(()),
        None => &entry[5..],
    };
    let of_flink = settings.get("flink.hadoop.fs.defaultFS").map(|setting| setting.value.text(","));
    let default = of_flink.or_else(|| hadoop.get("fs.defaultFS").cloned());
    match default.as_deref().map(str::trim).and_then(|default| default.strip_prefix("hdfs://")).filter(|host| !host.starts_with('/')) {
        Some(host) if path.starts_with('/') => {
            *entry = format!("hdfs://{}{path}", host.split('/').next().unwrap_or_default());
            Ok(())
        }
        _ => Err(format!(
            "\"{entry}\" contains no NameNode, and fs.defaultFS of Hadoop names no HDFS; write hdfs://NAMENODE:8020/path, or set HADOOP_CONF_DIR to \
             the directory with core-site.xml"
        )),
    }
}

fn default_scheme(reader: &Reader<'_>) -> DefaultScheme {
    let spec = &options::DEFAULT_SCHEME;
    let parsed = reader.text(spec).map(|text| DefaultScheme::parse(&text).map_err(|fault| reader.refuse_value(spec, &text, &fault)));
    parsed.and_then(Result::ok).unwrap_or_default()
}

fn retention(reader: &Reader<'_>) -> RetentionConfig {
    let cron = reader.items(&options::RETENTION_CRON, ';');
    for expression in &cron {
        if let Err(error) = Schedule::parse([expression.as_str()], Zone::System) {
            reader.refuse(&options::RETENTION_CRON, error.to_string());
        }
    }
    let time_zone = reader.text(&options::RETENTION_TIME_ZONE).and_then(|name| {
        let zone = name.parse::<chrono_tz::Tz>();
        if zone.is_err() {
            reader.refuse_value(
                &options::RETENTION_TIME_ZONE,
                &name,
                "it must be a time zone of the IANA database, such as Europe/Berlin or UTC",
            );
        }
        zone.ok()
    });
    RetentionConfig {
        applications: count(reader, &options::RETAINED_APPLICATIONS),
        jobs: count(reader, &options::RETAINED_JOBS),
        ttl: reader.duration(&options::RETAINED_TTL),
        size: reader.size(&options::RETAINED_SIZE),
        clean_expired_applications: reader.switch(&options::CLEAN_EXPIRED_APPLICATIONS),
        clean_expired_jobs: reader.switch(&options::CLEAN_EXPIRED_JOBS),
        retain_remote_beyond_local_limit: reader.switch(&options::RETAIN_REMOTE),
        cron,
        time_zone,
        max_delete_fraction: reader.fraction(&options::MAX_DELETE_FRACTION),
        delete_unreadable: reader.switch(&options::DELETE_UNREADABLE),
        record_ttl: reader.duration(&options::RECORD_TTL).unwrap_or_default(),
    }
}

/// A number of archives to retain; `None`: no limit. The message is Flink's.
fn count(reader: &Reader<'_>, spec: &Spec) -> Option<u32> {
    let number = reader.integer(spec)?;
    if number == 0 || number < -1 {
        reader.refuse(spec, format!("Cannot set {} to 0 or less than -1", spec.key));
    }
    u32::try_from(number).ok()
}

fn rights(reader: &Reader<'_>) -> RightsConfig {
    let spec = &options::SECURITY_RULES;
    let rules = match reader.text(spec).map(|json| rights::parse(&json)) {
        Some(Ok(rules)) => rules,
        Some(Err(faults)) => {
            for fault in faults {
                reader.refuse(spec, fault);
            }
            Vec::new()
        }
        None => Vec::new(),
    };
    RightsConfig { rules, sensitive: SensitiveKeys::with(reader.items(&options::SENSITIVE_KEYS, ',')) }
}

fn data(reader: &Reader<'_>, environment: &Environment, warnings: &mut Vec<String>) -> DataConfig {
    let (dir, warning) = data_directory::choose(reader.path(&options::DATA_DIR), reader.path(&options::WEB_TMPDIR), environment);
    warnings.extend(warning);
    DataConfig {
        dir,
        cache_max_size: reader.size(&options::CACHE_MAX_SIZE).unwrap_or_default(),
        cache_memory: reader.size(&options::CACHE_MEMORY).unwrap_or_default(),
    }
}

fn limits(reader: &Reader<'_>) -> ArchiveLimits {
    let default = ArchiveLimits::default();
    let number = |spec| reader.integer(spec).and_then(|number| u64::try_from(number).ok());
    let whole = |bytes: u64| usize::try_from(bytes).unwrap_or(usize::MAX);
    ArchiveLimits {
        document_size: reader.size(&options::DOCUMENT_SIZE).unwrap_or(default.document_size),
        entries: number(&options::ENTRIES).unwrap_or(default.entries),
        depth: number(&options::DEPTH).map_or(default.depth, whole),
        path_length: reader.size(&options::PATH_LENGTH).map_or(default.path_length, whole),
    }
}

fn web(reader: &Reader<'_>, settings: &Settings, warnings: &mut Vec<String>) -> WebConfig {
    let set = settings.get(options::WEB_ADDRESS.key).map(|setting| setting.value.text(",").trim().to_owned());
    let count = |spec| reader.integer(spec).and_then(|number| usize::try_from(number).ok()).unwrap_or(1);
    WebConfig {
        address_is_default: set.is_none(),
        address: address(reader, &options::WEB_ADDRESS).unwrap_or_default(),
        port: reader.integer(&options::WEB_PORT).and_then(|port| u16::try_from(port).ok()).unwrap_or_default(),
        refresh_interval: reader.duration(&options::WEB_REFRESH_INTERVAL).unwrap_or_default(),
        query_timeout: reader.duration(&options::QUERY_TIMEOUT).unwrap_or_default(),
        max_connections: count(&options::MAX_CONNECTIONS),
        max_connections_per_client: count(&options::MAX_CONNECTIONS_PER_CLIENT),
        expensive_requests_per_client: count(&options::EXPENSIVE_REQUESTS),
        min_read_rate: reader.size(&options::MIN_READ_RATE).unwrap_or_default(),
        answer_memory: reader.size(&options::ANSWER_MEMORY).unwrap_or_default(),
        operations: operations(reader),
        flink_version: reader.text(&options::FLINK_VERSION),
        allow_remote_actions: reader.switch(&options::ALLOW_REMOTE_ACTIONS),
        hosts: each(reader, &options::WEB_HOSTS, HostPattern::parse),
        frame_ancestors: each(reader, &options::FRAME_ANCESTORS, origins::frame_ancestor),
        cors_origins: each(reader, &options::CORS_ORIGINS, origins::origin),
        jobmanager_log_url: log_url(reader, &options::JOBMANAGER_LOG_URL, warnings),
        taskmanager_log_url: log_url(reader, &options::TASKMANAGER_LOG_URL, warnings),
    }
}

/// The items of a list, each parsed by `read`.
fn each<T>(reader: &Reader<'_>, spec: &Spec, read: impl Fn(&str) -> Result<T, String>) -> Vec<T> {
    let items = reader.items(spec, ',');
    items.iter().filter_map(|item| read(item).map_err(|fault| reader.refuse_value(spec, item, &fault)).ok()).collect()
}

fn address(reader: &Reader<'_>, spec: &Spec) -> Option<String> {
    let text = reader.text(spec)?;
    Some(listen_address::parse(&text).unwrap_or_else(|fault| {
        reader.refuse_value(spec, &text, &fault);
        text
    }))
}

/// The address for probes and metrics, which must differ from the main address.
fn operations(reader: &Reader<'_>) -> Option<(String, u16)> {
    let port = |spec| reader.integer(spec).and_then(|port| u16::try_from(port).ok()).unwrap_or_default();
    let (address, port, first_port) =
        (address(reader, &options::OPERATIONS_ADDRESS)?, port(&options::OPERATIONS_PORT), port(&options::WEB_PORT));
    if port != 0 && port == first_port && Some(&address) == reader.text(&options::WEB_ADDRESS).as_ref() {
        reader.refuse(&options::OPERATIONS_PORT, "must differ from historyserver.web.port, since both have the same address");
    }
    Some((address, port))
}

/// A pattern of log URLs. A missing scheme is added, and a URL of another scheme than http and https is ignored, as in Flink.
fn log_url(reader: &Reader<'_>, spec: &Spec, warnings: &mut Vec<String>) -> Option<String> {
    let pattern = reader.text(spec)?;
    match pattern.split_once("://") {
        None => Some(format!("http://{pattern}")),
        Some((scheme, _)) if scheme.eq_ignore_ascii_case("http") || scheme.eq_ignore_ascii_case("https") => Some(pattern),
        Some((scheme, _)) => {
            warnings.push(format!("{}: the scheme {scheme} is not supported, only http and https; pages show no links to logs", spec.key));
            None
        }
    }
}

fn ssl(reader: &Reader<'_>, environment: &Environment, warnings: &mut Vec<String>) -> SslConfig {
    let enabled = reader.switch(&options::WEB_SSL_ENABLED);
    let absolute = |path: PathBuf| environment.working_directory.join(path);
    let certificate = reader.path(&options::WEB_SSL_CERTIFICATE).map(absolute);
    let private_key = reader.path(&options::WEB_SSL_PRIVATE_KEY).map(absolute);
    let client_ca = reader.path(&options::WEB_SSL_CLIENT_CA).map(absolute);
    let keystore = store(
        reader,
        environment,
        enabled,
        [&options::REST_KEYSTORE, &options::KEYSTORE],
        [&options::REST_KEYSTORE_PASSWORD, &options::KEYSTORE_PASSWORD],
        [&options::REST_KEYSTORE_TYPE, &options::KEYSTORE_TYPE],
    );
    let truststore = store(
        reader,
        environment,
        enabled,
        [&options::REST_TRUSTSTORE, &options::TRUSTSTORE],
        [&options::REST_TRUSTSTORE_PASSWORD, &options::TRUSTSTORE_PASSWORD],
        [&options::REST_TRUSTSTORE_TYPE, &options::TRUSTSTORE_TYPE],
    );
    let authentication = reader.switch(&options::REST_AUTHENTICATION);
    let pem = match (certificate, private_key) {
        (Some(certificate), Some(private_key)) => Some(PemFiles { certificate, private_key }),
        (None, None) => None,
        (Some(_), None) => {
            reader.refuse(&options::WEB_SSL_PRIVATE_KEY, "is not set, but historyserver.web.ssl.certificate is; set both");
            None
        }
        (None, Some(_)) => {
            reader.refuse(&options::WEB_SSL_CERTIFICATE, "is not set, but historyserver.web.ssl.private-key is; set both");
            None
        }
    };
    if enabled && pem.is_none() && keystore.is_none() && !reader.is_set(&options::REST_KEYSTORE) && !reader.is_set(&options::KEYSTORE) {
        let message = "is true, but no certificate is configured: set security.ssl.rest.keystore and its password, or \
                       historyserver.web.ssl.certificate and historyserver.web.ssl.private-key";
        reader.refuse(&options::WEB_SSL_ENABLED, message);
    }
    let no_trust = client_ca.is_none() && truststore.is_none();
    if enabled && authentication && no_trust && !reader.is_set(&options::REST_TRUSTSTORE) && !reader.is_set(&options::TRUSTSTORE) {
        let message = "is true, but no authority for client certificates is configured: set security.ssl.rest.truststore and its password, or \
                       historyserver.web.ssl.client-ca";
        reader.refuse(&options::REST_AUTHENTICATION, message);
    }
    if !enabled && reader.switch(&options::REST_ENABLED) {
        let sentence =
            "security.ssl.rest.enabled is true, but historyserver.web.ssl.enabled is not: HTTP is served without TLS, as in Flink";
        warnings.push(sentence.to_owned());
    }
    let (tls12, tls13) = protocols(reader, enabled, warnings);
    let algorithms = reader.items(&options::SSL_ALGORITHMS, ',');
    let known: Vec<String> = rustls::crypto::aws_lc_rs::ALL_CIPHER_SUITES.iter().map(standard_name).collect();
    let unsafe_ones: Vec<&str> =
        algorithms.iter().map(String::as_str).filter(|name| !known.iter().any(|known| known.eq_ignore_ascii_case(name))).collect();
    if enabled && !unsafe_ones.is_empty() {
        warnings.push(format!("{}: {} is unsafe or unknown and is ignored", options::SSL_ALGORITHMS.key, unsafe_ones.join(", ")));
    }
    SslConfig {
        enabled,
        pem,
        keystore,
        key_password: either(reader, [&options::REST_KEY_PASSWORD, &options::KEY_PASSWORD]).and_then(|spec| reader.secret(spec)),
        client_authentication: authentication || client_ca.is_some(),
        client_ca,
        truststore,
        fingerprints: fingerprints(reader),
        tls12,
        tls13,
        algorithms,
    }
}

/// The first option that is set.
fn either(reader: &Reader<'_>, specs: [&'static Spec; 2]) -> Option<&'static Spec> {
    specs.into_iter().find(|spec| reader.is_set(spec))
}

/// A key store or trust store, from its options and their fallbacks. Faults are reported only when TLS is enabled.
fn store(
    reader: &Reader<'_>,
    environment: &Environment,
    enabled: bool,
    paths: [&'static Spec; 2],
    passwords: [&'static Spec; 2],
    types: [&'static Spec; 2],
) -> Option<Store> {
    let path_spec = either(reader, paths)?;
    let path = environment.working_directory.join(reader.path(path_spec)?);
    let kind_spec = either(reader, types);
    let kind = kind_spec.and_then(|spec| reader.text(spec)).unwrap_or_else(|| "PKCS12".to_owned());
    if enabled && !kind.eq_ignore_ascii_case("pkcs12") {
        let fault = format!("only PKCS12 stores are supported; convert the store by {}", super::keytool_command(&path));
        reader.refuse_value(kind_spec.unwrap_or(path_spec), &kind, &fault);
    }
    let password = either(reader, passwords).and_then(|spec| reader.secret(spec));
    if enabled && password.is_none() {
        reader.refuse(passwords[0], format!("is not set, but {} is; set both", path_spec.key));
    }
    Some(Store { option: path_spec.key, path, password: password? })
}

/// Whether TLS 1.2 and TLS 1.3 are enabled.
fn protocols(reader: &Reader<'_>, enabled: bool, warnings: &mut Vec<String>) -> (bool, bool) {
    let names = reader.items(&options::SSL_PROTOCOL, ',');
    let has = |wanted: &str| names.is_empty() || names.iter().any(|name| name.eq_ignore_ascii_case(wanted));
    let unknown: Vec<&str> = names
        .iter()
        .map(String::as_str)
        .filter(|name| !["TLSv1.2", "TLSv1.3"].iter().any(|known| known.eq_ignore_ascii_case(name)))
        .collect();
    let (tls12, tls13) = (has("TLSv1.2"), has("TLSv1.3"));
    if enabled && !tls12 && !tls13 {
        reader.refuse_value(&options::SSL_PROTOCOL, &unknown.join(","), "it must contain TLSv1.2 or TLSv1.3; older versions are insecure");
    } else if enabled && !unknown.is_empty() {
        warnings.push(format!("{}: {} is not supported and is ignored", options::SSL_PROTOCOL.key, unknown.join(", ")));
    }
    (tls12, tls13)
}

/// SHA-1 of client certificates, each as 40 hex digits, with or without colons.
fn fingerprints(reader: &Reader<'_>) -> Vec<[u8; 20]> {
    let spec = &options::REST_FINGERPRINT;
    let mut prints = Vec::new();
    for text in reader.items(spec, ',') {
        match fingerprint(&text) {
            Some(print) => prints.push(print),
            None => reader.refuse_value(spec, &text, "it must be a SHA-1 fingerprint of 40 hexadecimal digits"),
        }
    }
    prints
}

fn fingerprint(text: &str) -> Option<[u8; 20]> {
    let digits: Option<Vec<u32>> = text.chars().filter(|character| *character != ':').map(|character| character.to_digit(16)).collect();
    let digits = digits.filter(|digits| digits.len() == 40)?;
    let bytes: Vec<u8> = digits.chunks_exact(2).filter_map(|pair| u8::try_from(pair[0] * 16 + pair[1]).ok()).collect();
    bytes.try_into().ok()
}

fn log(reader: &Reader<'_>) -> LogConfig {
    let level = reader.text(&options::LOG_LEVEL).unwrap_or_default();
    if let Err(error) = EnvFilter::builder().parse(&level) {
        reader.refuse_value(&options::LOG_LEVEL, &level, &format!("it must be a log level or a filter ({error})"));
    }
    let json = reader.text(&options::LOG_FORMAT).is_some_and(|format| format.eq_ignore_ascii_case("json"));
    LogConfig { format: if json { LogFormat::Json } else { LogFormat::Text }, level }
}
