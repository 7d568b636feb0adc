//! Settings of S3 and of the stores that speak its protocol: options of Flink's and Hadoop's S3 file systems, and `AWS_…` variables.

use ::object_store::aws::AmazonS3ConfigKey;

use super::{Settings, Sources, Texts, is_false, is_true, without};

/// Prefixes that Flink and Hadoop use for the same options. The first that is set wins.
const PREFIXES: &[&str] = &["s3.", "s3a.", "presto.s3.", "fs.s3a.", "fs.s3."];
/// Names below a prefix that have an effect.
const READ: &[&str] = &[
    "access-key",
    "access.key",
    "secret-key",
    "secret.key",
    "session-token",
    "session.token",
    "region",
    "endpoint.region",
    "endpoint",
    "path.style.access",
    "path-style-access",
    "connection.ssl.enabled",
    "ssl.enabled",
    "aws.credentials.provider",
    "proxy.host",
    "proxy.port",
    "proxy.username",
    "proxy.password",
    "requester.pays.enabled",
];
/// Names of Flink and Hadoop that have no effect here.
const WITHOUT_EFFECT: &[&str] = &[
    "entropy.*",
    "upload.*",
    "max.concurrent.uploads",
    "s5cmd.*",
    "bulk-copy.*",
    "delegation.*",
    "assumed.role.*",
    "server-side-encryption*",
    "encryption.*",
    "impl",
    "impl.*",
    "buffer.dir",
    "fast.upload*",
    "committer.*",
    "connection.*",
    "threads.*",
    "max.total.tasks",
    "multipart.*",
    "attempts.*",
    "retry.*",
    "paging.*",
    "readahead.*",
    "experimental.*",
    "experimental.input.fadvise",
    "signing-algorithm",
    "security.*",
    "block.size",
    "metadatastore.*",
    "change.detection.*",
    "list.version",
    "multiobjectdelete.enable",
    "socket.*",
    "user.agent.prefix",
    "etag.*",
    "select.*",
    "audit.*",
    "accesspoint.*",
    "acl.default",
    "proxy.domain",
    "proxy.workstation",
    "proxy.ssl.enabled",
    "sse.*",
    "staging-directory",
    "max-*",
    "multipart.*",
    "socket-timeout",
    "connect-timeout",
    "use-instance-credentials",
    "iam-role*",
    "pin-client-to-current-region",
    "streaming-upload.*",
    "upload-acl-type",
    "skip-glacier-objects",
    "kms-key-id",
    "encryption-materials-provider",
    "signer-*",
    "user-agent-prefix",
    "ext.*",
    "performance.*",
    "prefetch.*",
    "vectored.*",
    "cross.region.access.enabled",
    "create.*",
    "optimized.*",
    "downgrade.*",
    "rename.*",
];
/// Credentials of the environment, by the names of `object_store`.
const CREDENTIALS: &[&str] = &[
    "aws_access_key_id",
    "aws_secret_access_key",
    "aws_session_token",
    "aws_token",
    "aws_web_identity_token_file",
    "aws_role_arn",
    "aws_role_session_name",
    "aws_endpoint_url_sts",
    "aws_container_credentials_relative_uri",
    "aws_container_credentials_full_uri",
    "aws_container_authorization_token_file",
    "aws_skip_signature",
];
/// Credentials of the environment that are no keys.
const ROLES: &[&str] = &[
    "aws_web_identity_token_file",
    "aws_role_arn",
    "aws_container_credentials_relative_uri",
    "aws_container_credentials_full_uri",
    "aws_container_authorization_token_file",
    "aws_skip_signature",
];
const ENDPOINTS: &[&str] = &["aws_endpoint", "aws_endpoint_url", "aws_endpoint_url_s3"];
/// Variables of Amazon's own tools that `object_store` does not read.
const UNREAD_VARIABLES: [(&str, &str); 4] = [
    ("AWS_PROFILE", "profiles of ~/.aws are not read; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or s3.access-key and s3.secret-key"),
    ("AWS_SHARED_CREDENTIALS_FILE", "profiles are not read; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"),
    ("AWS_CONFIG_FILE", "profiles are not read; set AWS_REGION, AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"),
    ("AWS_CREDENTIAL_PROFILES_FILE", "profiles are not read; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"),
];

