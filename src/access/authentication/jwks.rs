//! The public keys of an issuer: a JWK set (RFC 7517) in a file or at a URL, or one PEM file per key as AWS load balancers have them.
//!
//! New keys are used without a restart: a key that is not known is looked for again, at most once in `PAUSE`.

use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwap;
use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk, PublicKeyUse};
use jsonwebtoken::{Algorithm, DecodingKey};
use serde_json::Value;

use super::super::watched_file::WatchedFile;
use crate::clock::Clock;
use crate::tasks;

/// Shortest time between two searches for a key that is not known.
const PAUSE: Duration = Duration::from_secs(10);

/// Age after which the keys at a URL are requested again, so that withdrawn keys end.
const MAX_AGE: Duration = Duration::from_mins(15);

/// Time limit of one request for keys.
const TIMEOUT: Duration = Duration::from_secs(5);

/// Largest answer of keys, in bytes.
const MAX_BYTES: usize = 1 << 20;

/// Most keys that are kept.
const MAX_KEYS: usize = 256;

/// Stands for the id of the key in a URL of [`KeySource::PerKey`].
pub const KEY_ID: &str = "{kid}";

/// Where the keys are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeySource {
    /// A JWK set at this URL.
    Url(String),
    /// A JWK set in this file.
    File(PathBuf),
    /// A public key in PEM format at this URL, in which [`KEY_ID`] stands for the id of the key.
    PerKey(String),
}

impl KeySource {
    /// Reads an option: a URL, a URL with [`KEY_ID`], or a path.
    ///
    /// # Errors
    /// The fault of the text, as the end of a sentence.
    pub fn parse(text: &str, path: impl Fn(&str) -> PathBuf) -> Result<Self, String> {
        if !text.contains("://") {
            return Ok(Self::File(path(text)));
        }
        let url = url::Url::parse(text).map_err(|error| format!("it is no URL ({error})"))?;
        let local = url.host_str().is_some_and(|host| matches!(host, "localhost" | "127.0.0.1" | "[::1]"));
        if url.scheme() != "https" && !(url.scheme() == "http" && local) {
            return Err("keys must come by https, or by http from this machine".to_owned());
        }
        Ok(if text.contains(KEY_ID) { Self::PerKey(text.to_owned()) } else { Self::Url(text.to_owned()) })
    }
}

/// A key with its id.
#[derive(Clone)]
struct Key {
    id: Option<String>,
    algorithm: Option<String>,
    decoding: DecodingKey,
    /// The algorithms that a key of its kind can have.
    possible: &'static [Algorithm],
}

impl Key {
    fn fits(&self, algorithm: Algorithm) -> bool {
        let named = self.algorithm.as_deref().is_none_or(|name| name.parse::<Algorithm>().is_ok_and(|own| own == algorithm));
        named && self.possible.contains(&algorithm)
    }
}

/// The keys of an issuer.
pub(super) struct Keys {
    source: KeySource,
    file: Option<WatchedFile>,
    client: reqwest::Client,
    clock: Clock,
    known: ArcSwap<Vec<Key>>,
    /// When keys were last requested, since a fixed moment of the process.
    requested: Mutex<Option<Duration>>,
    /// One request at a time.
    requesting: tokio::sync::Mutex<()>,
}

impl std::fmt::Debug for Keys {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Keys").field("source", &self.source).finish_non_exhaustive()
    }
}

impl Keys {
    /// Reads a file at once. Keys at a URL are requested when the first token needs them: the issuer may start later.
    ///
    /// # Errors
    /// The file cannot be read or has no usable key, as a sentence.
    pub(super) fn open(source: KeySource, client: reqwest::Client, clock: Clock) -> Result<Self, String> {
        let file = match &source {
            KeySource::File(path) => Some(WatchedFile::new(path.clone())),
            KeySource::Url(_) | KeySource::PerKey(_) => None,
        };
        let keys = Self {
            source,
            file,
            client,
            clock,
            known: ArcSwap::default(),
            requested: Mutex::default(),
            requesting: tokio::sync::Mutex::default(),
        };
        keys.read_file()?;
        Ok(keys)
    }

    /// Whether each key has a URL of its own, as with AWS load balancers.
    pub(super) fn has_one_address_per_key(&self) -> bool {
        matches!(self.source, KeySource::PerKey(_))
    }

    /// The key of a token.
    ///
    /// # Errors
    /// There is none: the end of a sentence.
    pub(super) async fn find(&self, id: Option<&str>, algorithm: Algorithm) -> Result<DecodingKey, String> {
        if let Some(key) = self.known(id, algorithm) {
            return Ok(key);
        }
        let _one_at_a_time = self.requesting.lock().await;
        if let Some(key) = self.known(id, algorithm) {
            return Ok(key);
        }
        let now = self.clock.passed();
        {
            let mut requested = self.requested.lock().unwrap_or_else(PoisonError::into_inner);
            if requested.is_some_and(|last| now < last + PAUSE) {
                return Err("its key is not known".to_owned());
            }
            *requested = Some(now);
        }
        if let Err(error) = self.request(id).await {
            tracing::warn!("{error}");
            return Err("the keys of its issuer cannot be read".to_owned());
        }
        self.known(id, algorithm).ok_or_else(|| "its key is not known".to_owned())
    }

    fn known(&self, id: Option<&str>, algorithm: Algorithm) -> Option<DecodingKey> {
        let known = self.known.load();
        let mut fitting = known.iter().filter(|key| key.fits(algorithm) && (id.is_none() || key.id.as_deref() == id));
        let first = fitting.next()?;
        // Without an id, only one key may be meant.
        (id.is_some() || fitting.next().is_none()).then(|| first.decoding.clone())
    }

