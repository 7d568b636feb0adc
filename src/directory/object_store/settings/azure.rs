//! Settings of Azure: options of Flink's and Hadoop's Azure file systems, and `AZURE_…` variables.

use ::object_store::azure::AzureConfigKey;

use super::{Settings, Sources, Texts, without};

/// Prefixes of the same options. Flink passes `azure.` on as `fs.azure.`.
const PREFIXES: &[&str] = &["fs.azure.", "azure."];
/// Names below a prefix that have an effect, also with the host of the account at their end.
const READ: &[&str] = &[
    "account.key",
    "account.keyprovider",
    "account.auth.type",
    "account.oauth.provider.type",
    "account.oauth2.client.id",
    "account.oauth2.client.secret",
    "account.oauth2.client.endpoint",
    "account.oauth2.msi.tenant",
    "account.oauth2.msi.endpoint",
    "account.oauth2.token.file",
    "sas.fixed.token",
];
/// Names of Hadoop that have no effect here.
const WITHOUT_EFFECT: &[&str] = &[
    "account.hns.enabled*",
    "account.oauth2.user.*",
    "account.oauth2.refresh.*",
    "sas.token.provider.type*",
    "sas.expiry.period*",
    "io.*",
    "block.*",
    "write.*",
    "read*",
    "secure.mode",
    "local.sas.key.mode",
    "always.use.https*",
    "createRemoteFileSystemDuringInitialization",
    "infer.*",
    "client.*",
    "enable.*",
    "disable.*",
    "user.agent.prefix",
    "ssl.channel.mode",
    "saskey.*",
    "page.blob.dir",
    "atomic.rename.*",
    "rename.*",
    "list.*",
    "delegation.*",
    "identity.transformer.*",
    "cluster.*",
    "skipUserGroupMetadataDuringInitialization",
    "shellkeyprovider.script",
    "concurrentRequestCount.*",
    "buffered.*",
    "apache.*",
    "delete.*",
    "abfs.*",
    "networking.*",
    "metric.*",
    "account.throttling.*",
    "account.operation.*",
    "account.expect.*",
    "use.*",
];
/// Credentials of the environment, by the names of `object_store`.
const CREDENTIALS: &[&str] = &[
    "azure_storage_account_key",
    "azure_storage_access_key",
    "azure_storage_master_key",
    "azure_storage_client_id",
    "azure_client_id",
    "azure_storage_client_secret",
    "azure_client_secret",
    "azure_storage_tenant_id",
    "azure_storage_authority_id",
    "azure_tenant_id",
    "azure_authority_id",
    "azure_storage_sas_key",
    "azure_storage_sas_token",
    "azure_storage_token",
    "azure_federated_token_file",
    "azure_use_azure_cli",
    "azure_skip_signature",
    "azure_credential_type",
    "azure_object_id",
    "azure_msi_resource_id",
];

/// Resolves the settings of one container. `host` is that of the account: `ACCOUNT.dfs.core.windows.net`.
pub(in crate::directory::object_store) fn resolve(container: &str, host: &str, options: &Texts, variables: &Texts) -> Settings {
    let sources = Sources::new(options, variables);
    let account = host.split('.').next().unwrap_or_default();
    let hosts = [host.replacen(".blob.", ".dfs.", 1), host.replacen(".dfs.", ".blob.", 1)];
    let option = |name: &str| {
        let of_account = PREFIXES.iter().flat_map(|prefix| hosts.iter().map(move |host| format!("{prefix}{name}.{host}")));
        sources.first(of_account.chain(PREFIXES.iter().map(|prefix| format!("{prefix}{name}"))))
    };
    let library = sources.of_library("azure_", |key| key.parse::<AzureConfigKey>().is_ok());
    let mut values = sources.of_cloud("AZURE_", |key| key.parse::<AzureConfigKey>().is_ok());
    // Names of the machine's identity, as Azure sets them.
    if let Some(endpoint) = sources.variable("IDENTITY_ENDPOINT") {
        values.entry("azure_identity_endpoint".to_owned()).or_insert_with(|| endpoint.to_owned());
    }
    values = without(values, &["azure_storage_account_name", "azure_container_name"]);

    let configured = credentials(&sources, container, account, &hosts, &option);
    if !configured.is_empty() {
        values = without(values, CREDENTIALS);
        values.extend(configured);
    } else if CREDENTIALS.iter().any(|key| library.contains_key(*key)) {
        values = without(values, CREDENTIALS);
    } else if !CREDENTIALS.iter().any(|key| values.contains_key(*key))
        && let Some(text) = sources.variable("AZURE_STORAGE_CONNECTION_STRING")
    {
        values.extend(connection_string(&sources, text, account));
    }
    values.extend(library);
    unused(&sources, container, host);
    sources.finish(values, None)
}