/// The content of the file that `AWS_CA_BUNDLE` names, which the configuration reads.
pub const AUTHORITIES: &str = "historyserver.s3.authorities";

/// A store that speaks the protocol of S3 and has a scheme and options of its own.
struct Compatible {
    scheme: &'static str,
    endpoint: &'static [&'static str],
    access_key: &'static [&'static str],
    secret_key: &'static [&'static str],
    token: &'static [&'static str],
}

const COMPATIBLE: [Compatible; 3] = [
    Compatible {
        scheme: "oss",
        endpoint: &["fs.oss.endpoint"],
        access_key: &["fs.oss.accessKeyId"],
        secret_key: &["fs.oss.accessKeySecret"],
        token: &["fs.oss.securityToken"],
    },
    Compatible {
        scheme: "cosn",
        endpoint: &["fs.cosn.bucket.endpoint_suffix"],
        access_key: &["fs.cosn.userinfo.secretId"],
        secret_key: &["fs.cosn.userinfo.secretKey"],
        token: &["fs.cosn.userinfo.sessionToken"],
    },
    Compatible {
        scheme: "obs",
        endpoint: &["fs.obs.endpoint"],
        access_key: &["fs.obs.access.key"],
        secret_key: &["fs.obs.secret.key"],
        token: &["fs.obs.session.token"],
    },
];

