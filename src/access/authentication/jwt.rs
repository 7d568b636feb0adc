//! JSON Web Tokens (RFC 7519): the signature by `jsonwebtoken`, then issuer, audience and times.
//!
//! The algorithms are fixed by the configuration. A token that names another one, none, or an HMAC is refused before a key is looked
//! for, so that no public key is ever used as a shared secret. Keys inside a token (`jwk`, `jku`, `x5u`) are never used.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, DecodingKey, crypto};
use serde_json::Value;

use super::jwks::Keys;

/// Longest token that is read, in bytes.
const MAX_BYTES: usize = 16 << 10;

/// Difference between the clocks of issuer and server that is accepted, in seconds.
const LEEWAY: i64 = 60;

/// Longest name of a user or group, in bytes.
const MAX_NAME: usize = 256;

/// Most groups of one user that are read.
const MAX_GROUPS: usize = 1_000;

/// The claims that name user and groups.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClaimNames {
    /// Claim with the name of the user: `historyserver.security.user-claim`.
    pub user: String,
    /// Claim with the groups, a list of texts or one text: `historyserver.security.groups-claim`.
    pub groups: String,
}

impl Default for ClaimNames {
    fn default() -> Self {
        Self { user: "sub".to_owned(), groups: "groups".to_owned() }
    }
}

/// The conditions that a token must meet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JwtOptions {
    /// URL or file of the issuer's keys.
    pub keys: super::jwks::KeySource,
    /// The only issuer.
    pub issuer: String,
    /// Audiences, of which the token must have one.
    pub audience: Vec<String>,
    /// Algorithms of signatures.
    pub algorithms: Vec<Algorithm>,
}

/// User and groups of a token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Claimed {
    pub(super) user: String,
    pub(super) groups: Vec<String>,
}

/// Why a token is refused: the end of the sentence "a sign-in was refused: ". It has no part of the token.
pub(super) type Refusal = String;

/// Checks tokens.
#[derive(Debug)]
pub(super) struct Verifier {
    pub(super) keys: Keys,
    options: JwtOptions,
    claims: ClaimNames,
}

impl Verifier {
    pub(super) fn new(keys: Keys, options: JwtOptions, claims: ClaimNames) -> Self {
        Self { keys, options, claims }
    }

    /// User and groups of a valid token; `now` in seconds since 1970.
    pub(super) async fn verify(&self, token: &str, now: i64) -> Result<Claimed, Refusal> {
        let parts = Parts::of(token)?;
        let algorithm = parts.algorithm(&self.options.algorithms)?;
        let kid = parts.header.get("kid").and_then(Value::as_str);
        let key = self.keys.find(kid, algorithm).await?;
        parts.check_signature(&key, algorithm)?;
        self.check_claims(&parts, now)?;
        self.claims.read(&parts.claims)
    }

    fn check_claims(&self, parts: &Parts<'_>, now: i64) -> Result<(), Refusal> {
        // AWS load balancers repeat `iss` and `exp` in the signed header, and name themselves there as `signer`.
        let by_header = self.keys.has_one_address_per_key();
        let claim = |name: &str| parts.claims.get(name).or_else(|| parts.header.get(name).filter(|_| by_header));
        let expires = claim("exp").and_then(seconds).ok_or("its expiry (`exp`) is missing")?;
        if expires.saturating_add(LEEWAY) <= now {
            return Err("it has expired".to_owned());
        }
        if let Some(not_before) = claim("nbf") {
            let not_before = seconds(not_before).ok_or("its `nbf` is not a time")?;
            if not_before.saturating_sub(LEEWAY) > now {
                return Err("it is not valid yet".to_owned());
            }
        }
        if claim("iss").and_then(Value::as_str) != Some(self.options.issuer.as_str()) {
            return Err("it is of another issuer".to_owned());
        }
        let audience = if by_header { parts.header.get("signer") } else { parts.claims.get("aud") };
        if !texts(audience).any(|audience| self.options.audience.iter().any(|own| own == audience)) {
            return Err("it is for another audience".to_owned());
        }
        Ok(())
    }
}

impl ClaimNames {
    /// User and groups of verified claims.
    pub(super) fn read(&self, claims: &Value) -> Result<Claimed, Refusal> {
        let user = claims.get(&self.user).and_then(Value::as_str).unwrap_or_default();
        if !is_name(user) {
            return Err(format!("its claim `{}` is no name of a user: see historyserver.security.user-claim", self.user));
        }
        let groups = texts(claims.get(&self.groups)).filter(|group| is_name(group)).take(MAX_GROUPS).map(str::to_owned).collect();
        Ok(Claimed { user: user.to_owned(), groups })
    }
}

/// Whether a text can be the name of a user or group.
pub(super) fn is_name(text: &str) -> bool {
    !text.trim().is_empty() && text.len() <= MAX_NAME && !text.chars().any(char::is_control)
}

/// A claim that is a text, or a list of texts.
fn texts(claim: Option<&Value>) -> impl Iterator<Item = &str> {
    let one = claim.and_then(Value::as_str);
    let many = claim.and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
    one.into_iter().chain(many)
}

/// A time in seconds since 1970, possibly with a fraction.
#[expect(clippy::cast_possible_truncation, reason = "a fraction of a second does not matter, and casts of floats saturate")]
fn seconds(value: &Value) -> Option<i64> {
    value.as_i64().or_else(|| value.as_f64().map(|seconds| seconds as i64))
}

/// A token in its parts.
struct Parts<'t> {
    /// Header and claims as they were signed.
    signed: &'t str,
    signature: &'t str,
    header: Value,
    claims: Value,
}

impl<'t> Parts<'t> {
    fn of(token: &'t str) -> Result<Self, Refusal> {
        if token.len() > MAX_BYTES {
            return Err(format!("the token is longer than {MAX_BYTES} bytes"));
        }
        let malformed = || "it is no signed JSON Web Token".to_owned();
        let (signed, signature) = token.rsplit_once('.').ok_or_else(malformed)?;
        let (header, claims) = signed.split_once('.').filter(|(_, claims)| !claims.contains('.')).ok_or_else(malformed)?;
        let json = |text: &str| -> Option<Value> {
            let value: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(unpadded(text)).ok()?).ok()?;
            value.is_object().then_some(value)
        };
        let (header, claims) = (json(header).ok_or_else(malformed)?, json(claims).ok_or_else(malformed)?);
        Ok(Self { signed, signature: unpadded(signature), header, claims })
    }

    /// The algorithm of the signature, if it is one of these.
    fn algorithm(&self, allowed: &[Algorithm]) -> Result<Algorithm, Refusal> {
        if self.header.get("crit").is_some() {
            return Err("its header has extensions (`crit`) that are not supported".to_owned());
        }
        let named = self.header.get("alg").and_then(Value::as_str).and_then(|name| name.parse::<Algorithm>().ok());
        named.filter(|algorithm| allowed.contains(algorithm)).ok_or_else(|| "its algorithm is not allowed".to_owned())
    }

    fn check_signature(&self, key: &DecodingKey, algorithm: Algorithm) -> Result<(), Refusal> {
        match crypto::verify(self.signature, self.signed.as_bytes(), key, algorithm) {
            Ok(true) => Ok(()),
            Ok(false) | Err(_) => Err("its signature is not valid".to_owned()),
        }
    }
}

/// A base64 text without padding: AWS load balancers pad, against the standard.
fn unpadded(text: &str) -> &str {
    text.trim_end_matches('=')
}
