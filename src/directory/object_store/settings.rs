//! Settings of the clients of object stores: from the options of Flink and Hadoop, and from the variables of each cloud.
//!
//! What is configured wins over the environment. Credentials are taken from one place as a whole: with a configured key, no token or
//! role of the environment is used.

pub(super) mod azure;
pub(super) mod google;
pub(super) mod s3;

use std::cell::RefCell;
use std::collections::BTreeMap;

use url::Url;

/// Options or variables by name.
pub(super) type Texts = BTreeMap<String, String>;

/// An option or a variable that is invalid or has no effect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::directory) struct Remark {
    /// The option, or the environment variable.
    pub(in crate::directory) key: String,
    /// The end of a sentence about it. Contains no values of secret options.
    pub(in crate::directory) message: String,
    /// Whether the directory cannot be opened with it.
    pub(in crate::directory) is_fault: bool,
}

/// Values for a client by the names of `object_store`, and remarks about the options.
#[derive(Debug, Default)]
pub(super) struct Settings {
    /// `aws_…`, `google_…` or `azure_…`.
    pub(super) values: Texts,
    /// PEM file with further authorities, as text.
    pub(super) authorities: Option<String>,
    pub(super) remarks: Vec<Remark>,
}

/// The options of one directory and the environment.
pub(super) struct Sources<'a> {
    pub(super) options: &'a Texts,
    pub(super) variables: &'a Texts,
    remarks: RefCell<Vec<Remark>>,
}

impl<'a> Sources<'a> {
    pub(super) fn new(options: &'a Texts, variables: &'a Texts) -> Self {
        Self { options, variables, remarks: RefCell::default() }
    }