/// Resolves the settings of one bucket. `scheme` is that of the URL: `s3`, `oss`, `cosn` or `obs`.
pub(in crate::directory::object_store) fn resolve(scheme: &str, bucket: &str, options: &Texts, variables: &Texts) -> Settings {
    let sources = Sources::new(options, variables);
    let compatible = COMPATIBLE.iter().find(|store| store.scheme == scheme);
    let own = |keys: fn(&Compatible) -> &'static [&'static str]| compatible.map(keys).unwrap_or_default();
    let option = |names: &[&str], own: &[&str]| {
        let of_bucket = PREFIXES.iter().flat_map(|prefix| names.iter().map(move |name| format!("{prefix}bucket.{bucket}.{name}")));
        let general = PREFIXES.iter().flat_map(|prefix| names.iter().map(move |name| format!("{prefix}{name}")));
        sources.first(of_bucket.chain(own.iter().map(|key| (*key).to_owned())).chain(general))
    };
    let mut library = sources.of_library("aws_", |key| key.parse::<AmazonS3ConfigKey>().is_ok());
    let mut values = sources.of_cloud("AWS_", |key| key.parse::<AmazonS3ConfigKey>().is_ok());
    for (name, message) in UNREAD_VARIABLES {
        if variables.contains_key(name) && !values.contains_key("aws_access_key_id") {
            sources.note(name, format!("has no effect: {message}"));
        }
    }

    // Credentials, from one place.
    let access = option(&["access-key", "access.key"], own(|store| store.access_key));
    let secret = option(&["secret-key", "secret.key"], own(|store| store.secret_key));
    let token = option(&["session-token", "session.token"], own(|store| store.token));
    let provider = option(&["aws.credentials.provider"], &[]);
    let is_anonymous = provider.as_ref().is_some_and(|(_, provider)| provider.contains("AnonymousAWSCredentialsProvider"));
    if is_anonymous {
        values = without(values, CREDENTIALS);
        values.insert("aws_skip_signature".to_owned(), "true".to_owned());
    } else if access.is_some() || secret.is_some() || token.is_some() {
        values = without(values, CREDENTIALS);
        match (&access, &secret) {
            (Some(_), Some(_)) => {}
            (Some((key, _)), None) => {
                sources.fault(key, "is set, but the secret key is not; set both, such as s3.access-key and s3.secret-key");
            }
            (None, _) => {
                let key = secret.as_ref().or(token.as_ref()).map_or("s3.secret-key", |(key, _)| key);
                sources.fault(key, "is set, but the access key is not; set both, such as s3.access-key and s3.secret-key");
            }
        }
        for (name, value) in [("aws_access_key_id", access), ("aws_secret_access_key", secret), ("aws_session_token", token)] {
            values.extend(value.map(|(_, value)| (name.to_owned(), value.to_owned())));
        }
    } else if let Some((key, provider)) = &provider {
        values = by_provider(&sources, key, provider, values);
    } else if CREDENTIALS.iter().any(|key| library.contains_key(*key)) {
        values = without(values, CREDENTIALS);
    } else if values.contains_key("aws_access_key_id") && values.contains_key("aws_secret_access_key") {
        values = without(values, ROLES);
    } else {
        // A token without keys is of an earlier login.
        values = without(values, &["aws_session_token", "aws_token"]);
    }

    // Region and endpoint.
    let region = option(&["region", "endpoint.region"], &[]);
    if region.is_some() {
        values = without(values, &["aws_region", "aws_default_region"]);
    }
    values.extend(region.map(|(_, region)| ("aws_region".to_owned(), region.to_owned())));
    let plain = option(&["connection.ssl.enabled", "ssl.enabled"], &[]).is_some_and(|(_, value)| is_false(value));
    let endpoint = option(&["endpoint"], own(|store| store.endpoint));
    let of_environment = ["AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "AWS_ENDPOINT"];
    let of_library = ENDPOINTS.iter().find_map(|key| Some(((*key).to_owned(), sources.option(key)?)));
    library.retain(|key, _| !ENDPOINTS.contains(&key.as_str()));
    let endpoint = of_library
        .or(endpoint)
        .or_else(|| of_environment.iter().find_map(|name| sources.variable(name).map(|value| ((*name).to_owned(), value))));
    values = without(values, ENDPOINTS);
    let style = option(&["path.style.access", "path-style-access"], &[]);
    let asked = library.get("aws_virtual_hosted_style_request").or_else(|| values.get("aws_virtual_hosted_style_request"));
    let wants_virtual = match (&style, asked) {
        (_, Some(asked)) if library.contains_key("aws_virtual_hosted_style_request") => is_true(asked),
        (Some((_, style)), _) => is_false(style),
        (None, Some(asked)) => is_true(asked),
        (None, None) => compatible.is_some(),
    };
    let mut is_virtual = wants_virtual && !bucket.contains('.');
    if let Some((key, text)) = endpoint {
        if let Some(mut url) = sources.url(&key, text, if plain { "http" } else { "https" }) {
            if url.scheme() == "http" {
                values.insert("aws_allow_http".to_owned(), "true".to_owned());
            }
            if !url.username().is_empty() || url.password().is_some() || url.query().is_some() || url.fragment().is_some() {
                sources
                    .fault(&key, "contains a user, a password or a query; write https://HOST:PORT and set s3.access-key and s3.secret-key");
            }
            if !values.contains_key("aws_region") && !values.contains_key("aws_default_region") && compatible.is_some() {
                values.extend(region_of(url.host_str().unwrap_or_default()).map(|region| ("aws_region".to_owned(), region)));
            }
            let is_named = matches!(url.host(), Some(url::Host::Domain(_)));
            is_virtual &= is_named;
            if is_virtual {
                let host = url.host_str().unwrap_or_default().to_owned();
                if !host.starts_with(&format!("{bucket}.")) && url.set_host(Some(&format!("{bucket}.{host}"))).is_err() {
                    sources.fault(&key, "cannot be combined with the name of the bucket; set s3.path.style.access to true");
                }
            }
            values.insert("aws_endpoint".to_owned(), url.as_str().trim_end_matches('/').to_owned());
        }
    } else if let Some(store) = compatible {
        sources
            .fault(store.endpoint[0], format!("is not set; set it, or s3.endpoint, to the S3-compatible endpoint of the {scheme}: bucket"));
    }
    values.remove("aws_virtual_hosted_style_request");
    library.remove("aws_virtual_hosted_style_request");
    values.insert("aws_virtual_hosted_style_request".to_owned(), is_virtual.to_string());

    // Proxy.
    let proxy = |name: &str| option(&[name], &[]);
    if let Some((key, host)) = proxy("proxy.host") {
        let port = proxy("proxy.port").map_or_else(String::new, |(_, port)| format!(":{port}"));
        if let Some(mut url) = sources.url(&key, &format!("{host}{port}"), "http") {
            let (user, password) = (proxy("proxy.username"), proxy("proxy.password"));
            let is_set = user.as_ref().is_none_or(|(_, user)| url.set_username(user).is_ok())
                && password.as_ref().is_none_or(|(_, password)| url.set_password(Some(password)).is_ok());
            if !is_set {
                sources.fault(&key, "cannot be combined with the user and password of the proxy");
            }
            values.insert("aws_proxy_url".to_owned(), url.to_string());
        }
    }
    if proxy("requester.pays.enabled").is_some_and(|(_, value)| is_true(value)) {
        values.insert("aws_request_payer".to_owned(), "true".to_owned());
    }
    values.extend(library);
    unused(&sources, bucket);
    let authorities = options.get(AUTHORITIES).cloned();
    sources.finish(values, authorities)
}

