//! Clients of object stores, from options and the environment.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use ::object_store::aws::{AmazonS3Builder, AmazonS3ConfigKey};
use ::object_store::azure::{AzureConfigKey, MicrosoftAzureBuilder};
use ::object_store::gcp::{GoogleCloudStorageBuilder, GoogleConfigKey};
use ::object_store::list::PaginatedListStore;
use ::object_store::{BackoffConfig, ClientConfigKey, ObjectStore, RetryConfig};

use super::costs::Costs;
use super::errors::{Redaction, describe};
use super::hdfs::{Hdfs, Settings};
use super::traffic::{Connector, Traffic};
use super::{Inner, Store, literal};
use crate::directory::address::{StoreAddress, StoreKind};
use crate::directory::error::DirectoryError;
use crate::names::DirectoryUrl;

/// Options, of Flink and Hadoop or of `object_store`.
type Options = BTreeMap<String, String>;

impl Store {
    /// Opens a location in an object store. No request is sent.
    pub(in crate::directory) fn open(url: DirectoryUrl, address: &StoreAddress, options: &Options) -> Result<Self, DirectoryError> {
        let redaction = Redaction::new(secrets(options, std::env::vars()));
        let traffic = Arc::new(Traffic::new(url.clone()));
        let opened = match address.kind {
            StoreKind::Hdfs => return Self::open_hdfs(url, address, options, redaction),
            StoreKind::S3 => s3(&address.authority, options, &traffic).map(split),
            StoreKind::Google => google(&address.authority, options, &traffic).map(split),
            StoreKind::Azure(_) => azure(&address.authority, options, &traffic).map(split),
        };
        let (store, paged) = opened.map_err(|error| {
            let (_, cause) = describe(&error, &redaction);
            DirectoryError::refused(format!("cannot open the archive directory {url}: {cause}"))
        })?;
        Ok(Self::assemble(Inner {
            url,
            store,
            paged: Some(paged),
            page_size: None,
            costs: Costs::default(),
            root: literal(&address.prefix),
            hdfs: None,
            redaction,
            traffic,
        }))
    }

    fn open_hdfs(url: DirectoryUrl, address: &StoreAddress, options: &Options, redaction: Redaction) -> Result<Self, DirectoryError> {
        let settings = Settings::new(&address.authority, options)
            .map_err(|error| DirectoryError::refused(format!("cannot open the archive directory {url}: {}", error.message)))?;
        let hdfs = Hdfs::new(settings);
        let inner = Inner {
            url,
            store: Arc::new(hdfs.clone()),
            paged: None,
            page_size: None,
            costs: Costs::default(),
            root: literal(&address.prefix),
            hdfs: Some(hdfs),
            redaction,
            traffic: Arc::default(),
        };
        Ok(Self::assemble(inner))
    }
}

fn split<T: ObjectStore + PaginatedListStore>(store: T) -> (Arc<dyn ObjectStore>, Arc<dyn PaginatedListStore>) {
    let store = Arc::new(store);
    (store.clone(), store)
}

/// The values of options and variables that must not appear in messages.
fn secrets(options: &Options, variables: impl Iterator<Item = (String, String)>) -> impl Iterator<Item = String> {
    let is_secret = |key: &str| {
        let key = key.to_ascii_lowercase().replace(['-', '.'], "_");
        ["secret", "token", "password", "access_key", "account_key", "master_key", "sas", "service_account_key"]
            .iter()
            .any(|word| key.contains(word))
    };
    let of_clouds = |key: &str| ["AWS_", "GOOGLE_", "AZURE_"].iter().any(|cloud| key.starts_with(cloud));
    let options = options.clone().into_iter().filter(move |(key, _)| is_secret(key));
    let variables = variables.filter(move |(key, _)| of_clouds(key) && is_secret(key));
    options.chain(variables).map(|(_, value)| value)
}