    /// The value of an option that is set and not empty, without spaces and line breaks around it.
    pub(super) fn option(&self, key: &str) -> Option<&'a str> {
        self.value(self.options, key)
    }

    /// The value of a variable that is set and not empty. A line break at its end, as files of secrets have, is no part of it.
    pub(super) fn variable(&self, name: &str) -> Option<&'a str> {
        self.value(self.variables, name)
    }

    fn value(&self, texts: &'a Texts, key: &str) -> Option<&'a str> {
        let value = texts.get(key).map(|value| value.trim()).filter(|value| !value.is_empty())?;
        if value.chars().any(char::is_control) {
            self.fault(key, "contains a line break or another control character; remove it");
            return None;
        }
        Some(value)
    }

    /// The first of these options that is set, with its key.
    pub(super) fn first(&self, keys: impl IntoIterator<Item = String>) -> Option<(String, &'a str)> {
        keys.into_iter().find_map(|key| self.option(&key).map(|value| (key, value)))
    }

    /// The variables of a cloud that `read` knows, by the names of `object_store`.
    pub(super) fn of_cloud(&self, prefix: &str, read: impl Fn(&str) -> bool) -> Texts {
        let names = self.variables.keys().filter(|name| name.starts_with(prefix));
        names
            .filter_map(|name| {
                let key = name.to_ascii_lowercase();
                Some((key.clone(), self.variable(name).filter(|_| read(&key))?.to_owned()))
            })
            .collect()
    }

    /// The options that are named as in `object_store`. An unknown name is a fault.
    pub(super) fn of_library(&self, prefix: &str, read: impl Fn(&str) -> bool) -> Texts {
        let mut values = Texts::new();
        for key in self.options.keys().filter(|key| key.starts_with(prefix)) {
            if !read(key) {
                self.fault(key, "is not an option of object_store; see docs/object-stores.md for all options");
            } else if let Some(value) = self.option(key) {
                values.insert(key.clone(), value.to_owned());
            }
        }
        values
    }

    pub(super) fn fault(&self, key: &str, message: impl Into<String>) {
        self.remark(key, message.into(), true);
    }

    pub(super) fn note(&self, key: &str, message: impl Into<String>) {
        self.remark(key, message.into(), false);
    }

    fn remark(&self, key: &str, message: String, is_fault: bool) {
        let remark = Remark { key: key.to_owned(), message, is_fault };
        let mut remarks = self.remarks.borrow_mut();
        if !remarks.contains(&remark) {
            remarks.push(remark);
        }
    }

    /// Checks the URL of an endpoint or proxy and adds a scheme if it has none. The value is not quoted, since it may contain a password.
    pub(super) fn url(&self, key: &str, value: &str, default_scheme: &str) -> Option<Url> {
        let text = if value.contains("://") { value.to_owned() } else { format!("{default_scheme}://{value}") };
        match Url::parse(&text) {
            Ok(url) if matches!(url.scheme(), "http" | "https") && url.has_host() => Some(url),
            Ok(url) => {
                self.fault(key, format!("is not a URL with http or https and a host, but has the scheme {}", url.scheme()));
                None
            }
            Err(error) => {
                self.fault(key, format!("is not a valid URL ({error}); write https://HOST:PORT with a port from 0 to 65535"));
                None
            }
        }
    }

    /// Notes on options below `prefix` that have no effect: those that are known, in one note, and each that is not.
    pub(super) fn notes_on_unused(&self, prefixes: &[&str], read: &[&str], without_effect: &[&str], store: &str) {
        let mut known: Vec<&str> = Vec::new();
        for key in self.options.keys() {
            let Some(name) = prefixes.iter().find_map(|prefix| key.strip_prefix(prefix)) else { continue };
            if read.contains(&name) {
                continue;
            }
            if without_effect.iter().any(|other| name == *other || other.strip_suffix('*').is_some_and(|start| name.starts_with(start))) {
                known.push(key);
                continue;
            }
            let similar = read
                .iter()
                .map(|other| (*other, strsim::normalized_damerau_levenshtein(other, name)))
                .max_by(|left, right| left.1.total_cmp(&right.1))
                .filter(|(_, similarity)| *similarity >= 0.7);
            let hint = similar.map_or_else(String::new, |(name, _)| {
                format!("; did you mean {}{name}?", &key[..key.len() - key_name(key, prefixes).len()])
            });
            self.note(key, format!("is not an option of {store} that this server knows, and has no effect{hint}"));
        }
        if let Some(first) = known.first() {
            let others = if known.len() > 1 { format!(" (also {})", known[1..].join(", ")) } else { String::new() };
            self.note(first, format!("has no effect: this server reads {store} by a client of its own{others}"));
        }
    }

    pub(super) fn finish(self, values: Texts, authorities: Option<String>) -> Settings {
        Settings { values, authorities, remarks: self.remarks.into_inner() }
    }
}

fn key_name<'k>(key: &'k str, prefixes: &[&str]) -> &'k str {
    prefixes.iter().find_map(|prefix| key.strip_prefix(prefix)).unwrap_or(key)
}

/// Whether the value of an option or a variable must not appear in messages. Paths of files and addresses are no secrets.
pub(super) fn is_secret(key: &str) -> bool {
    let key = key.to_ascii_lowercase().replace(['-', '.'], "_");
    let is_place = ["_file", "_path", "_uri", "_url", "_arn", "_endpoint", "_type", "_host"].iter().any(|end| key.ends_with(end));
    let is_secret = [
        "secret",
        "token",
        "password",
        "access_key",
        "accesskey",
        "account_key",
        "master_key",
        "sas",
        "service_account_key",
        "connection_string",
    ];
    // Hadoop's names end with the host of the account.
    let of_account = key.starts_with("fs_azure_account_key_") || key.starts_with("fs_azure_sas_");
    of_account || (!is_place && is_secret.iter().any(|word| key.contains(word)))
}

/// Removes the credentials of the environment.
fn without(mut values: Texts, keys: &[&str]) -> Texts {
    values.retain(|key, _| !keys.contains(&key.as_str()));
    values
}

fn is_true(value: &str) -> bool {
    value.eq_ignore_ascii_case("true")
}

fn is_false(value: &str) -> bool {
    value.eq_ignore_ascii_case("false")
}