/// Credentials by the class of `aws.credentials.provider`. Several are separated by commas; the first known one is used.
fn by_provider(sources: &Sources<'_>, key: &str, providers: &str, values: Texts) -> Texts {
    for provider in providers.split(',').map(str::trim) {
        let name = provider.rsplit(['.', '$']).next().unwrap_or(provider);
        let keys = ["aws_access_key_id", "aws_secret_access_key", "aws_session_token", "aws_token", "aws_skip_signature"];
        match name {
            "SimpleAWSCredentialsProvider" | "TemporaryAWSCredentialsProvider" => {
                if providers.contains(',') {
                    continue;
                }
                sources.fault(key, "names the configured keys, which are not set; set s3.access-key and s3.secret-key");
                return without(values, CREDENTIALS);
            }
            "EnvironmentVariableCredentialsProvider" => return without(values, ROLES),
            "WebIdentityTokenFileCredentialsProvider" | "WebIdentityTokenCredentialsProvider" => return without(values, &keys),
            "InstanceProfileCredentialsProvider"
            | "IAMInstanceCredentialsProvider"
            | "ContainerCredentialsProvider"
            | "EC2ContainerCredentialsProviderWrapper" => {
                return without(values, &[&keys[..], &["aws_web_identity_token_file", "aws_role_arn"]].concat());
            }
            "DefaultCredentialsProvider" | "DefaultAWSCredentialsProviderChain" => return values,
            _ => {}
        }
    }
    sources.note(
        key,
        "names no provider of credentials that this server knows; the environment and the role of the machine are used, as without it",
    );
    values
}

/// The region in the host of an endpoint: `oss-cn-hangzhou.aliyuncs.com`, `cos.ap-guangzhou.myqcloud.com`, `obs.cn-north-4.myhuaweicloud.com`.
fn region_of(host: &str) -> Option<String> {
    let labels: Vec<&str> = host.split('.').collect();
    if let Some(label) = labels.iter().find(|label| label.starts_with("oss-")) {
        return Some((*label).trim_end_matches("-internal").to_owned());
    }
    let at = labels.iter().position(|label| matches!(*label, "cos" | "obs"))?;
    labels.get(at + 1).map(|label| (*label).to_owned())
}