/// Retries are few, so that a store that does not answer does not delay a refresh for long. The next refresh retries anyway.
fn retries() -> RetryConfig {
    RetryConfig {
        backoff: BackoffConfig { init_backoff: Duration::from_millis(100), max_backoff: Duration::from_secs(2), base: 2.0 },
        max_retries: 3,
        retry_timeout: Duration::from_secs(15),
    }
}

/// A timeout for each read, since a large archive takes long. (The timeout of whole requests cannot be disabled by name.)
const CLIENT: [(ClientConfigKey, &str); 3] =
    [(ClientConfigKey::ConnectTimeout, "5 seconds"), (ClientConfigKey::ReadTimeout, "30 seconds"), (ClientConfigKey::Timeout, "1 day")];

/// The first option that is set. In Flink, `s3.access-key` and `s3.access.key` are the same option.
fn first<'a>(options: &'a Options, keys: &[&str]) -> Option<&'a str> {
    keys.iter().find_map(|key| options.get(*key)).map(|value| value.trim()).filter(|value| !value.is_empty())
}

/// An option of the S3 file systems of Flink and Hadoop, which may have any of these prefixes.
fn s3_option<'a>(options: &'a Options, names: &[&str]) -> Option<&'a str> {
    ["s3.", "s3a.", "presto.s3.", "fs.s3a.", "fs.s3."].iter().find_map(|prefix| {
        names.iter().find_map(|name| {
            let name = format!("{prefix}{name}");
            first(options, &[name.as_str()])
        })
    })
}

fn is_false(value: &str) -> bool {
    value.eq_ignore_ascii_case("false")
}

fn s3(bucket: &str, options: &Options, traffic: &Arc<Traffic>) -> ::object_store::Result<::object_store::aws::AmazonS3> {
    let mut builder =
        AmazonS3Builder::from_env().with_bucket_name(bucket).with_retry(retries()).with_http_connector(Connector(traffic.clone()));
    for (key, value) in CLIENT {
        builder = builder.with_config(AmazonS3ConfigKey::Client(key), value);
    }
    let plain = [
        (AmazonS3ConfigKey::AccessKeyId, &["access-key", "access.key"][..]),
        (AmazonS3ConfigKey::SecretAccessKey, &["secret-key", "secret.key"]),
        (AmazonS3ConfigKey::Token, &["session-token", "session.token"]),
        (AmazonS3ConfigKey::Region, &["region", "endpoint.region"]),
    ];
    for (key, names) in plain {
        if let Some(value) = s3_option(options, names) {
            builder = builder.with_config(key, value);
        }
    }
    if let Some(endpoint) = s3_option(options, &["endpoint"]) {
        let scheme = if s3_option(options, &["connection.ssl.enabled"]).is_some_and(is_false) { "http" } else { "https" };
        let endpoint = if endpoint.contains("://") { endpoint.to_owned() } else { format!("{scheme}://{endpoint}") };
        builder = builder.with_allow_http(endpoint.starts_with("http://")).with_endpoint(endpoint);
    }
    if s3_option(options, &["aws.credentials.provider"]).is_some_and(|provider| provider.contains("AnonymousAWSCredentialsProvider")) {
        builder = builder.with_skip_signature(true);
    }
    // All stores support path style, so `path.style.access` is ignored.
    for (key, value) in with_prefix(options, "aws_") {
        builder = builder.with_config(key.parse()?, value);
    }
    builder.build()
}

fn google(bucket: &str, options: &Options, traffic: &Arc<Traffic>) -> ::object_store::Result<::object_store::gcp::GoogleCloudStorage> {
    let mut builder = GoogleCloudStorageBuilder::from_env()
        .with_bucket_name(bucket)
        .with_retry(retries())
        .with_http_connector(Connector(traffic.clone()));
    for (key, value) in CLIENT {
        builder = builder.with_config(GoogleConfigKey::Client(key), value);
    }
    let key_file = ["fs.gs.auth.service.account.json.keyfile", "google.cloud.auth.service.account.json.keyfile"];
    if let Some(path) = first(options, &key_file) {
        builder = builder.with_service_account_path(path);
    }
    for (key, value) in with_prefix(options, "google_") {
        builder = builder.with_config(key.parse::<GoogleConfigKey>()?, value);
    }
    builder.build()
}

