//! Static tokens: `fhs_ID_SECRET`. The id finds the argon2id hash of the secret in the file.
//!
//! A hash is slow to check by design. So only a few are checked at a time, and the keyed digest of a token that was found valid is kept in
//! memory. An unknown id takes as long as a wrong secret: it is checked against a hash that no secret has.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::ArcSwap;
use argon2::Argon2;
use argon2::password_hash::PasswordVerifier as _;
use argon2::password_hash::phc::PasswordHash;
use cookie::Key;
use jsonwebtoken::{Algorithm, EncodingKey, crypto};
use tokio::sync::Semaphore;

use super::super::identity::{Identity, IdentityKind};
use super::super::watched_file::WatchedFile;
use super::token_file::{self, Entry, PREFIX};
use crate::tasks;

/// Hashes that are checked at a time: each takes 19 MiB of memory.
const AT_A_TIME: usize = 2;

/// Digests that are kept. When there are more, all are dropped.
const MAX_DIGESTS: usize = 4096;

/// Longest token that is read, in bytes.
const MAX_BYTES: usize = 256;

/// A hash with the default costs that no secret has.
const NO_SECRET: &str = "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// The static tokens.
pub(super) struct Tokens {
    file: WatchedFile,
    current: ArcSwap<Current>,
    checks: Semaphore,
    key: EncodingKey,
}

/// The content of the file, with the tokens that were found valid since it was read.
#[derive(Default)]
struct Current {
    by_id: HashMap<String, Entry>,
    /// Id of the token by the keyed digest of the whole token.
    valid: Mutex<HashMap<String, String>>,
}

impl std::fmt::Debug for Tokens {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Tokens").field("file", &self.file.path()).finish_non_exhaustive()
    }
}

impl Tokens {
    /// Whether a bearer token is meant to be a static one.
    pub(super) fn is_meant(token: &str) -> bool {
        token.starts_with(PREFIX)
    }

    /// Reads the file.
    ///
    /// # Errors
    /// A sentence: it cannot be read, or is not valid.
    pub(super) fn open(path: PathBuf) -> Result<Self, String> {
        let key = Key::try_generate().ok_or("the system gives no random numbers")?;
        let tokens = Self {
            file: WatchedFile::new(path),
            current: ArcSwap::default(),
            checks: Semaphore::new(AT_A_TIME),
            key: EncodingKey::from_secret(key.signing()),
        };
        tokens.read_if_changed()?;
        Ok(tokens)
    }

    /// Reads the file if it has changed. Tokens that are no longer in it end at once. If the file is not valid, the last valid ones stay.
    ///
    /// # Errors
    /// A sentence: it cannot be read, or is not valid.
    pub(super) fn read_if_changed(&self) -> Result<bool, String> {
        let shown = self.file.path().display();
        let text = self.file.changed().map_err(|error| {
            format!("the tokens in {shown} cannot be read: {error}; create the file by `historyserver token create NAME --file {shown}`")
        })?;
        let Some(text) = text else { return Ok(false) };
        let entries = token_file::parse(&text).map_err(|fault| format!("the tokens in {shown} are not valid: {fault}"))?;
        let by_id = entries.into_iter().map(|entry| (entry.id.clone(), entry)).collect();
        self.current.store(Arc::new(Current { by_id, valid: Mutex::default() }));
        Ok(true)
    }

    /// The identity of a token that was found valid lately: without the slow check. `now` in seconds since 1970.
    pub(super) fn known(&self, token: &str, now: i64) -> Option<Identity> {
        if token.len() > MAX_BYTES {
            return None;
        }
        let current = self.current.load();
        let valid = current.valid.lock().unwrap_or_else(PoisonError::into_inner);
        current.by_id.get(valid.get(&self.digest(token)?)?).filter(|entry| !has_expired(entry, now)).map(identity)
    }

    /// The identity of a token.
    ///
    /// # Errors
    /// The end of the sentence "a sign-in was refused: ".
    pub(super) async fn verify(&self, token: &str, now: i64) -> Result<Identity, String> {
        let (id, secret) = token.strip_prefix(PREFIX).and_then(|rest| rest.split_once('_')).ok_or("it is no token of this server")?;
        if token.len() > MAX_BYTES {
            return Err(format!("the token is longer than {MAX_BYTES} bytes"));
        }
        let current = self.current.load_full();
        let entry = current.by_id.get(id).cloned();
        let hash = entry.as_ref().map_or_else(|| NO_SECRET.to_owned(), |entry| entry.hash.clone());
        let checked = {
            let _place = self.checks.acquire().await;
            let secret = secret.to_owned();
            tasks::spawn_blocking(move || {
                PasswordHash::new(&hash).is_ok_and(|hash| Argon2::default().verify_password(secret.as_bytes(), &hash).is_ok())
            })
            .await
        };
        let Some(entry) = entry.filter(|_| checked) else { return Err("the token is not known".to_owned()) };
        if has_expired(&entry, now) {
            return Err(format!("the token \"{}\" has expired", entry.name));
        }
        if let Some(digest) = self.digest(token) {
            let mut valid = current.valid.lock().unwrap_or_else(PoisonError::into_inner);
            if valid.len() >= MAX_DIGESTS {
                valid.clear();
            }
            valid.insert(digest, entry.id.clone());
        }
        Ok(identity(&entry))
    }

