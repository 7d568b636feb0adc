//! From a request to an [`Identity`], by the methods of `historyserver.security.authentication`.
//!
//! - `proxy`: headers of a trusted proxy, or its signed token. - `jwt`, `jwks`: signed tokens and the keys of their issuers.
//! - `oidc`: sign-in in the browser. - `tokens`, `token_file`: static tokens. - `failures`: failed sign-ins by address.

use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use http::{HeaderMap, HeaderValue, header};
use tokio_util::sync::CancellationToken;

use super::audit;
use super::identity::{Identity, IdentityKind};
use super::peer::{Peer, client_address, is_in};
use crate::clock::Clock;
use crate::tasks;

mod failures;
pub mod jwks;
pub mod jwt;
pub mod oidc;
pub mod proxy;
mod token_file;
mod tokens;

pub use jwks::KeySource;
pub use jwt::{ClaimNames, JwtOptions};
pub use oidc::{OidcOptions, Redirect};
pub use proxy::ProxyOptions;
pub use token_file::create as create_token;

use failures::Failures;
use jwks::Keys;
use jwt::{Claimed, Verifier};
use oidc::Oidc;
use tokens::Tokens;

/// Interval of the checks whether files and keys have changed.
const RELOAD_INTERVAL: Duration = Duration::from_secs(5);

/// A method of authentication.
#[derive(Debug, Clone, Copy, PartialEq, Eq, strum::EnumString, strum::IntoStaticStr)]
#[strum(serialize_all = "lowercase", ascii_case_insensitive)]
pub enum Method {
    /// By a proxy.
    Proxy,
    /// By a token in the header `Authorization`.
    Bearer,
    /// In the browser, by an `OpenID` provider.
    Oidc,
    /// By a client certificate.
    Tls,
}

/// `historyserver.security.*`, validated.
#[derive(Debug, Clone, Default)]
pub struct SecurityOptions {
    /// Methods in their order; empty: none, and every client is anonymous.
    pub methods: Vec<Method>,
    /// Whether the server may listen beyond loopback: with an authentication, with `none` written out, or by Flink's own configuration.
    pub may_be_open: bool,
    /// Whether `/metrics` needs no authentication; `None`: on loopback only.
    pub open_metrics: Option<bool>,
    /// Headers of a proxy.
    pub proxy: ProxyOptions,
    /// Signed token of the proxy.
    pub proxy_token: Option<JwtOptions>,
    /// Signed tokens of clients.
    pub bearer_token: Option<JwtOptions>,
    /// File with static tokens.
    pub tokens_file: Option<PathBuf>,
    /// Sign-in in the browser.
    pub oidc: Option<OidcOptions>,
    /// Claims with user and groups.
    pub claims: ClaimNames,
}

/// Authenticates requests.
#[derive(Debug)]
pub struct Authentication {
    options: SecurityOptions,
    clock: Clock,
    failures: Failures,
    proxy_token: Option<Verifier>,
    bearer_token: Option<Verifier>,
    tokens: Option<Tokens>,
    oidc: Option<Oidc>,
}

/// The result of an authentication.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The client is known. The second is a cookie to set in the answer.
    Identified(Arc<Identity>, Option<HeaderValue>),
    /// The request has no credentials.
    Anonymous,
    /// Its credentials are not valid.
    Refused,
    /// Too many sign-ins from this address failed; it must wait this long.
    Blocked(Duration),
}

impl Authentication {
    /// Reads the files that the options name; `None`: no method is configured.
    ///
    /// # Errors
    /// A sentence: a file cannot be read or is not valid.
    pub fn open(options: &SecurityOptions, clock: &Clock) -> Result<Option<Arc<Self>>, String> {
        if options.methods.is_empty() {
            return Ok(None);
        }
        let client = reqwest::Client::builder()
            // A redirect could lead to any server.
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(Duration::from_secs(5))
            .timeout(Duration::from_secs(10))
            .build()
            .map_err(|error| format!("no HTTPS client can be made: {error}"))?;
        let verifier = |method: Method, token: &Option<JwtOptions>| -> Result<Option<Verifier>, String> {
            let Some(token) = token.as_ref().filter(|_| options.methods.contains(&method)) else { return Ok(None) };
            let keys = Keys::open(token.keys.clone(), client.clone(), clock.clone())?;
            Ok(Some(Verifier::new(keys, token.clone(), options.claims.clone())))
        };
        let static_tokens = options.tokens_file.clone().filter(|_| options.methods.contains(&Method::Bearer));
        let oidc = options.oidc.clone().filter(|_| options.methods.contains(&Method::Oidc));
        Ok(Some(Arc::new(Self {
            proxy_token: verifier(Method::Proxy, &options.proxy_token)?,
            bearer_token: verifier(Method::Bearer, &options.bearer_token)?,
            oidc: oidc.map(|oidc| Oidc::open(oidc, options.claims.clone(), client.clone(), clock.clone())).transpose()?,
            tokens: static_tokens.map(Tokens::open).transpose()?,
            failures: Failures::default(),
            clock: clock.clone(),
            options: options.clone(),
        })))
    }

