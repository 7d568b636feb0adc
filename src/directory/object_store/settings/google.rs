//! Settings of Google Cloud Storage: options of Flink's `gs` file system and Hadoop's connector, and `GOOGLE_…` variables.

use ::object_store::gcp::GoogleConfigKey;
use serde_json::json;

use super::{Settings, Sources, Texts, is_false, is_true, without};

/// Prefixes of the same options. Flink passes `gs.` on as `fs.gs.`.
const PREFIXES: &[&str] = &["fs.gs.", "gs.", "google.cloud."];
/// Names below a prefix that have an effect.
const READ: &[&str] = &[
    "auth.service.account.json.keyfile",
    "auth.service.account.enable",
    "auth.service.account.email",
    "auth.service.account.private.key.id",
    "auth.service.account.private.key",
    "auth.type",
    "auth.null.enable",
    "storage.root.url",
    "proxy.address",
    "proxy.username",
    "proxy.password",
];
/// Names of Flink and Hadoop that have no effect here.
const WITHOUT_EFFECT: &[&str] = &[
    "writer.*",
    "filesink.*",
    "project.id",
    "impl",
    "working.dir",
    "block.size",
    "inputstream.*",
    "outputstream.*",
    "http.*",
    "max.*",
    "list.*",
    "batch.*",
    "rewrite.*",
    "copy.*",
    "status.*",
    "performance.*",
    "cooperative.*",
    "create.*",
    "implicit.*",
    "glob.*",
    "marker.*",
    "requester.*",
    "encryption.*",
    "application.name.suffix",
    "grpc.*",
    "tracelog.*",
    "lazy.*",
    "delegation.*",
    "storage.*",
    "io.*",
    "auth.impersonation.*",
    "auth.access.token.provider*",
    "auth.client.*",
    "auth.refresh.token",
    "token.server.url",
    "auth.service.account.keyfile",
    "retry.*",
    "hierarchical.*",
];
/// Credentials of the environment, by the names of `object_store`.
const CREDENTIALS: &[&str] = &[
    "google_service_account",
    "google_service_account_path",
    "google_service_account_key",
    "google_application_credentials",
    "google_bearer_token",
    "google_skip_signature",
];