/// The credentials that options name.
fn credentials<'a>(
    sources: &Sources<'a>,
    container: &str,
    account: &str,
    hosts: &[String; 2],
    option: &impl Fn(&str) -> Option<(String, &'a str)>,
) -> Texts {
    let mut values = Texts::new();
    let mut set = |key: &str, value: &str| values.insert(key.to_owned(), value.to_owned());
    let of_container = PREFIXES.iter().flat_map(|prefix| hosts.iter().map(move |host| format!("{prefix}sas.{container}.{host}")));
    let sas = sources.first(of_container).or_else(|| option("sas.fixed.token"));
    let kind = option("account.auth.type").map(|(_, kind)| kind.to_ascii_lowercase());
    let provider = option("account.oauth.provider.type").map(|(key, class)| (key, class.rsplit('.').next().unwrap_or(class)));
    let (client, secret) = (option("account.oauth2.client.id"), option("account.oauth2.client.secret"));
    // https://login.microsoftonline.com/<tenant>/oauth2/token
    let endpoint = option("account.oauth2.client.endpoint");
    let of_endpoint = endpoint.as_ref().and_then(|(_, endpoint)| endpoint.split('/').nth(3));
    let tenant = option("account.oauth2.msi.tenant").map(|(_, tenant)| tenant).or(of_endpoint);
    let is_oauth = kind.as_deref() == Some("oauth") || (kind.is_none() && client.is_some());
    if let Some((key, class)) = option("account.keyprovider") {
        match class.rsplit('.').next().unwrap_or(class) {
            "EnvironmentVariableKeyProvider" => match sources.variable("AZURE_STORAGE_KEY") {
                Some(value) => {
                    set("azure_storage_account_key", value);
                    return values;
                }
                None => sources.fault(&key, "names the environment variable AZURE_STORAGE_KEY, which is not set; set it"),
            },
            "SimpleKeyProvider" => {}
            _ => sources
                .fault(&key, "names a class that this server cannot run; set fs.azure.account.key, or EnvironmentVariableKeyProvider"),
        }
    }
    if is_oauth {
        match provider.as_ref().map(|(_, class)| *class) {
            None | Some("ClientCredsTokenProvider") => match (&client, &secret, tenant) {
                (Some((_, client)), Some((_, secret)), Some(tenant)) => {
                    set("azure_client_id", client);
                    set("azure_client_secret", secret);
                    set("azure_tenant_id", tenant);
                }
                _ => sources.fault(
                    client.as_ref().or(secret.as_ref()).or(endpoint.as_ref()).map_or("fs.azure.account.auth.type", |(key, _)| key),
                    "needs fs.azure.account.oauth2.client.id, fs.azure.account.oauth2.client.secret and \
                     fs.azure.account.oauth2.client.endpoint (https://login.microsoftonline.com/TENANT/oauth2/token) together; set all three",
                ),
            },
            Some("MsiTokenProvider") => {
                set("azure_credential_type", "managed_identity");
                if let Some((_, client)) = &client {
                    set("azure_client_id", client);
                }
                if let Some((_, endpoint)) = option("account.oauth2.msi.endpoint") {
                    set("azure_msi_endpoint", endpoint);
                }
            }
            Some("WorkloadIdentityTokenProvider") => {
                let file = option("account.oauth2.token.file").map(|(_, file)| file).or_else(|| sources.variable("AZURE_FEDERATED_TOKEN_FILE"));
                let client = client.as_ref().map(|(_, client)| *client).or_else(|| sources.variable("AZURE_CLIENT_ID"));
                let tenant = tenant.or_else(|| sources.variable("AZURE_TENANT_ID"));
                let found = [("azure_federated_token_file", file), ("azure_client_id", client), ("azure_tenant_id", tenant)];
                for (key, value) in found {
                    if let Some(value) = value {
                        set(key, value);
                    }
                }
                set("azure_credential_type", "workload_identity");
            }
            Some(_) => {
                let key = provider.map_or_else(String::new, |(key, _)| key);
                sources.fault(
                    &key,
                    "names a class that this server cannot run; it supports ClientCredsTokenProvider, MsiTokenProvider and \
                     WorkloadIdentityTokenProvider",
                );
            }
        }
    } else if let (Some((_, token)), true) = (&sas, kind.as_deref().is_none_or(|kind| kind == "sas")) {
        set("azure_storage_sas_token", token);
    } else if let (Some((_, key)), true) = (option("account.key"), kind.as_deref().is_none_or(|kind| kind == "sharedkey")) {
        set("azure_storage_account_key", key);
    } else if kind.is_some() {
        let message = format!("needs a key or token of the account {account}, which is not set; see docs/object-stores.md");
        sources.fault(&option("account.auth.type").map_or_else(String::new, |(key, _)| key), message);
    }
    values
}