    /// Reads changed files and keys again, until `stop` is cancelled.
    pub async fn keep_fresh(self: Arc<Self>, stop: CancellationToken) {
        let mut timer = tokio::time::interval(RELOAD_INTERVAL);
        timer.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        while stop.run_until_cancelled(timer.tick()).await.is_some() {
            self.refresh().await;
        }
    }

    /// Reads changed files and keys again.
    pub async fn refresh(self: &Arc<Self>) {
        let this = Arc::clone(self);
        let read = tasks::spawn_blocking(move || this.tokens.as_ref().map_or(Ok(false), Tokens::read_if_changed)).await;
        match read {
            Ok(false) => {}
            Ok(true) => tracing::info!("the file of tokens has changed and is in use"),
            Err(error) => tracing::error!("{error}; the last valid tokens stay in use"),
        }
        for verifier in self.proxy_token.iter().chain(&self.bearer_token) {
            verifier.keys.keep_fresh().await;
        }
    }

    /// The client of a request. A failure is counted, and written to the audit log.
    pub async fn identify(&self, headers: &HeaderMap, peer: Option<&Peer>) -> Outcome {
        let from = self.client_address(headers, peer);
        let passed = self.clock.passed();
        let waits = from.and_then(|from| self.failures.wait(from, passed));
        if let Some(identity) = self.known(headers) {
            // A valid token works also where others from its address fail.
            return Outcome::Identified(Arc::new(identity), None);
        }
        let mut refused = None;
        for method in &self.options.methods {
            let mut cookie = None;
            let found = match (method, waits) {
                (Method::Tls, _) => Ok(of_certificate(peer)),
                // A session that has ended is no failure: the browser signs in again.
                (Method::Oidc, _) => {
                    let session = match &self.oidc {
                        Some(oidc) => oidc.session(headers).await,
                        None => None,
                    };
                    Ok(session.map(|session| {
                        cookie = session.cookie;
                        user(&session.claimed)
                    }))
                }
                (Method::Proxy, waits) => self.by_proxy(headers, peer, waits.is_some()).await,
                (Method::Bearer, waits) => self.by_bearer(headers, waits.is_some()).await,
            };
            match found {
                Ok(Some(identity)) => return Outcome::Identified(Arc::new(identity), cookie),
                Ok(None) => {}
                Err(Refusal::Blocked) => refused = Some((*method, None)),
                Err(Refusal::Invalid(reason)) => refused = Some((*method, Some(reason))),
            }
        }
        match refused {
            None => Outcome::Anonymous,
            Some((_, None)) => Outcome::Blocked(waits.unwrap_or_default()),
            Some((method, Some(reason))) => {
                audit::refused(from, method.into(), &reason);
                if from.is_some_and(|from| self.failures.count(from, passed)) {
                    audit::blocked(from);
                }
                Outcome::Refused
            }
        }
    }

    /// The path under which browsers see this server, if they can sign in here; it ends with `/`.
    #[must_use]
    pub fn sign_in_base(&self) -> Option<&str> {
        self.oidc.as_ref().map(Oidc::base)
    }

    /// Begins a sign-in in the browser, which comes back to the path `back` of this server.
    ///
    /// # Errors
    /// A sentence: the provider cannot be asked.
    pub async fn begin_sign_in(&self, back: &str) -> Result<Redirect, String> {
        self.oidc.as_ref().ok_or("no provider is configured")?.begin(back).await
    }

    /// Ends a sign-in in the browser, by the query of the provider's answer. A failure is counted, and written to the audit log.
    ///
    /// # Errors
    /// The end of a sentence: why it failed.
    pub async fn finish_sign_in(&self, query: &str, headers: &HeaderMap, from: Option<IpAddr>) -> Result<Redirect, String> {
        let passed = self.clock.passed();
        if from.is_some_and(|from| self.failures.wait(from, passed).is_some()) {
            return Err("too many sign-ins from this address failed, try again after a minute".to_owned());
        }
        let finished = self.oidc.as_ref().ok_or("no provider is configured")?.finish(query, headers).await;
        if let Err(reason) = &finished {
            audit::refused(from, Method::Oidc.into(), reason);
            if from.is_some_and(|from| self.failures.count(from, passed)) {
                audit::blocked(from);
            }
        }
        finished
    }