/// Resolves the settings of one bucket.
pub(in crate::directory::object_store) fn resolve(options: &Texts, variables: &Texts) -> Settings {
    let sources = Sources::new(options, variables);
    let option = |name: &str| sources.first(PREFIXES.iter().map(|prefix| format!("{prefix}{name}")));
    let library = sources.of_library("google_", |key| key.parse::<GoogleConfigKey>().is_ok());
    let mut values = sources.of_cloud("GOOGLE_", |key| key.parse::<GoogleConfigKey>().is_ok());
    if let Some(path) = sources.variable("SERVICE_ACCOUNT") {
        values.entry("google_service_account".to_owned()).or_insert_with(|| path.to_owned());
    }

    let key_file = option("auth.service.account.json.keyfile");
    let parts = ["auth.service.account.email", "auth.service.account.private.key.id", "auth.service.account.private.key"].map(option);
    let kind = option("auth.type");
    let without_login = option("auth.null.enable").is_some_and(|(_, value)| is_true(value))
        || kind.as_ref().is_some_and(|(_, kind)| kind.eq_ignore_ascii_case("UNAUTHENTICATED"));
    let of_the_machine = kind.as_ref().is_some_and(|(_, kind)| kind.eq_ignore_ascii_case("COMPUTE_ENGINE"));
    let is_disabled = option("auth.service.account.enable").is_some_and(|(_, value)| is_false(value));
    if without_login {
        values = without(values, CREDENTIALS);
        values.insert("google_skip_signature".to_owned(), "true".to_owned());
    } else if let (Some((_, path)), false) = (&key_file, is_disabled || of_the_machine) {
        values = without(values, CREDENTIALS);
        values.insert("google_service_account".to_owned(), (*path).to_owned());
    } else if let ([Some((_, email)), Some((_, id)), Some((_, key))], false) = (&parts, is_disabled || of_the_machine) {
        values = without(values, CREDENTIALS);
        // A line break in an option of one line is written as `\n`.
        let account = json!({"client_email": email, "private_key_id": id, "private_key": key.replace("\\n", "\n")});
        values.insert("google_service_account_key".to_owned(), account.to_string());
    } else if of_the_machine || CREDENTIALS.iter().any(|key| library.contains_key(*key)) {
        values = without(values, CREDENTIALS);
    } else if values.contains_key("google_service_account_key") {
        // `object_store` refuses two service accounts.
        values = without(values, &["google_service_account", "google_service_account_path", "google_application_credentials"]);
    }
    if let Some((key, kind)) = &kind {
        let known = ["SERVICE_ACCOUNT_JSON_KEYFILE", "COMPUTE_ENGINE", "APPLICATION_DEFAULT", "UNAUTHENTICATED"];
        if !known.iter().any(|known| known.eq_ignore_ascii_case(kind)) {
            sources.note(key, format!("has a value that this server does not support; it supports {}", known.join(", ")));
        }
    }
    if let Some((key, text)) = option("storage.root.url")
        && let Some(url) = sources.url(&key, text, "https")
    {
        values.insert("google_base_url".to_owned(), url.as_str().trim_end_matches('/').to_owned());
    }
    if let Some((key, address)) = option("proxy.address")
        && let Some(mut url) = sources.url(&key, address, "http")
    {
        let (user, password) = (option("proxy.username"), option("proxy.password"));
        let is_set = user.as_ref().is_none_or(|(_, user)| url.set_username(user).is_ok())
            && password.as_ref().is_none_or(|(_, password)| url.set_password(Some(password)).is_ok());
        if !is_set {
            sources.fault(&key, "cannot be combined with the user and password of the proxy");
        }
        values.insert("google_proxy_url".to_owned(), url.to_string());
    }
    values.extend(library);
    sources.notes_on_unused(PREFIXES, READ, WITHOUT_EFFECT, "Google Cloud Storage");
    sources.finish(values, None)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(pairs: &[(&str, &str)]) -> Texts {
        pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn credentials_come_from_one_place() {
        let file = texts(&[("google_service_account", "/key.json")]);
        for (options, variables, expected) in [
            (&[("fs.gs.auth.service.account.json.keyfile", "/key.json")][..], &[][..], file.clone()),
            (&[("gs.auth.service.account.json.keyfile", "/key.json")], &[("GOOGLE_APPLICATION_CREDENTIALS", "/other")], file.clone()),
            (&[("google.cloud.auth.service.account.json.keyfile", "/key.json")], &[("GOOGLE_SERVICE_ACCOUNT_KEY", "{}")], file.clone()),
            (&[], &[("SERVICE_ACCOUNT", "/key.json\n")], file.clone()),
            (&[("google_service_account", "/key.json")], &[("GOOGLE_SERVICE_ACCOUNT_KEY", "{}")], file.clone()),
            (&[("fs.gs.auth.type", "COMPUTE_ENGINE")], &[("GOOGLE_SERVICE_ACCOUNT", "/x")], Texts::new()),
            (&[("fs.gs.auth.null.enable", "true")], &[("GOOGLE_SERVICE_ACCOUNT", "/x")], texts(&[("google_skip_signature", "true")])),
            (&[("fs.gs.storage.root.url", "http://127.0.0.1:4443/")], &[], texts(&[("google_base_url", "http://127.0.0.1:4443")])),
        ] {
            let settings = resolve(&texts(options), &texts(variables));
            assert_eq!((settings.values, settings.remarks), (expected, Vec::new()), "{options:?} {variables:?}");
        }
        let parts = [
            ("gs.auth.service.account.email", "a@b"),
            ("gs.auth.service.account.private.key.id", "1"),
            ("gs.auth.service.account.private.key", "line\\nline"),
        ];
        let key = resolve(&texts(&parts), &Texts::new()).values.remove("google_service_account_key").unwrap();
        assert_eq!(key, r#"{"client_email":"a@b","private_key_id":"1","private_key":"line\nline"}"#);
    }

    #[test]
    fn options_without_effect_are_named() {
        for (key, value, part) in [
            ("gs.writer.chunk.size", "1", "has no effect"),
            ("fs.gs.auth.service.acount.json.keyfile", "x", "did you mean fs.gs.auth.service.account.json.keyfile?"),
            ("fs.gs.auth.type", "ACCESS_TOKEN_PROVIDER", "does not support"),
        ] {
            let remarks = resolve(&texts(&[(key, value)]), &Texts::new()).remarks;
            assert!(remarks.len() == 1 && remarks[0].key == key && remarks[0].message.contains(part), "{key}: {remarks:?}");
        }
    }
}
