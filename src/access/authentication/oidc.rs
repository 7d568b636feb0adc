//! Sign-in in the browser by `OpenID` Connect: authorisation code with PKCE, state and nonce, by `openidconnect`.
//!
//! There is no session store. The session is an encrypted cookie, so all replicas with the same key read it. Only sign-outs are kept in
//! memory, until the session would have ended, so that a copied cookie ends with them on this replica.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::DateTime;
use cookie::{Cookie, CookieJar, Key, SameSite};
use http::{HeaderMap, HeaderValue, header};
use openidconnect::core::{
    CoreAuthenticationFlow, CoreClient, CoreIdToken, CoreIdTokenVerifier, CoreJwsSigningAlgorithm, CoreTokenResponse,
};
use openidconnect::{
    AuthorizationCode, ClientId, ClientSecret, CsrfToken, EndpointMaybeSet, EndpointNotSet, EndpointSet, HttpRequest, HttpResponse,
    IssuerUrl, Nonce, OAuth2TokenResponse as _, PkceCodeChallenge, PkceCodeVerifier, ProviderMetadataWithLogout, RedirectUrl, RefreshToken,
    Scope, TokenResponse as _,
};
use serde::{Deserialize, Serialize};
use url::Url;

use super::jwt::{ClaimNames, Claimed};
use crate::clock::Clock;

/// Name of the cookie with the session.
const SESSION: &str = "historyserver-session";

/// Begins the name of the cookie of a sign-in that has begun; the begin of its state follows, since several may be under way.
const BEGUN: &str = "historyserver-sign-in-";

/// Time for a sign-in at the provider, in seconds.
const MAX_SIGN_IN: i64 = 600;

/// Time for which the statement of the provider counts where it cannot be renewed sooner, in seconds.
const MIN_FRESH: i64 = 300;

/// Largest cookie that browsers keep, with its name and attributes, in bytes.
const MAX_COOKIE: usize = 4_000;

/// Age after which the metadata and keys of the provider are requested again.
const METADATA_AGE: Duration = Duration::from_mins(15);

/// Largest answer of the provider, in bytes.
const MAX_ANSWER: usize = 1 << 20;

/// Most sign-outs and renewals that are kept.
const MAX_KEPT: usize = 10_000;

/// Path of the answer of the provider, below the URL of the server.
const CALLBACK: &str = "auth/callback";

/// `historyserver.security.oidc.*`.
#[derive(Debug, Clone)]
pub struct OidcOptions {
    /// URL of the provider.
    pub issuer: String,
    /// Id of this server at the provider.
    pub client_id: String,
    /// Its secret, if it has one.
    pub client_secret: Option<ClientSecret>,
    /// Scopes beside `openid`.
    pub scopes: Vec<String>,
    /// URL under which browsers see this server; it ends with `/`.
    pub external_url: Url,
    /// File with the key of the cookies.
    pub key_file: PathBuf,
    /// Longest session.
    pub session: Duration,
}

/// Signs users in.
pub(super) struct Oidc {
    options: OidcOptions,
    claims: ClaimNames,
    key: Key,
    http: reqwest::Client,
    clock: Clock,
    metadata: tokio::sync::Mutex<Option<(Duration, ProviderMetadataWithLogout)>>,
    /// Ends of sessions that were signed out, by their id.
    signed_out: Mutex<HashMap<String, i64>>,
    /// Renewed sessions by the id and end of the statement that was renewed: several requests of one page come at once.
    renewed: tokio::sync::Mutex<HashMap<(String, i64), Option<Session>>>,
}

impl std::fmt::Debug for Oidc {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Oidc").field("options", &self.options).finish_non_exhaustive()
    }
}

/// The content of the cookie of a session. Times in seconds since 1970.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Session {
    id: String,
    user: String,
    groups: Vec<String>,
    /// When it ends.
    end: i64,
    /// Until when the statement of the provider counts.
    fresh: i64,
    /// Renews the statement.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    refresh: Option<String>,
}

/// The content of the cookie of a sign-in that has begun.
#[derive(Debug, Serialize, Deserialize)]
struct Begun {
    state: String,
    nonce: String,
    verifier: String,
    back: String,
    end: i64,
}