/// The credentials of `AZURE_STORAGE_CONNECTION_STRING`, if it is of this account.
fn connection_string(sources: &Sources<'_>, text: &str, account: &str) -> Texts {
    const NAME: &str = "AZURE_STORAGE_CONNECTION_STRING";
    let parts: Texts = text
        .split(';')
        .filter_map(|part| part.split_once('='))
        .map(|(key, value)| (key.trim().to_ascii_lowercase(), value.trim().to_owned()))
        .collect();
    if parts.get("accountname").is_some_and(|name| name != account) {
        sources.note(NAME, format!("is of another account than {account} and has no effect there"));
        return Texts::new();
    }
    let mut values = Texts::new();
    for (part, key) in [
        ("accountkey", "azure_storage_account_key"),
        ("sharedaccesssignature", "azure_storage_sas_token"),
        ("blobendpoint", "azure_storage_endpoint"),
    ] {
        if let Some(value) = parts.get(part) {
            values.insert(key.to_owned(), value.clone());
        }
    }
    if values.is_empty() {
        sources.fault(NAME, "contains neither AccountKey nor SharedAccessSignature; copy it from the access keys of the account");
    }
    if parts.get("blobendpoint").is_some_and(|endpoint| endpoint.starts_with("http://")) {
        values.insert("azure_allow_http".to_owned(), "true".to_owned());
    }
    values
}

