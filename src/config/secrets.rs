//! Masking of secrets in logs, messages and `check-config`.

use std::fmt;

/// Replacement for a secret in output, as in Flink.
pub const MASK: &str = "******";

/// Parts of key names whose values Flink hides (`GlobalConfiguration`), and those of further secrets of stores.
const SENSITIVE_PARTS: &[&str] = &[
    "password",
    "secret",
    "azure.account.key",
    "azure.sas.",
    "private.key",
    "access_key",
    "account_key",
    "sas_key",
    "service_account",
    "apikey",
    "api-key",
    "auth-params",
    "service-key",
    "token",
    "basic-auth",
    "jaas.config",
    "http-headers",
];

/// A text that is masked in output.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Wraps the text.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text itself.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(MASK)
    }
}

/// Whether the value of this key must not be shown.
#[must_use]
pub fn is_sensitive(key: &str) -> bool {
    let key = key.to_lowercase();
    SENSITIVE_PARTS.iter().any(|part| key.contains(part))
}

/// The value of a key as it may be shown: masked as a whole, or its credentials inside URLs.
#[must_use]
pub fn shown(key: &str, value: &str) -> String {
    if is_sensitive(key) { MASK.to_owned() } else { mask_urls(value) }
}

/// Masks user names, passwords and queries of all URLs in a text.
#[must_use]
pub fn mask_urls(text: &str) -> String {
    let mut masked = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(position) = rest.find("://") {
        let (before, after) = rest.split_at(position + 3);
        masked.push_str(before);
        let scheme = before[..position].rsplit(|character: char| !character.is_ascii_alphanumeric()).next().unwrap_or_default();
        // A password may contain any character, so a URL ends only where the next one of a list begins.
        let end = after.find([',', ' ', '\t', '\n']).unwrap_or(after.len());
        let (url, next) = after.split_at(end);
        masked.push_str(&mask_url(scheme, url));
        rest = next;
    }
    masked.push_str(rest);
    masked
}

/// Masks what follows `://` in one URL.
fn mask_url(scheme: &str, url: &str) -> String {
    let (url, query) = url.split_once('?').map_or((url, ""), |(url, _)| (url, "?******"));
    let authority = &url[..url.find('/').unwrap_or(url.len())];
    let user_end = if authority.contains('@') {
        authority.rfind('@')
    } else if has_password(authority) {
        // An unescaped password with a slash: everything up to the last `@` is masked.
        url.rfind('@')
    } else {
        None
    };
    let Some(user_end) = user_end else { return format!("{url}{query}") };
    let container = matches!(scheme.to_ascii_lowercase().as_str(), "abfs" | "abfss" | "wasb" | "wasbs") && !url[..user_end].contains(':');
    if container { format!("{url}{query}") } else { format!("{MASK}{}{query}", &url[user_end..]) }
}

/// Whether the text after the first colon is neither a port nor part of an IPv6 address.
fn has_password(authority: &str) -> bool {
    !authority.starts_with('[')
        && authority.split_once(':').is_some_and(|(_, port)| !port.is_empty() && !port.bytes().all(|byte| byte.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flinks_sensitive_keys_are_masked() {
        for key in [
            "s3.secret-key",
            "security.ssl.rest.keystore-password",
            "fs.azure.account.key.x.blob.core.windows.net",
            "FS.S3A.SESSION.TOKEN",
            "a.apikey",
            "a.api-key.b",
            "x.jaas.config",
        ] {
            assert_eq!(shown(key, "hunter2"), MASK, "{key}");
        }
        assert_eq!(shown("historyserver.web.port", "8082"), "8082");
    }

    #[test]
    fn credentials_inside_urls_are_masked() {
        for (text, masked) in [
            ("s3://key:secret@bucket/a, file:///b", "s3://******@bucket/a, file:///b"),
            ("s3://key:sec/ret@bucket/a", "s3://******@bucket/a"),
            ("https://token@host/a", "https://******@host/a"),
            ("https://host:9000/a?sig=abc", "https://host:9000/a?******"),
            ("abfss://container@account.dfs.core.windows.net/a", "abfss://container@account.dfs.core.windows.net/a"),
            ("hdfs://[::1]:9000/a@b", "hdfs://[::1]:9000/a@b"),
            ("/plain/path@x", "/plain/path@x"),
        ] {
            assert_eq!(mask_urls(text), masked);
        }
    }

    #[test]
    fn a_secret_is_not_shown_by_debug() {
        assert_eq!(format!("{:?}", Secret::new("hunter2")), MASK);
    }
}