/// The user of a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct SignedIn {
    pub(super) claimed: Claimed,
    /// A cookie that replaces that of the request.
    pub(super) cookie: Option<HeaderValue>,
}

/// An answer that sends the browser elsewhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Redirect {
    /// Where to.
    pub location: String,
    /// Cookies to set.
    pub cookies: Vec<HeaderValue>,
    /// The user that has signed in.
    pub user: Option<String>,
}

type Client = CoreClient<EndpointSet, EndpointNotSet, EndpointNotSet, EndpointNotSet, EndpointMaybeSet, EndpointMaybeSet>;

impl Oidc {
    /// Reads the key of the cookies. The provider is asked when a user signs in first: it may start later.
    ///
    /// # Errors
    /// A sentence: the file cannot be used.
    pub(super) fn open(options: OidcOptions, claims: ClaimNames, http: reqwest::Client, clock: Clock) -> Result<Self, String> {
        let shown = options.key_file.display();
        let text = super::super::watched_file::WatchedFile::new(options.key_file.clone())
            .changed()
            .map_err(|error| {
                format!("the key of the cookies in {shown} cannot be read: {error}; make it by `openssl rand -base64 48 > {shown}`")
            })?
            .unwrap_or_default();
        let text = text.trim();
        if text.len() < 43 {
            return Err(format!(
                "the key of the cookies in {shown} is shorter than 43 characters; make it by `openssl rand -base64 48 > {shown}`"
            ));
        }
        let key = Key::derive_from(text.as_bytes());
        Ok(Self {
            options,
            claims,
            key,
            http,
            clock,
            metadata: tokio::sync::Mutex::default(),
            signed_out: Mutex::default(),
            renewed: tokio::sync::Mutex::default(),
        })
    }

    /// The path of the URL under which browsers see this server; it ends with `/`.
    pub(super) fn base(&self) -> &str {
        self.options.external_url.path()
    }

    /// Sends the browser to the provider. It comes back to `back`, a path of this server.
    ///
    /// # Errors
    /// A sentence: the provider cannot be asked.
    pub(super) async fn begin(&self, back: &str) -> Result<Redirect, String> {
        let client = self.client().await?;
        let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
        let mut request = client.authorize_url(CoreAuthenticationFlow::AuthorizationCode, CsrfToken::new_random, Nonce::new_random);
        for scope in &self.options.scopes {
            request = request.add_scope(Scope::new(scope.clone()));
        }
        let (url, state, nonce) = request.set_pkce_challenge(challenge).url();
        let begun = Begun {
            state: state.secret().clone(),
            nonce: nonce.secret().clone(),
            verifier: verifier.secret().clone(),
            back: own_path(back).to_owned(),
            end: self.now() + MAX_SIGN_IN,
        };
        let cookie = self.cookie(&begun_name(&begun.state), &begun, MAX_SIGN_IN)?;
        Ok(Redirect { location: url.into(), cookies: vec![cookie], user: None })
    }