/// Notes on options that have no effect, those of other accounts left out.
fn unused(sources: &Sources<'_>, container: &str, host: &str) {
    let account = host.split('.').next().unwrap_or_default();
    let mut general = Texts::new();
    for (key, value) in sources.options {
        let Some(name) = PREFIXES.iter().find_map(|prefix| key.strip_prefix(prefix)) else { continue };
        let of_other = |name: &str| {
            READ.iter().any(|read| name.strip_prefix(read).is_some_and(|rest| rest.starts_with('.') && rest.contains(".core.")))
        };
        let is_of_account = |name: &str| name.contains(&format!(".{account}."));
        let is_sas = name
            .strip_prefix("sas.")
            .is_some_and(|rest| rest.starts_with(&format!("{container}.{account}.")) || rest.contains(".blob.core."));
        if is_sas || of_other(name) || (is_of_account(name) && READ.iter().any(|read| name.starts_with(&format!("{read}.")))) {
            continue;
        }
        general.insert(key.clone(), value.clone());
    }
    let narrowed = Sources::new(&general, sources.variables);
    narrowed.notes_on_unused(PREFIXES, READ, WITHOUT_EFFECT, "Azure");
    for remark in narrowed.remarks.into_inner() {
        sources.note(&remark.key, remark.message);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOST: &str = "acc.dfs.core.windows.net";

    fn texts(pairs: &[(&str, &str)]) -> Texts {
        pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn credentials_of_every_kind_come_from_one_place() {
        let key = texts(&[("azure_storage_account_key", "k")]);
        let sas = texts(&[("azure_storage_sas_token", "s")]);
        let client = texts(&[("azure_client_id", "c"), ("azure_client_secret", "s"), ("azure_tenant_id", "t")]);
        for (options, variables, expected) in [
            (&[("fs.azure.account.key.acc.dfs.core.windows.net", "k")][..], &[][..], &key),
            (&[("fs.azure.account.key.acc.blob.core.windows.net", "k")], &[("AZURE_STORAGE_SAS_TOKEN", "x")], &key),
            (&[("azure.account.key.acc.dfs.core.windows.net", "k")], &[("AZURE_CLIENT_ID", "x")], &key),
            (&[("fs.azure.account.key", "k"), ("fs.azure.account.key.other.dfs.core.windows.net", "o")], &[], &key),
            (
                &[("fs.azure.account.keyprovider.acc.blob.core.windows.net", "org.apache.flink.fs.azurefs.EnvironmentVariableKeyProvider")],
                &[("AZURE_STORAGE_KEY", "k\n")],
                &key,
            ),
            (&[("fs.azure.sas.box.acc.blob.core.windows.net", "s")], &[], &sas),
            (&[("fs.azure.account.auth.type", "SAS"), ("fs.azure.sas.fixed.token.acc.dfs.core.windows.net", "s")], &[], &sas),
            (
                &[
                    ("fs.azure.account.auth.type.acc.dfs.core.windows.net", "OAuth"),
                    ("fs.azure.account.oauth.provider.type", "org.apache.hadoop.fs.azurebfs.oauth2.ClientCredsTokenProvider"),
                    ("fs.azure.account.oauth2.client.id", "c"),
                    ("fs.azure.account.oauth2.client.secret", "s"),
                    ("fs.azure.account.oauth2.client.endpoint", "https://login.microsoftonline.com/t/oauth2/token"),
                ],
                &[("AZURE_STORAGE_ACCOUNT_KEY", "x")],
                &client,
            ),
            (
                &[],
                &[("AZURE_STORAGE_CONNECTION_STRING", "DefaultEndpointsProtocol=https;AccountName=acc;AccountKey=k;EndpointSuffix=x")],
                &key,
            ),
            (&[], &[("AZURE_STORAGE_ACCOUNT_KEY", "k"), ("AZURE_STORAGE_ACCOUNT_NAME", "other")], &key),
        ] {
            let settings = resolve("box", HOST, &texts(options), &texts(variables));
            assert_eq!((&settings.values, settings.remarks), (expected, Vec::new()), "{options:?} {variables:?}");
        }
        let msi = [("fs.azure.account.auth.type", "OAuth"), ("fs.azure.account.oauth.provider.type", "x.MsiTokenProvider")];
        assert_eq!(resolve("box", HOST, &texts(&msi), &Texts::new()).values, texts(&[("azure_credential_type", "managed_identity")]));
    }

    #[test]
    fn faults_and_unused_options_are_named_and_never_quoted() {
        for (options, variables, key, part, is_fault) in [
            (
                &[("fs.azure.account.keyprovider.acc.dfs.core.windows.net", "x.EnvironmentVariableKeyProvider")][..],
                &[][..],
                "fs.azure.account.keyprovider.acc.dfs.core.windows.net",
                "AZURE_STORAGE_KEY, which is not set",
                true,
            ),
            (&[("fs.azure.account.oauth2.client.id", "hunter2")], &[], "fs.azure.account.oauth2.client.id", "set all three", true),
            (&[("fs.azure.account.auth.type", "SharedKey")], &[], "fs.azure.account.auth.type", "needs a key", true),
            (&[("fs.azure.acount.key", "hunter2")], &[], "fs.azure.acount.key", "did you mean fs.azure.account.key?", false),
            (&[("fs.azure.write.request.size", "1")], &[], "fs.azure.write.request.size", "has no effect", false),
            (
                &[],
                &[("AZURE_STORAGE_CONNECTION_STRING", "AccountName=other;AccountKey=hunter2")],
                "AZURE_STORAGE_CONNECTION_STRING",
                "another account",
                false,
            ),
        ] {
            let remarks = resolve("box", HOST, &texts(options), &texts(variables)).remarks;
            let found = remarks.iter().find(|remark| remark.key == key && remark.message.contains(part) && remark.is_fault == is_fault);
            assert!(found.is_some(), "{key}: {remarks:?}");
            assert!(!format!("{remarks:?}").contains("hunter2"), "{remarks:?}");
        }
    }
}
