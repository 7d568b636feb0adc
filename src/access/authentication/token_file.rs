//! The file of static tokens (`historyserver.security.bearer.file`): one `[[token]]` table per token, with a hash and never the token.

use std::fs::OpenOptions;
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use argon2::Argon2;
use argon2::password_hash::PasswordHasher as _;
use argon2::password_hash::phc::PasswordHash;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::DateTime;
use cookie::Key;
use serde::{Deserialize, Serialize};

use super::jwt::is_name;

/// Begins each token, so that scanners for leaked secrets can find them.
pub(super) const PREFIX: &str = "fhs_";

/// Bytes of the id of a token, which finds its hash; the id is no secret.
const ID_BYTES: usize = 9;

/// Bytes of its secret.
const SECRET_BYTES: usize = 32;

/// The file as it is read.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    token: Vec<Entry>,
}

/// One token in the file.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Entry {
    /// Name of the client that has the token.
    pub(super) name: String,
    /// First part of the token.
    pub(super) id: String,
    /// Argon2id hash of the second part, in PHC format.
    pub(super) hash: String,
    /// Rights, which rules name.
    #[serde(default)]
    pub(super) rights: Vec<String>,
    /// When it ends, as in RFC 3339; missing: never.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) expires: Option<String>,
}

impl Entry {
    /// When it ends, in seconds since 1970; `None`: never.
    pub(super) fn expires_at(&self) -> Option<i64> {
        self.expires.as_deref().and_then(|time| DateTime::parse_from_rfc3339(time).ok()).map(|time| time.timestamp())
    }
}

/// Reads the text of a file.
///
/// # Errors
/// The fault, as the end of a sentence, without a hash.
pub(super) fn parse(text: &str) -> Result<Vec<Entry>, String> {
    let file: File = toml::from_str(text).map_err(|error| error.message().to_owned())?;
    for (number, entry) in file.token.iter().enumerate() {
        let fault = |fault: &str| Err(format!("token {} (\"{}\"): {fault}", number + 1, entry.name));
        if !is_name(&entry.name) {
            return fault("`name` must be a short text");
        }
        if !PasswordHash::new(&entry.hash).is_ok_and(|hash| hash.algorithm.as_str() == "argon2id") {
            return fault("`hash` must be an argon2id hash, as `historyserver token create` writes it");
        }
        if entry.expires.is_some() && entry.expires_at().is_none() {
            return fault("`expires` must be a time such as \"2027-01-31T00:00:00Z\"");
        }
        if file.token[..number].iter().any(|other| other.id == entry.id) {
            return fault("its `id` is that of an earlier token");
        }
    }
    Ok(file.token)
}

/// Adds a token to a file, which is created for its owner only if it is missing. Returns the token, which is stored nowhere.
///
/// `expires` in RFC 3339.
///
/// # Errors
/// The file has a token with this name, is not valid, or cannot be written.
pub fn create(path: &Path, name: &str, rights: &[String], expires: Option<&str>) -> io::Result<String> {
    let invalid = |message: String| io::Error::new(io::ErrorKind::InvalidInput, message);
    let existing = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
        Err(error) => return Err(error),
    };
    let entries = parse(&existing).map_err(|fault| invalid(format!("{} is not valid: {fault}", path.display())))?;
    if entries.iter().any(|entry| entry.name == name) {
        return Err(invalid(format!("{} has a token with the name \"{name}\": choose another name, or delete that table", path.display())));
    }
    let random = Key::try_generate().ok_or_else(|| io::Error::other("the system gives no random numbers"))?;
    let (id, secret) = (encoded(&random.master()[..ID_BYTES]), encoded(&random.master()[ID_BYTES..ID_BYTES + SECRET_BYTES]));
    let hash = Argon2::default().hash_password(secret.as_bytes()).map_err(|error| io::Error::other(error.to_string()))?.to_string();
    let entry = Entry { name: name.to_owned(), id: id.clone(), hash, rights: rights.to_vec(), expires: expires.map(str::to_owned) };
    let table = toml::to_string(&entry).map_err(io::Error::other)?;
    let separator = if existing.is_empty() || existing.ends_with('\n') { "" } else { "\n" };
    let addition = format!("{separator}[[token]]\n{table}\n");
    parse(&format!("{existing}{addition}")).map_err(|fault| invalid(format!("the token cannot be added: {fault}")))?;
    // In place: owner and mode of the file stay as they are.
    let mut file = OpenOptions::new().append(true).create(true).mode(0o600).open(path)?;
    file.write_all(addition.as_bytes())?;
    file.sync_all()?;
    Ok(format!("{PREFIX}{id}_{secret}"))
}

/// Base64url with a letter in place of `-` and `_`: `_` divides the parts of a token. Less than one bit in 32 is lost.
fn encoded(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes).replace(['-', '_'], "x")
}
