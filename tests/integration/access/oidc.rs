//! Sign-in in the browser: against a provider within the test, with the test as the browser.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::http::{Request, StatusCode};
use axum::routing::{get, post};
use historyserver::access::Authentication;
use historyserver::access::authentication::{Method, OidcOptions, SecurityOptions};
use historyserver::api::ApiOptions;
use historyserver::clock::{Clock, Timestamp};
use jsonwebtoken::Algorithm;
use openidconnect::{PkceCodeChallenge, PkceCodeVerifier};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use url::Url;

use super::{NOW, Pair, jwks};
use crate::support::world::{Answer, World, WorldOptions, fixtures};

/// A body with its type.
type InJson = ([(&'static str, &'static str); 1], String);

fn in_json(value: &Value) -> InJson {
    ([("content-type", "application/json")], value.to_string())
}

/// What the provider knows and answers.
struct Provider {
    issuer: String,
    keys: Pair,
    /// Challenge and nonce by code.
    codes: Mutex<HashMap<String, (String, String)>>,
    /// Members of the next ID token that differ.
    changes: Mutex<Value>,
    /// Whether refresh tokens are still accepted.
    signed_in: Mutex<bool>,
    refreshed: Mutex<u32>,
}

impl Provider {
    async fn start() -> Arc<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let provider = Arc::new(Self {
            issuer: format!("http://{}", listener.local_addr().unwrap()),
            keys: Pair::new("op", Algorithm::RS256),
            codes: Mutex::default(),
            changes: Mutex::new(json!({})),
            signed_in: Mutex::new(true),
            refreshed: Mutex::default(),
        });
        let routes = Router::new()
            .route("/.well-known/openid-configuration", get(async |State(provider): State<Arc<Self>>| in_json(&provider.metadata())))
            .route(
                "/jwks",
                get(async |State(provider): State<Arc<Self>>| in_json(&serde_json::from_str(&jwks(&[&provider.keys])).unwrap())),
            )
            .route("/token", post(async |State(provider): State<Arc<Self>>, form: String| provider.token(&form)))
            .with_state(Arc::clone(&provider));
        // It ends with the runtime of the test.
        tokio::spawn(async move { axum::serve(listener, routes).await });
        provider
    }

    fn metadata(&self) -> Value {
        let at = |path: &str| format!("{}/{path}", self.issuer);
        json!({
            "issuer": self.issuer, "authorization_endpoint": at("authorize"), "token_endpoint": at("token"), "jwks_uri": at("jwks"),
            "end_session_endpoint": at("end"), "response_types_supported": ["code"], "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256"],
        })
    }

    fn token(&self, form: &str) -> (StatusCode, InJson) {
        let form: HashMap<String, String> = url::form_urlencoded::parse(form.as_bytes()).into_owned().collect();
        let refused = || (StatusCode::BAD_REQUEST, in_json(&json!({ "error": "invalid_grant" })));
        let nonce = match form["grant_type"].as_str() {
            "authorization_code" => {
                let Some((challenge, nonce)) = self.codes.lock().unwrap().remove(&form["code"]) else { return refused() };
                let verifier = PkceCodeVerifier::new(form["code_verifier"].clone());
                if PkceCodeChallenge::from_code_verifier_sha256(&verifier).as_str() != challenge {
                    return refused();
                }
                Some(nonce)
            }
            _ if *self.signed_in.lock().unwrap() => {
                *self.refreshed.lock().unwrap() += 1;
                None
            }
            _ => return refused(),
        };
        let mut claims =
            json!({ "iss": self.issuer, "aud": "historyserver", "sub": "alice", "groups": ["team-a"], "iat": NOW, "exp": NOW + 600 });
        if let Some(nonce) = nonce {
            claims["nonce"] = nonce.into();
        }
        for (name, value) in self.changes.lock().unwrap().as_object().unwrap() {
            claims[name] = value.clone();
        }
        let token = self.keys.sign(&claims);
        (StatusCode::OK, in_json(&json!({ "access_token": "a", "token_type": "Bearer", "id_token": token, "refresh_token": "r" })))
    }
}

/// A server whose users sign in at a provider; browsers see it at `https://flink.example/history/`.
struct Place {
    world: World,
    provider: Arc<Provider>,
    folder: tempfile::TempDir,
}

