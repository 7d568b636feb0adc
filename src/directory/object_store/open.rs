//! Clients of object stores, from options and the environment.

use std::collections::BTreeMap;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use ::object_store::aws::AmazonS3Builder;
use ::object_store::azure::MicrosoftAzureBuilder;
use ::object_store::gcp::GoogleCloudStorageBuilder;
use ::object_store::list::PaginatedListStore;
use ::object_store::{BackoffConfig, Certificate, ClientConfigKey, ClientOptions, ObjectStore, RetryConfig};

use super::bulk::Deletion;
use super::costs::Costs;
use super::errors::{Purpose, Redaction, describe};
use super::hdfs::{self, Hdfs};
use super::settings::{Remark, Settings, azure, google, is_secret, s3};
use super::traffic::{Connector, Traffic};
use super::{Inner, Store, literal};
use crate::directory::address::{StoreAddress, StoreKind};
use crate::directory::error::DirectoryError;
use crate::directory::requests;
use crate::names::DirectoryUrl;

/// Options of Flink and Hadoop, or of `object_store`.
type Options = BTreeMap<String, String>;

impl Store {
    /// Opens a location in an object store. No request is sent.
    pub(in crate::directory) fn open(
        url: DirectoryUrl,
        address: &StoreAddress,
        options: &Options,
        variables: &Options,
    ) -> Result<Self, DirectoryError> {
        let redaction = Redaction::new(secrets(options, variables));
        if address.kind == StoreKind::Hdfs {
            return Self::open_hdfs(url, address, options, redaction);
        }
        let settings = settings(address, options, variables);
        if let Some(fault) = settings.remarks.iter().find(|remark| remark.is_fault) {
            return Err(DirectoryError::refused(format!("cannot open the archive directory {url}: {} {}", fault.key, fault.message)));
        }
        let traffic = Arc::new(Traffic::new(url.clone()));
        // A client that panics must not end the program.
        let built = std::panic::catch_unwind(AssertUnwindSafe(|| build(address, &settings, &traffic)));
        let opened = built.map_err(|_| "an option or an environment variable of this store makes its client fail".to_owned());
        let opened = opened.and_then(|opened| opened.map_err(|error| describe(&error, &redaction, Purpose::Read).1));
        let (store, paged) =
            opened.map_err(|cause| DirectoryError::refused(format!("cannot open the archive directory {url}: {cause}")))?;
        let root = literal(&address.prefix);
        Ok(Self::assemble(Inner {
            url,
            store,
            paged: Some(paged),
            page_size: None,
            deletion: deletion(address, &settings),
            costs: Costs::new(lists_ranges(address), listing_price(address, &settings)),
            root,
            hdfs: None,
            redaction,
            traffic,
        }))
    }

    fn open_hdfs(url: DirectoryUrl, address: &StoreAddress, options: &Options, redaction: Redaction) -> Result<Self, DirectoryError> {
        let settings = hdfs::Settings::new(&address.authority, options)
            .map_err(|error| DirectoryError::refused(format!("cannot open the archive directory {url}: {}", error.message)))?;
        let hdfs = Hdfs::new(settings);
        let inner = Inner {
            url,
            store: Arc::new(hdfs.clone()),
            paged: None,
            page_size: None,
            deletion: Deletion::Single,
            costs: Costs::default(),
            root: literal(&address.prefix),
            hdfs: Some(hdfs),
            redaction,
            traffic: Arc::default(),
        };
        Ok(Self::assemble(inner))
    }
}

fn deletion(address: &StoreAddress, settings: &Settings) -> Deletion {
    let has_no_bulk = || settings.values.get("aws_disable_bulk_delete").is_some_and(|value| value.eq_ignore_ascii_case("true"));
    match address.kind {
        StoreKind::S3(_) if !has_no_bulk() => Deletion::S3,
        StoreKind::Azure(_) => Deletion::Azure,
        StoreKind::S3(_) | StoreKind::Google | StoreKind::Hdfs => Deletion::Single,
    }
}

/// Remarks about the options and variables of a location.
pub(in crate::directory) fn remarks(address: &StoreAddress, options: &Options, variables: &Options) -> Vec<Remark> {
    match address.kind {
        StoreKind::Hdfs => hdfs::Settings::new(&address.authority, options)
            .err()
            .map(|error| Remark { key: "historyserver.archive.fs.dir".to_owned(), message: error.message, is_fault: true })
            .into_iter()
            .collect(),
        _ => settings(address, options, variables).remarks,
    }
}