    /// Ends a sign-in: exchanges the code, and begins a session. `query` is that of the callback.
    ///
    /// # Errors
    /// The end of the sentence "a sign-in was refused: ".
    pub(super) async fn finish(&self, query: &str, headers: &HeaderMap) -> Result<Redirect, String> {
        let parameter =
            |name: &str| url::form_urlencoded::parse(query.as_bytes()).find(|(key, _)| key == name).map(|(_, value)| value.into_owned());
        let state = parameter("state").ok_or("the answer of the provider has no state")?;
        let name = begun_name(&state);
        let begun: Begun =
            self.open_cookie(headers, &name).ok_or("it was not begun in this browser, or more than 10 minutes ago: try again")?;
        if begun.state != state || begun.end <= self.now() {
            return Err("it was not begun in this browser, or more than 10 minutes ago: try again".to_owned());
        }
        if parameter("error").is_some() {
            return Err("the provider refused it".to_owned());
        }
        let code = parameter("code").ok_or("the answer of the provider has no code")?;
        let client = self.client().await?;
        let http = |request| send(self.http.clone(), request);
        let tokens = client
            .exchange_code(AuthorizationCode::new(code))
            .map_err(|error| error.to_string())?
            .set_pkce_verifier(PkceCodeVerifier::new(begun.verifier.clone()))
            .request_async(&http)
            .await
            .map_err(|error| format!("the provider did not accept the code ({error})"))?;
        let nonce = Nonce::new(begun.nonce.clone());
        let verifier = self.verifier(&client);
        let id_token = tokens.id_token().ok_or("the provider gave no ID token")?;
        let expiry =
            id_token.claims(&verifier, &nonce).map_err(|error| format!("its ID token is not valid ({error})"))?.expiration().timestamp();
        let claimed = self.claims.read(&payload(id_token)?)?;
        let now = self.now();
        let session = Session {
            id: CsrfToken::new_random().secret().clone(),
            user: claimed.user,
            groups: claimed.groups,
            end: now + i64::try_from(self.options.session.as_secs()).unwrap_or(i64::MAX / 2),
            fresh: expiry.max(now + MIN_FRESH),
            refresh: tokens.refresh_token().map(|token| token.secret().clone()),
        };
        let cookies = vec![self.session_cookie(session.clone())?, self.removed(&name)];
        Ok(Redirect { location: self.back(&begun.back), cookies, user: Some(session.user) })
    }

    /// The user of the session of a request; `None`: it has none, or it has ended.
    pub(super) async fn session(&self, headers: &HeaderMap) -> Option<SignedIn> {
        let session: Session = self.open_cookie(headers, SESSION)?;
        let now = self.now();
        if session.end <= now || self.signed_out().contains_key(&session.id) {
            return None;
        }
        if session.fresh > now || session.refresh.is_none() {
            return Some(SignedIn { claimed: claimed(session), cookie: None });
        }
        let renewed = self.renew(session).await?;
        let cookie = self.session_cookie(renewed.clone()).ok();
        Some(SignedIn { claimed: claimed(renewed), cookie })
    }

    /// Ends the session of a request, here and at the provider.
    pub(super) async fn sign_out(&self, headers: &HeaderMap) -> Redirect {
        let session: Option<Session> = self.open_cookie(headers, SESSION);
        let user = session.as_ref().map(|session| session.user.clone());
        if let Some(session) = session {
            let now = self.now();
            let mut signed_out = self.signed_out();
            if signed_out.len() >= MAX_KEPT {
                signed_out.retain(|_, end| *end > now);
            }
            signed_out.insert(session.id, session.end);
        }
        let end = self.metadata().await.ok().and_then(|metadata| metadata.additional_metadata().end_session_endpoint.clone());
        let location = end.map_or_else(
            || self.options.external_url.to_string(),
            |end| {
                let mut url = end.url().clone();
                url.query_pairs_mut()
                    .append_pair("client_id", &self.options.client_id)
                    .append_pair("post_logout_redirect_uri", self.options.external_url.as_str());
                url.into()
            },
        );
        Redirect { location, cookies: vec![self.removed(SESSION)], user }
    }

    /// Whether a changing request comes from a page of this server.
    pub(super) fn is_own_origin(&self, headers: &HeaderMap) -> bool {
        let own = self.options.external_url.origin().ascii_serialization();
        headers.get_all(header::ORIGIN).iter().all(|origin| origin.as_bytes() == own.as_bytes())
            && headers.get_all("sec-fetch-site").iter().all(|site| site.as_bytes() == b"same-origin")
    }

    /// Asks the provider whether the user is still signed in. A provider that does not answer ends no session.
    async fn renew(&self, session: Session) -> Option<Session> {
        let mut renewed = self.renewed.lock().await;
        let key = (session.id.clone(), session.fresh);
        if let Some(known) = renewed.get(&key) {
            return known.clone();
        }
        let Ok(client) = self.client().await else { return Some(session) };
        let token = RefreshToken::new(session.refresh.clone()?);
        let http = |request| send(self.http.clone(), request);
        let request = client.exchange_refresh_token(&token).ok()?;
        let result = match request.request_async(&http).await {
            Ok(tokens) => self.renewed(&client, session, &tokens),
            Err(openidconnect::RequestTokenError::ServerResponse(_)) => None,
            Err(_unanswered) => return Some(session),
        };
        if renewed.len() >= MAX_KEPT {
            renewed.clear();
        }
        renewed.insert(key, result.clone());
        result
    }