impl Place {
    async fn new() -> Self {
        let provider = Provider::start().await;
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("cookie.key"), "k".repeat(64)).unwrap();
        let world = world(&provider, folder.path(), "cookie.key").await;
        Self { world, provider, folder }
    }

    async fn get(&self, path: &str, cookie: &str) -> Answer {
        let request = Request::get(path).header("cookie", cookie).header("accept", "text/html").body(Body::empty()).unwrap();
        self.world.request(request).await
    }

    /// Begins a sign-in. Returns the parameters at the provider and the cookie.
    async fn begin(&self, back: &str) -> (HashMap<String, String>, String) {
        let back: String = url::form_urlencoded::byte_serialize(back.as_bytes()).collect();
        let answer = self.get(&format!("/auth/login?return={back}"), "").await;
        assert_eq!(answer.status, 303, "{}", answer.text());
        let location = Url::parse(answer.headers["location"].to_str().unwrap()).unwrap();
        assert!(location.as_str().starts_with(&format!("{}/authorize?", self.provider.issuer)));
        (location.query_pairs().into_owned().collect(), cookie(&answer, 0))
    }

    /// The provider signs the user in and sends the browser back.
    async fn finish(&self, asked: &HashMap<String, String>, cookie: &str) -> Answer {
        let code = (asked["code_challenge"].clone(), asked["nonce"].clone());
        self.provider.codes.lock().unwrap().insert("code-1".to_owned(), code);
        self.get(&format!("/auth/callback?code=code-1&state={}", asked["state"]), cookie).await
    }

    /// A whole sign-in. Returns the cookie of the session.
    async fn sign_in(&self) -> String {
        let (asked, begun) = self.begin("/").await;
        let answer = self.finish(&asked, &begun).await;
        assert_eq!(answer.status, 303, "{}", answer.text());
        cookie(&answer, 0)
    }

    async fn status(&self, cookie: &str) -> u16 {
        let request = Request::get("/jobs/overview").header("cookie", cookie).body(Body::empty()).unwrap();
        self.world.request(request).await.status.as_u16()
    }
}

async fn world(provider: &Provider, folder: &std::path::Path, key: &str) -> World {
    let options = SecurityOptions {
        methods: vec![Method::Oidc],
        oidc: Some(OidcOptions {
            issuer: provider.issuer.clone(),
            client_id: "historyserver".to_owned(),
            client_secret: None,
            scopes: vec!["profile".to_owned()],
            external_url: "https://flink.example/history/".parse().unwrap(),
            key_file: folder.join(key),
            session: Duration::from_hours(12),
        }),
        claims: historyserver::access::authentication::ClaimNames::default(),
        ..SecurityOptions::default()
    };
    let clock = Clock::manual(Timestamp::from_millis(NOW * 1000));
    let authentication = Authentication::open(&options, &clock).unwrap();
    let api = ApiOptions { authentication, ..ApiOptions::default() };
    let mut world = World::over(
        &[&fixtures("flink-2.3.0")],
        &folder.join(format!("data-{key}")),
        WorldOptions { clock, api, ..WorldOptions::default() },
    );
    world.full_scan().await;
    world
}

/// Name and value of a cookie that an answer sets.
fn cookie(answer: &Answer, number: usize) -> String {
    let set = answer.headers.get_all("set-cookie").iter().nth(number).unwrap().to_str().unwrap();
    set.split(';').next().unwrap().to_owned()
}

#[tokio::test]
async fn a_browser_signs_in_and_comes_back_to_the_page_it_came_for() {
    let place = Place::new().await;
    let answer = place.get("/docs/?x=1", "").await;
    assert_eq!(
        (answer.status, &answer.headers["location"]),
        (StatusCode::SEE_OTHER, &"/history/auth/sign-in?return=%2Fdocs%2F%3Fx%3D1".parse().unwrap())
    );
    assert_eq!(place.status("").await, 401, "a program is not redirected");
    assert!(place.get("/auth/sign-in?return=/", "").await.text().contains("sign-in.js"));
    assert!(place.get("/auth/sign-in.js", "").await.text().contains("location.hash"));
    let (asked, begun) = place.begin("/#/job/completed/1").await;
    assert_eq!((asked["code_challenge_method"].as_str(), asked["response_type"].as_str()), ("S256", "code"));
    assert_eq!(asked["redirect_uri"], "https://flink.example/history/auth/callback");
    assert!(asked["scope"].contains("openid") && asked["scope"].contains("profile"));
    let answer = place.finish(&asked, &begun).await;
    assert_eq!(
        (answer.status, &answer.headers["location"]),
        (StatusCode::SEE_OTHER, &"/history/#/job/completed/1".parse().unwrap()),
        "{}",
        answer.text()
    );
    let set = answer.headers["set-cookie"].to_str().unwrap().to_owned();
    for attribute in ["HttpOnly", "SameSite=Lax", "Secure", "Path=/history/", "Max-Age=43200"] {
        assert!(set.contains(attribute), "{attribute}: {set}");
    }
    assert!(!set.contains("alice") && !set.contains("team-a"), "it is encrypted");
    assert_eq!(place.status(&cookie(&answer, 0)).await, 200);
}