/// Notes on options that have no effect, those of other buckets left out.
fn unused(sources: &Sources<'_>, bucket: &str) {
    let general: Texts = sources
        .options
        .iter()
        .filter_map(|(key, value)| {
            let prefix = PREFIXES.iter().find(|prefix| key.starts_with(**prefix))?;
            let name = &key[prefix.len()..];
            match name.strip_prefix("bucket.") {
                None => Some((key.clone(), value.clone())),
                Some(rest) => {
                    let name = rest.strip_prefix(bucket)?.strip_prefix('.')?;
                    (!READ.contains(&name)).then(|| (key.clone(), value.clone()))
                }
            }
        })
        .collect();
    let narrowed = Sources::new(&general, sources.variables);
    let of_bucket: Vec<String> = PREFIXES.iter().map(|prefix| format!("{prefix}bucket.{bucket}.")).collect();
    let prefixes: Vec<&str> = of_bucket.iter().map(String::as_str).chain(PREFIXES.iter().copied()).collect();
    narrowed.notes_on_unused(&prefixes, READ, WITHOUT_EFFECT, "S3");
    for remark in narrowed.remarks.into_inner() {
        sources.note(&remark.key, remark.message);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(pairs: &[(&str, &str)]) -> Texts {
        pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
    }

    /// The values of a bucket, without the style of its address.
    fn values(options: &[(&str, &str)], variables: &[(&str, &str)]) -> Texts {
        let settings = resolve("s3", "bucket", &texts(options), &texts(variables));
        assert!(settings.remarks.iter().all(|remark| !remark.is_fault), "{:?}", settings.remarks);
        without(settings.values, &["aws_virtual_hosted_style_request"])
    }

    #[test]
    fn every_spelling_of_the_keys_is_read() {
        let expected = texts(&[
            ("aws_access_key_id", "the-key"),
            ("aws_secret_access_key", "hunter2"),
            ("aws_region", "eu-north-1"),
            ("aws_endpoint", "http://minio:9000"),
            ("aws_allow_http", "true"),
        ]);
        for (prefix, access, secret, region) in [
            ("s3.", "access-key", "secret-key", "region"),
            ("s3.", "access.key", "secret.key", "endpoint.region"),
            ("s3a.", "access-key", "secret-key", "region"),
            ("fs.s3a.", "access.key", "secret.key", "endpoint.region"),
            ("fs.s3.", "access.key", "secret.key", "region"),
            ("presto.s3.", "access-key", "secret-key", "region"),
            ("s3.bucket.bucket.", "access.key", "secret.key", "endpoint.region"),
            ("fs.s3a.bucket.bucket.", "access.key", "secret.key", "endpoint.region"),
        ] {
            let key = |name: &str| format!("{prefix}{name}");
            let keys = [key(access), key(secret), key(region), key("endpoint")];
            let pairs: Vec<(&str, &str)> =
                keys.iter().map(String::as_str).zip(["the-key", "hunter2", "eu-north-1", "http://minio:9000/"]).collect();
            assert_eq!(values(&pairs, &[]), expected, "{prefix}");
        }
        // Options of the bucket win over general ones, and those of another bucket have no effect.
        let options = [("s3.region", "a"), ("fs.s3a.bucket.bucket.region", "b"), ("fs.s3a.bucket.other.region", "c")];
        assert_eq!(values(&options, &[]), texts(&[("aws_region", "b")]));
    }

    #[test]
    fn what_is_configured_wins_over_the_environment_and_credentials_come_from_one_place() {
        let keys = [("s3.access-key", "a"), ("s3.secret-key", "b")];
        let taken = texts(&[("aws_access_key_id", "a"), ("aws_secret_access_key", "b")]);
        for variables in [
            &[("AWS_SESSION_TOKEN", "old")][..],
            &[("AWS_SKIP_SIGNATURE", "true")],
            &[("AWS_ACCESS_KEY_ID", "c"), ("AWS_SECRET_ACCESS_KEY", "d")],
            &[("AWS_WEB_IDENTITY_TOKEN_FILE", "/f"), ("AWS_ROLE_ARN", "r")],
        ] {
            assert_eq!(values(&keys, variables), taken, "{variables:?}");
        }
        let endpoint = [("s3.endpoint", "https://one:1")];
        for name in ["AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "AWS_ENDPOINT"] {
            assert_eq!(values(&endpoint, &[(name, "https://two")]), texts(&[("aws_endpoint", "https://one:1")]), "{name}");
            assert_eq!(values(&[], &[(name, "https://two:2")]), texts(&[("aws_endpoint", "https://two:2")]), "{name}");
        }
        assert_eq!(values(&[("s3.region", "a")], &[("AWS_DEFAULT_REGION", "b")]), texts(&[("aws_region", "a")]));
        // A line break at the end of a variable is no part of it, and a token without its keys is left out.
        let variables = [("AWS_ACCESS_KEY_ID", "a\n"), ("AWS_SECRET_ACCESS_KEY", "b\r\n"), ("AWS_ROLE_ARN", "r")];
        assert_eq!(values(&[], &variables), taken);
        assert_eq!(values(&[], &[("AWS_SESSION_TOKEN", "old")]), Texts::new());
    }

    #[test]
    fn providers_choose_the_place() {
        let environment =
            [("AWS_ACCESS_KEY_ID", "a"), ("AWS_SECRET_ACCESS_KEY", "b"), ("AWS_WEB_IDENTITY_TOKEN_FILE", "/f"), ("AWS_ROLE_ARN", "r")];
        let static_keys = texts(&[("aws_access_key_id", "a"), ("aws_secret_access_key", "b")]);
        let identity = texts(&[("aws_web_identity_token_file", "/f"), ("aws_role_arn", "r")]);
        for (provider, expected) in [
            ("com.amazonaws.auth.EnvironmentVariableCredentialsProvider", &static_keys),
            ("software.amazon.awssdk.auth.credentials.WebIdentityTokenFileCredentialsProvider", &identity),
            ("org.apache.hadoop.fs.s3a.auth.IAMInstanceCredentialsProvider", &Texts::new()),
            ("org.apache.hadoop.fs.s3a.AnonymousAWSCredentialsProvider", &texts(&[("aws_skip_signature", "true")])),
        ] {
            assert_eq!(values(&[("fs.s3a.aws.credentials.provider", provider)], &environment), *expected, "{provider}");
        }
        let unknown = resolve("s3", "bucket", &texts(&[("s3.aws.credentials.provider", "org.example.Mine")]), &Texts::new());
        assert!(unknown.remarks[0].message.contains("names no provider of credentials that this server knows"), "{:?}", unknown.remarks);
    }

    #[test]
    fn the_style_of_addresses_can_be_chosen() {
        for (options, expected) in [
            (&[("s3.endpoint", "https://host:9000")][..], "https://host:9000 false"),
            (&[("s3.endpoint", "https://host"), ("s3.path.style.access", "true")], "https://host false"),
            (&[("s3.endpoint", "https://host:9000"), ("s3.path.style.access", "false")], "https://bucket.host:9000 true"),
            (&[("s3.endpoint", "https://bucket.host"), ("s3.path-style-access", "false")], "https://bucket.host true"),
            (&[("s3.endpoint", "https://bucket.host"), ("aws_virtual_hosted_style_request", "true")], "https://bucket.host true"),
            // An address cannot have a name before it.
            (&[("s3.endpoint", "http://127.0.0.1:9000"), ("s3.path.style.access", "false")], "http://127.0.0.1:9000 false"),
            (&[("s3.path.style.access", "false")], " true"),
            (&[("s3.endpoint", "minio:9000"), ("s3.connection.ssl.enabled", "false")], "http://minio:9000 false"),
            (&[("s3.endpoint", "s3.example.org")], "https://s3.example.org false"),
        ] {
            let values = resolve("s3", "bucket", &texts(options), &Texts::new()).values;
            let endpoint = values.get("aws_endpoint").map_or("", String::as_str);
            assert_eq!(format!("{endpoint} {}", values["aws_virtual_hosted_style_request"]), expected, "{options:?}");
        }
    }

    #[test]
    fn compatible_stores_have_an_endpoint_or_are_refused() {
        for (scheme, options, endpoint, region) in [
            (
                "oss",
                &[("fs.oss.endpoint", "oss-cn-hangzhou.aliyuncs.com")][..],
                "https://b.oss-cn-hangzhou.aliyuncs.com",
                "oss-cn-hangzhou",
            ),
            (
                "cosn",
                &[("fs.cosn.bucket.endpoint_suffix", "cos.ap-guangzhou.myqcloud.com")],
                "https://b.cos.ap-guangzhou.myqcloud.com",
                "ap-guangzhou",
            ),
            (
                "obs",
                &[("s3.endpoint", "https://obs.cn-north-4.myhuaweicloud.com")],
                "https://b.obs.cn-north-4.myhuaweicloud.com",
                "cn-north-4",
            ),
        ] {
            let values = resolve(scheme, "b", &texts(options), &Texts::new()).values;
            assert_eq!((values["aws_endpoint"].as_str(), values["aws_region"].as_str()), (endpoint, region), "{scheme}");
            let refused = resolve(scheme, "b", &Texts::new(), &Texts::new()).remarks;
            assert!(refused.iter().any(|remark| remark.is_fault && remark.message.contains("s3.endpoint")), "{scheme}: {refused:?}");
        }
        let keys = [("fs.oss.endpoint", "h"), ("fs.oss.accessKeyId", "a"), ("fs.oss.accessKeySecret", "b")];
        assert_eq!(resolve("oss", "b", &texts(&keys), &Texts::new()).values["aws_access_key_id"], "a");
    }

    #[test]
    fn faults_and_unused_options_are_named_and_never_quoted() {
        for (options, variables, key, part, is_fault) in [
            (&[("s3.endpoint", "http://hunter2:99999")][..], &[][..], "s3.endpoint", "invalid port number", true),
            (&[("s3.endpoint", "ftp://host")], &[], "s3.endpoint", "http or https", true),
            (&[("s3.endpoint", "https://user:hunter2@host")], &[], "s3.endpoint", "contains a user, a password", true),
            (&[("s3.access-key", "hunter2")], &[], "s3.access-key", "the secret key is not", true),
            (&[("s3.secret-key", "hunter2")], &[], "s3.secret-key", "the access key is not", true),
            (&[("s3.secret-key", "hun\nter2"), ("s3.access-key", "a")], &[], "s3.secret-key", "control character", true),
            (&[], &[("AWS_ENDPOINT_URL", "http://host:hunter2")], "AWS_ENDPOINT_URL", "invalid port number", true),
            (&[], &[("AWS_REGION", "hun\nter2")], "AWS_REGION", "control character", true),
            (&[("aws_no_such_option", "hunter2")], &[], "aws_no_such_option", "is not an option", true),
            (&[("s3.acess-key", "hunter2")], &[], "s3.acess-key", "did you mean s3.access-key?", false),
            (
                &[("fs.s3a.bucket.bucket.secret.kee", "hunter2")],
                &[],
                "fs.s3a.bucket.bucket.secret.kee",
                "did you mean fs.s3a.bucket.bucket.secret.key?",
                false,
            ),
            (&[("s3.entropy.key", "hunter2"), ("s3.upload.min.part.size", "1")], &[], "s3.entropy.key", "has no effect", false),
            (&[], &[("AWS_PROFILE", "hunter2")], "AWS_PROFILE", "profiles of ~/.aws are not read", false),
        ] {
            let remarks = resolve("s3", "bucket", &texts(options), &texts(variables)).remarks;
            let found = remarks.iter().find(|remark| remark.key == key && remark.message.contains(part) && remark.is_fault == is_fault);
            assert!(found.is_some(), "{key}: {remarks:?}");
            assert!(!format!("{remarks:?}").contains("hunter2"), "{remarks:?}");
        }
        assert_eq!(resolve("s3", "bucket", &texts(&[("fs.s3a.bucket.other.acess", "x")]), &Texts::new()).remarks, []);
    }

    #[test]
    fn a_proxy_is_a_url() {
        let options = [
            ("fs.s3a.proxy.host", "proxy"),
            ("fs.s3a.proxy.port", "3128"),
            ("fs.s3a.proxy.username", "u"),
            ("fs.s3a.proxy.password", "p@"),
        ];
        assert_eq!(values(&options, &[])["aws_proxy_url"], "http://u:p%40@proxy:3128/");
    }
}