    /// The session by the new statement; `None`: it is not valid, or of another user.
    fn renewed(&self, client: &Client, session: Session, tokens: &CoreTokenResponse) -> Option<Session> {
        let refresh = tokens.refresh_token().map(|token| token.secret().clone()).or(session.refresh);
        let (mut fresh, mut groups) = (self.now() + MIN_FRESH, session.groups);
        if let Some(id_token) = tokens.id_token() {
            let any_nonce = |_: Option<&Nonce>| Ok(());
            fresh = fresh.max(id_token.claims(&self.verifier(client), any_nonce).ok()?.expiration().timestamp());
            let claimed = self.claims.read(&payload(id_token).ok()?).ok()?;
            if claimed.user != session.user {
                return None;
            }
            groups = claimed.groups;
        }
        Some(Session { groups, fresh, refresh, ..session })
    }

    fn verifier<'c>(&self, client: &'c Client) -> CoreIdTokenVerifier<'c> {
        use CoreJwsSigningAlgorithm as Signed;
        let now = DateTime::from_timestamp(self.now(), 0).unwrap_or_default();
        client.id_token_verifier().set_time_fn(move || now).set_allowed_algs([
            Signed::RsaSsaPkcs1V15Sha256,
            Signed::RsaSsaPkcs1V15Sha384,
            Signed::RsaSsaPkcs1V15Sha512,
            Signed::EcdsaP256Sha256,
            Signed::EcdsaP384Sha384,
            Signed::EdDsa,
        ])
    }

    async fn client(&self) -> Result<Client, String> {
        let redirect = self.options.external_url.join(CALLBACK).map_err(|error| error.to_string())?;
        let id = ClientId::new(self.options.client_id.clone());
        Ok(CoreClient::from_provider_metadata(self.metadata().await?, id, self.options.client_secret.clone())
            .set_redirect_uri(RedirectUrl::from_url(redirect)))
    }

    /// Metadata and keys of the provider.
    async fn metadata(&self) -> Result<ProviderMetadataWithLogout, String> {
        let mut known = self.metadata.lock().await;
        let now = self.clock.passed();
        if let Some((at, metadata)) = known.as_ref().filter(|(at, _)| now < *at + METADATA_AGE) {
            let _ = at;
            return Ok(metadata.clone());
        }
        let issuer = IssuerUrl::new(self.options.issuer.clone()).map_err(|error| error.to_string())?;
        let http = |request| send(self.http.clone(), request);
        match ProviderMetadataWithLogout::discover_async(issuer, &http).await {
            Ok(metadata) => {
                *known = Some((now, metadata.clone()));
                Ok(metadata)
            }
            Err(error) => {
                tracing::warn!(error.cause = %error, "the OpenID provider {} does not answer as expected", self.options.issuer);
                Err("the OpenID provider does not answer as expected: see the log of the server".to_owned())
            }
        }
    }

    fn session_cookie(&self, mut session: Session) -> Result<HeaderValue, String> {
        let left = session.end - self.now();
        let cookie = self.cookie(SESSION, &session, left);
        if cookie.is_err() && session.refresh.take().is_some() {
            // Without it the session lasts as long, and is not checked in between.
            return self.cookie(SESSION, &session, left);
        }
        cookie
    }

    fn cookie(&self, name: &str, content: &impl Serialize, seconds: i64) -> Result<HeaderValue, String> {
        let text = serde_json::to_string(content).map_err(|error| error.to_string())?;
        let mut jar = CookieJar::new();
        jar.private_mut(&self.key).add(Cookie::new(name.to_owned(), text));
        let value = jar.get(name).map(|cookie| cookie.value().to_owned()).unwrap_or_default();
        let cookie = self.attributes(name, value, seconds);
        if cookie.len() > MAX_COOKIE {
            return Err("the user has too many groups for a cookie: have the provider send fewer".to_owned());
        }
        HeaderValue::try_from(cookie).map_err(|error| error.to_string())
    }

    fn removed(&self, name: &str) -> HeaderValue {
        HeaderValue::try_from(self.attributes(name, String::new(), 0)).unwrap_or_else(|_| HeaderValue::from_static(""))
    }

    fn attributes(&self, name: &str, value: String, seconds: i64) -> String {
        Cookie::build((name.to_owned(), value))
            .http_only(true)
            .same_site(SameSite::Lax)
            .secure(self.options.external_url.scheme() == "https")
            .path(self.base().to_owned())
            .max_age(cookie::time::Duration::seconds(seconds))
            .build()
            .to_string()
    }

    /// The content of an encrypted cookie; `None`: it is missing, was altered, or is of another key.
    fn open_cookie<T: for<'de> Deserialize<'de>>(&self, headers: &HeaderMap, name: &str) -> Option<T> {
        let texts = headers.get_all(header::COOKIE).iter().filter_map(|text| text.to_str().ok());
        let found = texts.flat_map(Cookie::split_parse).flatten().find(|cookie| cookie.name() == name)?;
        let opened = CookieJar::new().private(&self.key).decrypt(found.into_owned())?;
        serde_json::from_str(opened.value()).ok()
    }

    /// A path of this server as browsers see it.
    fn back(&self, path: &str) -> String {
        format!("{}{}", self.base(), own_path(path).trim_start_matches('/'))
    }

    fn signed_out(&self) -> std::sync::MutexGuard<'_, HashMap<String, i64>> {
        self.signed_out.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn now(&self) -> i64 {
        self.clock.now().as_millis() / 1000
    }
}