#[tokio::test]
async fn a_sign_in_that_was_not_begun_here_or_is_altered_is_refused() {
    let place = Place::new().await;
    let (asked, begun) = place.begin("/").await;
    let (_, other) = place.begin("/").await;
    assert_eq!(place.finish(&asked, "").await.status, 403, "no cookie");
    assert_eq!(place.finish(&asked, &other).await.status, 403, "the cookie of another sign-in");
    assert_eq!(place.get("/auth/callback?code=code-1&state=x", &begun).await.status, 403, "another state");
    assert_eq!(place.get(&format!("/auth/callback?error=access_denied&state={}", asked["state"]), &begun).await.status, 403);
    for changes in [
        json!({ "nonce": "x" }),
        json!({ "aud": "other" }),
        json!({ "iss": "https://other.example" }),
        json!({ "exp": NOW - 10 }),
        json!({ "sub": "" }),
    ] {
        *place.provider.changes.lock().unwrap() = changes.clone();
        let (asked, begun) = place.begin("/").await;
        assert_eq!(place.finish(&asked, &begun).await.status, 403, "{changes}");
    }
    *place.provider.changes.lock().unwrap() = json!({});
    let (asked, begun) = place.begin("/").await;
    let wrong = HashMap::from([("code_challenge".to_owned(), "x".to_owned())])
        .into_iter()
        .chain(asked.clone().into_iter().filter(|(key, _)| key != "code_challenge"));
    assert_eq!(place.finish(&wrong.collect(), &begun).await.status, 403, "another verifier");
    place.world.advance(Duration::from_mins(10));
    assert_eq!(place.finish(&asked, &begun).await.status, 403, "too late");
}

#[tokio::test]
async fn no_sign_in_leads_to_another_server() {
    let place = Place::new().await;
    for back in ["//evil.example", "https://evil.example/", "/\\evil.example", "javascript:alert(1)", "/a\r\nx: y"] {
        let (asked, begun) = place.begin(back).await;
        assert_eq!(place.finish(&asked, &begun).await.headers["location"], "/history/", "{back}");
    }
}

#[tokio::test]
async fn a_session_ends_when_it_is_altered_of_another_key_signed_out_or_old() {
    let place = Place::new().await;
    let session = place.sign_in().await;
    assert_eq!(place.status(&session).await, 200);
    let altered = format!("{}{}", &session[..session.len() - 6], "AAAAA=");
    assert_eq!(place.status(&altered).await, 401);
    assert_eq!(place.status("historyserver-session=x").await, 401);
    std::fs::write(place.folder.path().join("other.key"), "o".repeat(64)).unwrap();
    let other = world(&place.provider, place.folder.path(), "other.key").await;
    let request = Request::get("/jobs/overview").header("cookie", &session).body(Body::empty()).unwrap();
    assert_eq!(other.request(request).await.status, 401);
    let sign_out = async |origin: &str, kind: &str| {
        let request = Request::post("/auth/logout").header("cookie", &session).header("origin", origin).header("content-type", kind);
        place.world.request(request.body(Body::from("{}")).unwrap()).await
    };
    assert_eq!(sign_out("https://evil.example", "application/json").await.status, 403);
    assert_eq!(sign_out("https://flink.example", "text/plain").await.status, 403);
    assert_eq!(place.get("/auth/logout", &session).await.status, 405);
    assert_eq!(place.status(&session).await, 200);
    let answer = sign_out("https://flink.example", "application/json").await;
    assert_eq!(answer.status, 200);
    assert!(answer.headers["set-cookie"].to_str().unwrap().contains("Max-Age=0"));
    assert!(answer.json()["location"].as_str().unwrap().starts_with(&format!("{}/end?", place.provider.issuer)));
    assert_eq!(place.status(&session).await, 401, "a copy of the cookie ends, too");
    let session = place.sign_in().await;
    place.world.advance(Duration::from_hours(12));
    assert_eq!(place.status(&session).await, 401);
}

#[tokio::test]
async fn an_old_statement_of_the_provider_is_renewed_and_ends_with_the_user() {
    let place = Place::new().await;
    let session = place.sign_in().await;
    place.world.advance(Duration::from_secs(599));
    assert_eq!(place.status(&session).await, 200);
    assert_eq!(*place.provider.refreshed.lock().unwrap(), 0);
    place.world.advance(Duration::from_secs(2));
    *place.provider.changes.lock().unwrap() = json!({ "exp": NOW + 1200 });
    let answer = place.get("/jobs/overview", &session).await;
    assert_eq!(answer.status, 200);
    let renewed = cookie(&answer, 0);
    assert_eq!(place.status(&session).await, 200, "a request that was under way with the old cookie");
    assert_eq!(place.status(&renewed).await, 200);
    assert_eq!(*place.provider.refreshed.lock().unwrap(), 1);
    *place.provider.signed_in.lock().unwrap() = false;
    place.world.advance(Duration::from_mins(10));
    assert_eq!(place.status(&renewed).await, 401);
}