fn settings(address: &StoreAddress, options: &Options, variables: &Options) -> Settings {
    match address.kind {
        StoreKind::S3(scheme) => s3::resolve(scheme, &address.authority, options, variables),
        StoreKind::Google => google::resolve(options, variables),
        StoreKind::Azure(_) => {
            let (container, host) = address.authority.split_once('@').unwrap_or((&address.authority, ""));
            azure::resolve(container, host, options, variables)
        }
        StoreKind::Hdfs => Settings::default(),
    }
}

/// Whether a store lists from a key on by itself. Directory buckets of S3 (`--x-s3`) do not, and neither does Azurite.
fn lists_ranges(address: &StoreAddress) -> bool {
    match address.kind {
        StoreKind::S3(_) => !address.authority.ends_with("--x-s3"),
        StoreKind::Google => true,
        StoreKind::Azure(_) | StoreKind::Hdfs => false,
    }
}

/// The list price of one listing request in US dollars; `None` for stores of others than the three clouds.
fn listing_price(address: &StoreAddress, settings: &Settings) -> Option<f64> {
    let endpoint = |key: &str| settings.values.iter().find(|(name, _)| *name == key).map(|(_, value)| value.as_str());
    match address.kind {
        StoreKind::S3("s3") => endpoint("aws_endpoint").is_none_or(|url| url.contains(".amazonaws.com")).then_some(requests::S3_LISTING),
        StoreKind::Google => endpoint("google_base_url").is_none().then_some(requests::GOOGLE_LISTING),
        StoreKind::Azure(_) => {
            let is_azure = address.authority.ends_with(".core.windows.net") && endpoint("azure_endpoint").is_none();
            is_azure.then_some(requests::AZURE_LISTING)
        }
        StoreKind::S3(_) | StoreKind::Hdfs => None,
    }
}

/// A store with its two interfaces.
type Opened = (Arc<dyn ObjectStore>, Arc<dyn PaginatedListStore>);

fn split<T: ObjectStore + PaginatedListStore>(store: T) -> Opened {
    let store = Arc::new(store);
    (store.clone(), store)
}