fn claimed(session: Session) -> Claimed {
    Claimed { user: session.user, groups: session.groups }
}

fn begun_name(state: &str) -> String {
    let begin: String = state.chars().filter(char::is_ascii_alphanumeric).take(8).collect();
    format!("{BEGUN}{begin}")
}

/// The path, if it is one of this server and safe in a header; else the root.
fn own_path(path: &str) -> &str {
    let is_safe = path.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\');
    if path.starts_with('/') && !path.starts_with("//") && is_safe && path.len() <= 2_048 { path } else { "/" }
}

/// The claims of an ID token that was verified.
fn payload(token: &CoreIdToken) -> Result<serde_json::Value, String> {
    let text = token.to_string();
    let bytes = text.split('.').nth(1).and_then(|part| URL_SAFE_NO_PAD.decode(part).ok());
    bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok()).ok_or_else(|| "its ID token is no JSON".to_owned())
}

/// Why the provider could not be asked.
#[derive(Debug, thiserror::Error)]
enum HttpFault {
    #[error("{0}")]
    Request(#[from] reqwest::Error),
    #[error("{0}")]
    Answer(#[from] http::Error),
    #[error("the answer is larger than {MAX_ANSWER} bytes")]
    TooLarge,
}

/// Sends a request of `openidconnect` with our own client.
async fn send(client: reqwest::Client, request: HttpRequest) -> Result<HttpResponse, HttpFault> {
    let mut answer = client.execute(request.try_into()?).await?;
    let mut built = http::Response::builder().status(answer.status());
    for (name, value) in answer.headers() {
        built = built.header(name, value);
    }
    let mut body = Vec::new();
    while let Some(piece) = answer.chunk().await? {
        body.extend_from_slice(&piece);
        if body.len() > MAX_ANSWER {
            return Err(HttpFault::TooLarge);
        }
    }
    Ok(built.body(body)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_return_address_is_a_path_of_this_server() {
        for own in ["/", "/#/job/completed/1", "/docs/?a=b", "/a//b"] {
            assert_eq!(own_path(own), own);
        }
        for other in
            ["", "//evil.example", "/\\evil.example", "https://evil.example", "javascript:alert(1)", "/a\r\nSet-Cookie: x", "/ä", "a"]
        {
            assert_eq!(own_path(other), "/", "{other}");
        }
    }
}