    /// HMAC-SHA256 by a key of this process: a copy of the memory does not give tokens away, and no lookup takes longer for a better guess.
    fn digest(&self, token: &str) -> Option<String> {
        crypto::sign(token.as_bytes(), &self.key, Algorithm::HS256).ok()
    }
}

fn has_expired(entry: &Entry, now: i64) -> bool {
    entry.expires_at().is_some_and(|end| end <= now)
}

fn identity(entry: &Entry) -> Identity {
    Identity::named(&entry.name, IdentityKind::Token, &entry.rights)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens(folder: &std::path::Path) -> (PathBuf, String, Tokens) {
        let path = folder.join("tokens.toml");
        let token = token_file::create(&path, "grafana", &["view".to_owned()], Some("2027-01-01T00:00:00Z")).unwrap();
        let tokens = Tokens::open(path.clone()).unwrap();
        (path, token, tokens)
    }

    const BEFORE: i64 = 1_798_761_599;
    const EXPIRY: i64 = 1_798_761_600;

    #[tokio::test]
    async fn a_token_has_a_name_and_rights_until_it_expires_and_its_second_check_is_from_memory() {
        let folder = tempfile::tempdir().unwrap();
        let (_, token, tokens) = tokens(folder.path());
        assert_eq!(tokens.known(&token, BEFORE), None);
        let expected = Identity::named("grafana", IdentityKind::Token, ["view"]);
        assert_eq!(tokens.verify(&token, BEFORE).await.as_ref(), Ok(&expected));
        assert_eq!(tokens.known(&token, BEFORE), Some(expected));
        assert_eq!(tokens.known(&token, EXPIRY), None);
        assert!(tokens.verify(&token, EXPIRY).await.unwrap_err().contains("expired"));
    }

    #[tokio::test]
    async fn wrong_unknown_and_huge_tokens_are_refused_alike() {
        let folder = tempfile::tempdir().unwrap();
        let (_, token, tokens) = tokens(folder.path());
        let wrong = format!("{}x", &token[..token.len() - 1]);
        let unknown = token.replacen("fhs_", "fhs_x", 1);
        assert_eq!(tokens.verify(&wrong, BEFORE).await, tokens.verify(&unknown, BEFORE).await);
        for text in ["fhs_", "fhs__", "fhs_x", &format!("fhs_x_{}", "x".repeat(10_000))] {
            assert!(tokens.verify(text, BEFORE).await.is_err(), "{text}");
            assert_eq!(tokens.known(text, BEFORE), None);
        }
    }

    #[tokio::test]
    async fn the_file_is_read_again_and_a_deleted_token_ends() {
        let folder = tempfile::tempdir().unwrap();
        let (path, token, tokens) = tokens(folder.path());
        tokens.verify(&token, BEFORE).await.unwrap();
        assert_eq!(tokens.read_if_changed(), Ok(false));
        let other = token_file::create(&path, "prometheus", &[], None).unwrap();
        assert_eq!(tokens.read_if_changed(), Ok(true));
        assert_eq!(tokens.verify(&other, i64::MAX).await.unwrap().name.as_deref(), Some("prometheus"));
        std::fs::write(&path, "[[token]]\nname = 1\n").unwrap();
        assert!(tokens.read_if_changed().unwrap_err().contains("not valid"));
        assert!(tokens.known(&other, BEFORE).is_some(), "the last valid tokens stay");
        std::fs::write(&path, "# none\n").unwrap();
        assert_eq!(tokens.read_if_changed(), Ok(true));
        assert_eq!(tokens.known(&other, BEFORE), None);
        assert!(tokens.verify(&other, BEFORE).await.is_err());
    }

    #[test]
    fn the_file_holds_no_token_and_is_for_its_owner_only() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let (path, token, _) = tokens(folder.path());
        let secret = token.rsplit('_').next().unwrap();
        assert!(!std::fs::read_to_string(&path).unwrap().contains(secret));
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert!(token_file::create(&path, "grafana", &[], None).unwrap_err().to_string().contains("another name"));
    }
}