    /// Ends the session of a browser; `None`: browsers cannot sign in here.
    pub async fn sign_out(&self, headers: &HeaderMap) -> Option<Redirect> {
        Some(self.oidc.as_ref()?.sign_out(headers).await)
    }

    /// Whether a request of a browser comes from a page of this server.
    #[must_use]
    pub fn is_own_origin(&self, headers: &HeaderMap) -> bool {
        self.oidc.as_ref().is_some_and(|oidc| oidc.is_own_origin(headers))
    }

    /// Removes the headers that name a user: nothing after the authentication may believe them.
    pub fn strip(&self, headers: &mut HeaderMap) {
        self.options.proxy.strip(headers);
    }

    /// Whether `/metrics` is answered without authentication.
    #[must_use]
    pub fn has_open_metrics(&self) -> bool {
        self.options.open_metrics.unwrap_or(false)
    }

    /// Whether clients may present tokens.
    #[must_use]
    pub fn takes_tokens(&self) -> bool {
        self.options.methods.contains(&Method::Bearer)
    }

    /// The address of the client: behind a trusted proxy, that of its client. `None`: the request came by a socket without addresses.
    #[must_use]
    pub fn client_address(&self, headers: &HeaderMap, peer: Option<&Peer>) -> Option<IpAddr> {
        peer.map(|peer| client_address(peer.address, headers, &self.options.proxy.trusted))
    }

    /// Seconds since 1970.
    fn now(&self) -> i64 {
        self.clock.now().as_millis() / 1000
    }

    fn known(&self, headers: &HeaderMap) -> Option<Identity> {
        self.tokens.as_ref()?.known(bearer(headers).ok()??, self.now())
    }

    async fn by_proxy(&self, headers: &HeaderMap, peer: Option<&Peer>, blocked: bool) -> Result<Option<Identity>, Refusal> {
        let options = &self.options.proxy;
        let trusted = peer.is_some_and(|peer| is_in(&options.trusted, peer.address));
        let claimed = match (&self.proxy_token, &options.token_header) {
            (Some(verifier), Some(name)) => {
                // The signature proves the proxy; with addresses as well, both must hold.
                if !headers.contains_key(name) || !(trusted || options.trusted.is_empty()) {
                    return Ok(None);
                }
                if blocked {
                    return Err(Refusal::Blocked);
                }
                Some(verifier.verify(proxy::one(headers, name)?, self.now()).await?)
            }
            _ if trusted => options.read(headers)?,
            _ => None,
        };
        Ok(claimed.as_ref().map(user))
    }

    async fn by_bearer(&self, headers: &HeaderMap, blocked: bool) -> Result<Option<Identity>, Refusal> {
        let Some(token) = bearer(headers)? else { return Ok(None) };
        if blocked {
            return Err(Refusal::Blocked);
        }
        match (&self.tokens, &self.bearer_token) {
            (Some(tokens), _) if Tokens::is_meant(token) => Ok(Some(tokens.verify(token, self.now()).await?)),
            (_, Some(verifier)) => Ok(Some(user(&verifier.verify(token, self.now()).await?))),
            _ => Err("it is no token of this server".to_owned().into()),
        }
    }
}

/// Why credentials do not count.
enum Refusal {
    /// They were not read.
    Blocked,
    /// They are not valid.
    Invalid(String),
}

impl From<String> for Refusal {
    fn from(reason: String) -> Self {
        Self::Invalid(reason)
    }
}

/// The token of the header `Authorization: Bearer`.
fn bearer(headers: &HeaderMap) -> Result<Option<&str>, String> {
    if !headers.contains_key(header::AUTHORIZATION) {
        return Ok(None);
    }
    let value = proxy::one(headers, &header::AUTHORIZATION)?;
    let (scheme, token) = value.split_once(' ').unwrap_or((value, ""));
    Ok(scheme.eq_ignore_ascii_case("bearer").then_some(token.trim()))
}

fn user(claimed: &Claimed) -> Identity {
    Identity::named(&claimed.user, IdentityKind::User, &claimed.groups)
}

fn of_certificate(peer: Option<&Peer>) -> Option<Identity> {
    let subject = peer?.certificate.as_deref()?;
    Some(Identity::named(subject, IdentityKind::Certificate, [""; 0]))
}