    /// Reads a changed file, or requests keys at a URL that are old. Called every few seconds.
    pub(super) async fn keep_fresh(&self) {
        match &self.source {
            KeySource::File(_) => {
                if let Err(error) = self.read_file() {
                    tracing::error!("{error}; the last valid keys stay in use");
                }
            }
            KeySource::Url(_) | KeySource::PerKey(_) => {
                let now = self.clock.passed();
                let old = {
                    let mut requested = self.requested.lock().unwrap_or_else(PoisonError::into_inner);
                    let old = requested.is_some_and(|last| last + MAX_AGE <= now);
                    if old {
                        *requested = Some(now);
                    }
                    old
                };
                if !old {
                    return;
                }
                if self.has_one_address_per_key() {
                    self.known.store(Vec::new().into());
                } else if let Err(error) = self.request(None).await {
                    tracing::warn!("{error}; the last keys stay in use");
                }
            }
        }
    }

    async fn request(&self, id: Option<&str>) -> Result<(), String> {
        match &self.source {
            KeySource::File(_) => self.read_file(),
            KeySource::Url(url) => {
                let text = self.get(url).await?;
                self.known.store(set(&text).map_err(|fault| format!("the keys at {url} cannot be used: {fault}"))?.into());
                Ok(())
            }
            KeySource::PerKey(pattern) => {
                let id = id.filter(|id| is_plain_id(id)).ok_or("a token names no key")?;
                let url = pattern.replace(KEY_ID, id);
                let pem = self.get(&url).await?;
                let decoding =
                    DecodingKey::from_ec_pem(pem.as_bytes()).map_err(|error| format!("the key at {url} cannot be used: {error}"))?;
                let mut keys = self.known.load().as_ref().clone();
                keys.truncate(MAX_KEYS - 1);
                keys.insert(0, Key { id: Some(id.to_owned()), algorithm: None, decoding, possible: &[Algorithm::ES256] });
                self.known.store(keys.into());
                Ok(())
            }
        }
    }

    fn read_file(&self) -> Result<(), String> {
        let Some(file) = &self.file else { return Ok(()) };
        let shown = file.path().display();
        if let Some(text) = file.changed().map_err(|error| format!("the keys in {shown} cannot be read: {error}"))? {
            self.known.store(set(&text).map_err(|fault| format!("the keys in {shown} cannot be used: {fault}"))?.into());
        }
        Ok(())
    }

    async fn get(&self, url: &str) -> Result<String, String> {
        let (client, asked) = (self.client.clone(), url.to_owned());
        // The request goes on if the client of ours that needs it disconnects: the next one finds the keys.
        let requested = tasks::spawn(async move { get(&client, &asked).await });
        let answered = requested.await.unwrap_or_else(|error| Err(error.to_string()));
        answered.map_err(|fault| format!("the keys at {url} cannot be requested: {fault}"))
    }
}

/// Gets a small text within [`TIMEOUT`].
async fn get(client: &reqwest::Client, url: &str) -> Result<String, String> {
    let fault = |error: reqwest::Error| error.without_url().to_string();
    let mut answer = client.get(url).timeout(TIMEOUT).send().await.and_then(reqwest::Response::error_for_status).map_err(fault)?;
    let mut bytes = Vec::new();
    while let Some(piece) = answer.chunk().await.map_err(fault)? {
        bytes.extend_from_slice(&piece);
        if bytes.len() > MAX_BYTES {
            return Err(format!("the answer is larger than {MAX_BYTES} bytes"));
        }
    }
    String::from_utf8(bytes).map_err(|_not_text| "the answer is no text".to_owned())
}

/// Whether an id can stand in a URL.
fn is_plain_id(id: &str) -> bool {
    !id.is_empty() && id.len() <= 128 && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
}

/// The usable public keys of a JWK set. Keys of other kinds or for encryption are left out.
fn set(text: &str) -> Result<Vec<Key>, String> {
    let value: Value = serde_json::from_str(text).map_err(|error| format!("it is no JSON ({error})"))?;
    let keys = value.get("keys").and_then(Value::as_array).ok_or("it has no list `keys`")?;
    let usable: Vec<Key> = keys.iter().take(MAX_KEYS).filter_map(|key| usable(&serde_json::from_value(key.clone()).ok()?)).collect();
    if usable.is_empty() {
        return Err("it has no public key for signatures".to_owned());
    }
    Ok(usable)
}

fn usable(jwk: &Jwk) -> Option<Key> {
    use Algorithm::{ES256, ES384, EdDSA, PS256, PS384, PS512, RS256, RS384, RS512};
    if jwk.common.public_key_use.as_ref().is_some_and(|purpose| *purpose != PublicKeyUse::Signature) {
        return None;
    }
    let possible: &'static [Algorithm] = match &jwk.algorithm {
        AlgorithmParameters::RSA(_) => &[RS256, RS384, RS512, PS256, PS384, PS512],
        AlgorithmParameters::EllipticCurve(key) => match key.curve {
            EllipticCurve::P256 => &[ES256],
            EllipticCurve::P384 => &[ES384],
            _ => return None,
        },
        AlgorithmParameters::OctetKeyPair(_) => &[EdDSA],
        // A shared secret in a public list is none.
        _ => return None,
    };
    let algorithm = jwk.common.key_algorithm.map(|algorithm| algorithm.to_string());
    Some(Key { id: jwk.common.key_id.clone(), algorithm, decoding: DecodingKey::from_jwk(jwk).ok()?, possible })
}