/// The values of options and variables that must not appear in messages.
fn secrets(options: &Options, variables: &Options) -> impl Iterator<Item = String> {
    let of_clouds = |key: &str| ["AWS_", "GOOGLE_", "AZURE_"].iter().any(|cloud| key.starts_with(cloud));
    let options = options.clone().into_iter();
    let variables = variables.clone().into_iter().filter(move |(key, _)| of_clouds(key));
    options.chain(variables).filter(|(key, _)| is_secret(key)).map(|(_, value)| value.trim().to_owned())
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

/// Options of the HTTP client, with further authorities.
fn client_options(settings: &Settings) -> ::object_store::Result<ClientOptions> {
    let mut options = ClientOptions::new();
    if let Some(text) = &settings.authorities {
        for certificate in Certificate::from_pem_bundle(text.as_bytes())? {
            options = options.with_root_certificate(certificate);
        }
    }
    for (key, value) in CLIENT {
        options = options.with_config(key, value);
    }
    Ok(options)
}

fn build(address: &StoreAddress, settings: &Settings, traffic: &Arc<Traffic>) -> ::object_store::Result<Opened> {
    let connector = Connector(traffic.clone());
    let values = || settings.values.iter();
    match address.kind {
        StoreKind::Google => {
            let mut builder = GoogleCloudStorageBuilder::new()
                .with_client_options(client_options(settings)?.with_allow_http(true))
                .with_bucket_name(&address.authority)
                .with_retry(retries())
                .with_http_connector(connector);
            for (key, value) in values() {
                builder = builder.with_config(key.parse()?, value);
            }
            builder.build().map(split)
        }
        StoreKind::Azure(_) => {
            let (container, host) = address.authority.split_once('@').unwrap_or((&address.authority, ""));
            let mut builder = MicrosoftAzureBuilder::new()
                .with_client_options(client_options(settings)?)
                .with_account(host.split('.').next().unwrap_or_default())
                .with_container_name(container)
                .with_retry(retries())
                .with_http_connector(connector);
            if !host.ends_with(".core.windows.net") {
                // National clouds and Fabric. The blob endpoint is used for both names.
                builder = builder.with_endpoint(format!("https://{}", host.replacen(".dfs.", ".blob.", 1)));
            }
            for (key, value) in values() {
                builder = builder.with_config(key.parse()?, value);
            }
            builder.build().map(split)
        }
        StoreKind::S3(_) | StoreKind::Hdfs => {
            let mut builder = AmazonS3Builder::new()
                .with_client_options(client_options(settings)?)
                .with_bucket_name(&address.authority)
                .with_retry(retries())
                .with_http_connector(connector);
            for (key, value) in values() {
                builder = builder.with_config(key.parse()?, value);
            }
            builder.build().map(split)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(pairs: &[(&str, &str)]) -> Options {
        pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
    }

    fn opened(kind: StoreKind, authority: &str, options: &[(&str, &str)], variables: &[(&str, &str)]) -> Result<String, DirectoryError> {
        let address = StoreAddress { kind, authority: authority.to_owned(), prefix: String::new() };
        let store = Store::open(DirectoryUrl::new("x://place"), &address, &texts(options), &texts(variables))?;
        Ok(format!("{:?}", store.inner.store))
    }

    #[test]
    fn options_and_variables_reach_the_client() {
        let options =
            [("s3.endpoint", "http://minio:9000"), ("s3.access-key", "the-key"), ("s3.secret-key", "hunter2"), ("s3.region", "eu-north-1")];
        let store = opened(StoreKind::S3("s3"), "bucket", &options, &[("AWS_ENDPOINT_URL_S3", "http://other")]).unwrap();
        for part in ["http://minio:9000/bucket", "the-key", "eu-north-1", "StaticCredentialProvider"] {
            assert!(store.contains(part), "{part} in {store}");
        }
        let virtual_hosted = [("s3.endpoint", "https://oss-cn-hangzhou.aliyuncs.com"), ("s3.path.style.access", "false")];
        let store = opened(StoreKind::S3("s3"), "bucket", &virtual_hosted, &[]).unwrap();
        assert!(store.contains("bucket_endpoint: \"https://bucket.oss-cn-hangzhou.aliyuncs.com\""), "{store}");
    }

    #[test]
    fn options_of_one_account_open_azure() {
        let (key, host) = ("a2V5a2V5a2V5", "account.dfs.core.windows.net");
        let place = format!("container@{host}");
        let store = opened(StoreKind::Azure("abfss"), &place, &[("fs.azure.account.key", key)], &[]).unwrap();
        assert!(store.contains("AccessKey") && store.contains("account: \"account\""), "{store}");
        let other = [("fs.azure.account.key.other.dfs.core.windows.net", key)];
        assert!(!opened(StoreKind::Azure("abfss"), &place, &other, &[]).unwrap().contains("AccessKey"));
        let china = opened(StoreKind::Azure("abfss"), "container@account.dfs.core.chinacloudapi.cn", &[], &[]).unwrap();
        assert!(china.contains("account.blob.core.chinacloudapi.cn"), "{china}");
    }

    #[test]
    fn an_invalid_option_is_reported_without_its_value() {
        for (options, variables, part) in [
            (&[("aws_no_such_option", "x"), ("s3.secret-key", "hunter2"), ("s3.access-key", "a")][..], &[][..], "aws_no_such_option"),
            (&[("s3.endpoint", "http://127.0.0.1:99999")], &[], "s3.endpoint"),
            (&[], &[("AWS_REGION", "hun\nter2")], "AWS_REGION"),
            (&[("aws_unsigned_payload", "perhaps")], &[], "perhaps"),
        ] {
            let error = opened(StoreKind::S3("s3"), "bucket", options, variables).unwrap_err();
            assert!(error.message.contains(part) && error.message.contains("x://place"), "{error}");
            assert!(!error.message.contains("hunter2"), "{error}");
        }
        // A line break at the end of a variable is left out.
        assert!(opened(StoreKind::S3("s3"), "bucket", &[], &[("AWS_ACCESS_KEY_ID", "a\n"), ("AWS_SECRET_ACCESS_KEY", "b\n")]).is_ok());
    }

    #[test]
    fn values_of_secret_options_and_variables_are_kept_out_of_messages() {
        let options = texts(&[
            ("s3.secret-key", "of-s3"),
            ("fs.azure.account.key.a.dfs.core.windows.net", "of-azure"),
            ("fs.azure.sas.fixed.token", "of-sas"),
            ("s3.endpoint", "no-secret"),
        ]);
        let variables = texts(&[
            ("AWS_SESSION_TOKEN", "of-session"),
            ("AWS_REGION", "no-secret"),
            ("AWS_WEB_IDENTITY_TOKEN_FILE", "/no/secret"),
            ("MY_TOKEN", "of-others"),
        ]);
        let mut secrets: Vec<String> = secrets(&options, &variables).collect();
        secrets.sort();
        assert_eq!(secrets, ["of-azure", "of-s3", "of-sas", "of-session"]);
    }
}
