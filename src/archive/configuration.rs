//! Documents that show a configuration, and the values in them that are masked.

use std::borrow::Cow;

use serde_json::Value;

/// Stands in the place of a sensitive value, as in Flink.
pub const MASK: &str = "******";

/// Parts of keys whose values Flink takes for sensitive (`GlobalConfiguration.SENSITIVE_KEYS` of Flink 2.3), compared in lower case.
const SENSITIVE_PARTS: [&str; 11] = [
    "password",
    "secret",
    "fs.azure.account.key",
    "apikey",
    "api-key",
    "auth-params",
    "service-key",
    "token",
    "basic-auth",
    "jaas.config",
    "http-headers",
];

/// Whether a document, by its path, shows a configuration: that of a job, or that of its cluster with the options of its JVM.
#[must_use]
pub fn is_configuration(path: &str) -> bool {
    let path = path.to_ascii_lowercase();
    let below: Vec<&str> = path.split('/').filter(|segment| !segment.is_empty()).skip(2).collect();
    matches!(below.as_slice(), ["config" | "config.json"] | ["jobmanager" | "jobmanager.json", ..])
}

/// Keys whose values are masked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SensitiveKeys {
    /// Further parts of keys, in lower case.
    more: Vec<String>,
}

impl SensitiveKeys {
    /// The keys that Flink takes for sensitive, and those with any of these parts.
    #[must_use]
    pub fn with(parts: impl IntoIterator<Item = String>) -> Self {
        Self { more: parts.into_iter().map(|part| part.trim().to_lowercase()).filter(|part| !part.is_empty()).collect() }
    }

    /// Whether the value of a key is masked.
    #[must_use]
    pub fn has(&self, key: &str) -> bool {
        let key = key.to_lowercase();
        SENSITIVE_PARTS.iter().any(|part| key.contains(part)) || self.more.iter().any(|part| key.contains(part.as_str()))
    }

    /// A value as it may be shown.
    #[must_use]
    pub fn shown<'v>(&self, key: &str, value: &'v str) -> Cow<'v, str> {
        if self.has(key) { Cow::Borrowed(MASK) } else { Cow::Borrowed(value) }
    }

    /// A document with its sensitive values masked: of members with such a key, of `{"key":…,"value":…}` objects, and of options of a
    /// JVM, `-Dkey=value`. The document itself where it has none; `None` where it is no JSON, so that it cannot be masked.
    #[must_use]
    pub fn mask(&self, document: &[u8]) -> Option<Vec<u8>> {
        let mut value: Value = serde_json::from_slice(document).ok()?;
        if self.mask_value(&mut value) { serde_json::to_vec(&value).ok() } else { Some(document.to_vec()) }
    }

    /// Masks within a value. Returns whether anything was masked.
    fn mask_value(&self, value: &mut Value) -> bool {
        match value {
            Value::Object(members) => {
                let pair = members.get("key").and_then(Value::as_str).is_some_and(|key| self.has(key));
                members.iter_mut().fold(false, |masked, (name, value)| {
                    if self.has(name) || (pair && name == "value") { mask_whole(value) || masked } else { self.mask_value(value) || masked }
                })
            }
            Value::Array(items) => {
                let mut masked = false;
                for item in items {
                    masked |= self.mask_value(item);
                }
                masked
            }
            Value::String(text) => match self.mask_option(text) {
                Some(shown) => {
                    *text = shown;
                    true
                }
                None => false,
            },
            Value::Null | Value::Bool(_) | Value::Number(_) => false,
        }
    }

    /// A text with the values of sensitive options of a JVM masked; `None` where it has none.
    fn mask_option(&self, text: &str) -> Option<String> {
        let (mut shown, mut masked) = (String::new(), false);
        for (number, option) in text.split("-D").enumerate() {
            if number > 0 {
                shown.push_str("-D");
            }
            match option.split_once('=') {
                Some((key, _)) if number > 0 && self.has(key) => {
                    masked = true;
                    shown.push_str(key);
                    shown.push('=');
                    shown.push_str(MASK);
                    shown.push_str(&option[option.trim_end().len()..]);
                }
                _ => shown.push_str(option),
            }
        }
        masked.then_some(shown)
    }
}

/// Masks a value with all that is in it. Returns whether it was not masked before.
fn mask_whole(value: &mut Value) -> bool {
    if value.as_str() == Some(MASK) || value.is_null() {
        return false;
    }
    *value = Value::String(MASK.to_owned());
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn configurations_are_known_by_their_paths() {
        for path in
            ["/jobs/x/config", "/jobs/x/config.json", "/jobs/x//Config", "/jobs/x/jobmanager/config", "/jobs/x/jobmanager/environment"]
        {
            assert!(is_configuration(path), "{path}");
        }
        assert!(is_configuration("/applications/x/jobmanager/config"));
        for path in ["/jobs/x", "/jobs/config", "/jobs/x/checkpoints/config", "/jobs/x/rescales/config", "/jobs/x/plan", "/config", ""] {
            assert!(!is_configuration(path), "{path}");
        }
    }

    #[test]
    fn sensitive_values_are_masked_wherever_they_are() {
        let keys = SensitiveKeys::with(["My.Own".to_owned(), " ".to_owned()]);
        for (document, masked) in [
            (
                r#"[{"key":"s3.secret-key","value":"x"},{"key":"a","value":"x"}]"#,
                r#"[{"key":"s3.secret-key","value":"******"},{"key":"a","value":"x"}]"#,
            ),
            (r#"{"user-config":{"my.own.thing":"x","b":"y"}}"#, r#"{"user-config":{"my.own.thing":"******","b":"y"}}"#),
            (r#"{"api-key":{"a":[1]},"token":null}"#, r#"{"api-key":"******","token":null}"#),
            (
                r#"{"jvm":{"options":["-Xmx1g","-Djavax.net.ssl.keyStorePassword=x y"]}}"#,
                r#"{"jvm":{"options":["-Xmx1g","-Djavax.net.ssl.keyStorePassword=******"]}}"#,
            ),
            (
                r#"[{"key":"env.java.opts","value":"-Da=b -Dmy.token=c -Dd=e"}]"#,
                r#"[{"key":"env.java.opts","value":"-Da=b -Dmy.token=****** -Dd=e"}]"#,
            ),
        ] {
            let found: Value = serde_json::from_slice(&keys.mask(document.as_bytes()).unwrap()).unwrap();
            assert_eq!(found, serde_json::from_str::<Value>(masked).unwrap(), "{document}");
        }
        let plain = br#"{ "b" : 1.0, "a" : "x" }"#;
        assert_eq!(keys.mask(plain).unwrap(), plain, "a document without sensitive values keeps its bytes");
        assert_eq!(keys.mask(b"password=x"), None);
    }
}