fn azure(authority: &str, options: &Options, traffic: &Arc<Traffic>) -> ::object_store::Result<::object_store::azure::MicrosoftAzure> {
    let (container, host) = authority.split_once('@').unwrap_or((authority, ""));
    let account = host.split('.').next().unwrap_or_default();
    let mut builder = MicrosoftAzureBuilder::from_env()
        .with_account(account)
        .with_container_name(container)
        .with_retry(retries())
        .with_http_connector(Connector(traffic.clone()));
    for (key, value) in CLIENT {
        builder = builder.with_config(AzureConfigKey::Client(key), value);
    }
    if !host.ends_with(".core.windows.net") {
        // National clouds and Fabric. The blob endpoint is used for both names.
        builder = builder.with_endpoint(format!("https://{}", host.replacen(".dfs.", ".blob.", 1)));
    }
    // Keys of Hadoop contain the host of the account, with either of its two names, or no host.
    let of_account = |option: &str| {
        let (dfs, blob) = (host.replacen(".blob.", ".dfs.", 1), host.replacen(".dfs.", ".blob.", 1));
        let keys = [format!("{option}.{dfs}"), format!("{option}.{blob}"), option.to_owned()];
        keys.iter().find_map(|key| first(options, &[key.as_str()])).map(str::to_owned)
    };
    if let Some(key) = of_account("fs.azure.account.key") {
        builder = builder.with_access_key(key);
    }
    if let Some(token) = of_account("fs.azure.sas.fixed.token") {
        builder = builder.with_config(AzureConfigKey::SasKey, token);
    }
    if let Some(client) = of_account("fs.azure.account.oauth2.client.id") {
        builder = builder.with_client_id(client);
    }
    if let Some(secret) = of_account("fs.azure.account.oauth2.client.secret") {
        builder = builder.with_client_secret(secret);
    }
    // https://login.microsoftonline.com/<tenant>/oauth2/token
    let endpoint = of_account("fs.azure.account.oauth2.client.endpoint");
    if let Some(tenant) = endpoint.as_deref().and_then(|endpoint| endpoint.split('/').nth(3)) {
        builder = builder.with_tenant_id(tenant);
    }
    for (key, value) in with_prefix(options, "azure_") {
        builder = builder.with_config(key.parse::<AzureConfigKey>()?, value);
    }
    builder.build()
}

fn with_prefix<'a>(options: &'a Options, prefix: &'static str) -> impl Iterator<Item = (&'a str, &'a str)> {
    options.iter().filter(move |(key, _)| key.starts_with(prefix)).map(|(key, value)| (key.as_str(), value.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(pairs: &[(&str, &str)]) -> Options {
        pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
    }

    fn text(store: &impl std::fmt::Debug) -> String {
        format!("{store:?}")
    }

    #[test]
    fn options_of_flink_and_hadoop_and_object_store_open_s3() {
        for pairs in [
            [("s3.endpoint", "http://minio:9000"), ("s3.access-key", "the-key"), ("s3.secret-key", "hunter2"), ("s3.region", "eu-north-1")],
            [
                ("s3.endpoint", "http://minio:9000"),
                ("s3.access.key", "the-key"),
                ("s3.secret.key", "hunter2"),
                ("s3.endpoint.region", "eu-north-1"),
            ],
            [
                ("fs.s3a.endpoint", "http://minio:9000"),
                ("fs.s3a.access.key", "the-key"),
                ("fs.s3a.secret.key", "hunter2"),
                ("fs.s3a.endpoint.region", "eu-north-1"),
            ],
            [
                ("presto.s3.endpoint", "http://minio:9000"),
                ("presto.s3.access-key", "the-key"),
                ("presto.s3.secret-key", "hunter2"),
                ("presto.s3.region", "eu-north-1"),
            ],
            [
                ("aws_endpoint", "http://minio:9000"),
                ("aws_access_key_id", "the-key"),
                ("aws_secret_access_key", "hunter2"),
                ("aws_region", "eu-north-1"),
            ],
        ] {
            let mut options = options(&pairs);
            if pairs[0].0.starts_with("aws") {
                options.insert("aws_allow_http".to_owned(), "true".to_owned());
            }
            let store = text(&s3("bucket", &options, &Arc::default()).unwrap());
            for part in ["http://minio:9000/bucket", "the-key", "eu-north-1", "StaticCredentialProvider"] {
                assert!(store.contains(part), "{pairs:?}: {part} in {store}");
            }
        }
        let bare = options(&[("fs.s3a.endpoint", "minio:9000"), ("fs.s3a.connection.ssl.enabled", "false")]);
        assert!(text(&s3("bucket", &bare, &Arc::default()).unwrap()).contains("http://minio:9000/bucket"));
        // As the message about `oss:` advises.
        let virtual_hosted = [("s3.endpoint", "https://bucket.oss-cn-hangzhou.aliyuncs.com"), ("aws_virtual_hosted_style_request", "true")];
        let store = text(&s3("bucket", &options(&virtual_hosted), &Arc::default()).unwrap());
        assert!(store.contains("bucket_endpoint: \"https://bucket.oss-cn-hangzhou.aliyuncs.com\""), "{store}");
        let bare = options(&[("s3.endpoint", "s3.example.org")]);
        assert!(text(&s3("bucket", &bare, &Arc::default()).unwrap()).contains("https://s3.example.org/bucket"));
    }

    #[test]
    fn options_of_one_account_open_azure() {
        let key = "a2V5a2V5a2V5";
        let host = "account.dfs.core.windows.net";
        for name in [
            format!("fs.azure.account.key.{host}"),
            "fs.azure.account.key.account.blob.core.windows.net".to_owned(),
            "fs.azure.account.key".to_owned(),
        ] {
            let store = text(&azure(&format!("container@{host}"), &options(&[(&name, key)]), &Arc::default()).unwrap());
            assert!(store.contains("AccessKey") && store.contains("account: \"account\""), "{name}: {store}");
        }
        let other = options(&[("fs.azure.account.key.other.dfs.core.windows.net", key)]);
        assert!(!text(&azure(&format!("container@{host}"), &other, &Arc::default()).unwrap()).contains("AccessKey"));
        let china = text(&azure("container@account.dfs.core.chinacloudapi.cn", &Options::new(), &Arc::default()).unwrap());
        assert!(china.contains("account.blob.core.chinacloudapi.cn"), "{china}");
    }

    #[test]
    fn an_invalid_option_is_reported_without_its_value() {
        let address = StoreAddress { kind: StoreKind::S3, authority: "bucket".to_owned(), prefix: String::new() };
        let options = options(&[("aws_no_such_option", "x"), ("s3.secret-key", "hunter2")]);
        let error = Store::open(DirectoryUrl::new("s3://bucket"), &address, &options).err().unwrap();
        assert!(error.message.contains("aws_no_such_option") && error.message.contains("s3://bucket"), "{error}");
        assert!(!error.message.contains("hunter2"), "{error}");
    }

    #[test]
    fn values_of_secret_options_and_variables_are_kept_out_of_messages() {
        let options = options(&[
            ("s3.secret-key", "of-s3"),
            ("fs.azure.account.key.a.dfs.core.windows.net", "of-azure"),
            ("fs.azure.sas.fixed.token", "of-sas"),
            ("s3.endpoint", "no-secret"),
        ]);
        let variables = [("AWS_SESSION_TOKEN", "of-session"), ("AWS_REGION", "no-secret"), ("MY_TOKEN", "of-others")];
        let variables = variables.into_iter().map(|(key, value)| (key.to_owned(), value.to_owned()));
        let mut secrets: Vec<String> = secrets(&options, variables).collect();
        secrets.sort();
        assert_eq!(secrets, ["of-azure", "of-s3", "of-sas", "of-session"]);
    }
}
