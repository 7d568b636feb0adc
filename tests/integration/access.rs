//! Who asks: sign-in by tokens and by a proxy, over HTTP, with every way in which a token or a header can be wrong.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::{Request, StatusCode};
use axum::routing::get;
use base64::Engine as _;
use base64::engine::general_purpose::{URL_SAFE, URL_SAFE_NO_PAD};
use historyserver::access::authentication::{ClaimNames, JwtOptions, KeySource, Method, ProxyOptions, SecurityOptions, create_token};
use historyserver::access::{Authentication, Peer};
use historyserver::api::ApiOptions;
use historyserver::clock::{Clock, Timestamp};
use jsonwebtoken::jwk::{Jwk, JwkSet};
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::support::process::{PATIENCE, Process, command};
use crate::support::world::{Answer, World, WorldOptions, fixtures};

mod oidc;

/// The time of all clocks here, in seconds.
const NOW: i64 = 2_000_000_000;

const ISSUER: &str = "https://issuer.example";
const AUDIENCE: &str = "historyserver";

/// A key pair of an issuer.
struct Pair {
    id: &'static str,
    algorithm: Algorithm,
    private: EncodingKey,
    public_pem: String,
}

impl Pair {
    /// Made by openssl, as users make them.
    fn new(id: &'static str, algorithm: Algorithm) -> Self {
        let openssl = |arguments: &[&str], input: &[u8]| {
            use std::io::Write as _;
            use std::process::{Command, Stdio};
            let mut child =
                Command::new("openssl").args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
            child.stdin.take().unwrap().write_all(input).unwrap();
            let output = child.wait_with_output().unwrap();
            assert!(output.status.success(), "openssl {arguments:?}");
            output.stdout
        };
        let kind: &[&str] = match algorithm {
            Algorithm::ES256 => &["genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"],
            Algorithm::EdDSA => &["genpkey", "-algorithm", "ED25519"],
            _ => &["genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"],
        };
        let pem = openssl(kind, b"");
        let public_pem = String::from_utf8(openssl(&["pkey", "-pubout"], &pem)).unwrap();
        let private = match algorithm {
            Algorithm::ES256 => EncodingKey::from_ec_pem(&pem),
            Algorithm::EdDSA => EncodingKey::from_ed_pem(&pem),
            _ => EncodingKey::from_rsa_pem(&pem),
        };
        Self { id, algorithm, private: private.unwrap(), public_pem }
    }

    fn sign(&self, claims: &Value) -> String {
        let mut header = Header::new(self.algorithm);
        header.kid = Some(self.id.to_owned());
        encode(&header, claims, &self.private).unwrap()
    }
}

fn jwks(pairs: &[&Pair]) -> String {
    let keys = pairs
        .iter()
        .map(|pair| {
            let mut jwk = Jwk::from_encoding_key(&pair.private, pair.algorithm).unwrap();
            jwk.common.key_id = Some(pair.id.to_owned());
            jwk
        })
        .collect();
    serde_json::to_string(&JwkSet { keys }).unwrap()
}

/// Claims of a valid token, with some replaced; null removes one.
fn claims(changes: &Value) -> Value {
    let mut claims = json!({ "iss": ISSUER, "aud": AUDIENCE, "sub": "alice", "groups": ["team-a"], "exp": NOW + 600 });
    for (name, value) in changes.as_object().unwrap() {
        if value.is_null() {
            claims.as_object_mut().unwrap().remove(name);
        } else {
            claims[name] = value.clone();
        }
    }
    claims
}

fn jwt(keys: KeySource) -> JwtOptions {
    JwtOptions {
        keys,
        issuer: ISSUER.to_owned(),
        audience: vec![AUDIENCE.to_owned()],
        algorithms: vec![Algorithm::RS256, Algorithm::ES256, Algorithm::EdDSA],
    }
}

/// A server with these options.
struct Place {
    world: World,
    authentication: Arc<Authentication>,
    _data: tempfile::TempDir,
}

impl Place {
    async fn new(options: SecurityOptions) -> Self {
        let data = tempfile::tempdir().unwrap();
        let clock = Clock::manual(Timestamp::from_millis(NOW * 1000));
        let authentication = Authentication::open(&options, &clock).unwrap().unwrap();
        let api = ApiOptions { authentication: Some(Arc::clone(&authentication)), ..ApiOptions::default() };
        let options = WorldOptions { clock, api, ..WorldOptions::default() };
        let mut world = World::over(&[&fixtures("flink-2.3.0")], data.path(), options);
        world.full_scan().await;
        Self { world, authentication, _data: data }
    }

    async fn bearer(file: &std::path::Path) -> Self {
        Self::new(SecurityOptions {
            methods: vec![Method::Bearer],
            bearer_token: Some(jwt(KeySource::File(file.to_owned()))),
            ..SecurityOptions::default()
        })
        .await
    }

    async fn ask(&self, path: &str, from: &str, headers: &[(&str, &str)]) -> Answer {
        let mut request = Request::get(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let mut request = request.body(Body::empty()).unwrap();
        request.extensions_mut().insert(Peer { address: from.parse::<IpAddr>().unwrap(), certificate: None });
        self.world.request(request).await
    }

    /// The status of a list for a token.
    async fn status(&self, token: &str) -> u16 {
        // From many addresses, so that failures of one do not count for another.
        static ADDRESS: AtomicU64 = AtomicU64::new(1);
        let from = format!("2001:db8:0:{:x}::1", ADDRESS.fetch_add(1, Ordering::SeqCst));
        self.ask("/jobs/overview", &from, &[("authorization", &format!("Bearer {token}"))]).await.status.as_u16()
    }
}

#[tokio::test]
async fn signed_tokens_are_taken_only_as_configured() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("jwks.json");
    let (ec, rsa, ed, other) = (
        Pair::new("ec", Algorithm::ES256),
        Pair::new("rsa", Algorithm::RS256),
        Pair::new("ed", Algorithm::EdDSA),
        Pair::new("ec", Algorithm::ES256),
    );
    std::fs::write(&file, jwks(&[&ec, &rsa, &ed])).unwrap();
    let place = Place::bearer(&file).await;
    for pair in [&ec, &rsa, &ed] {
        assert_eq!(place.status(&pair.sign(&claims(&json!({})))).await, 200, "{}", pair.id);
    }
    for (accepted, changes) in [
        (true, json!({ "aud": ["other", AUDIENCE] })),
        (true, json!({ "nbf": NOW })),
        (true, json!({ "exp": NOW - 30 })),
        (true, json!({ "groups": null })),
        (false, json!({ "exp": NOW - 61 })),
        (false, json!({ "exp": null })),
        (false, json!({ "exp": "soon" })),
        (false, json!({ "nbf": NOW + 61 })),
        (false, json!({ "aud": "other" })),
        (false, json!({ "aud": null })),
        (false, json!({ "aud": [] })),
        (false, json!({ "iss": "https://other.example" })),
        (false, json!({ "iss": null })),
        (false, json!({ "iss": [ISSUER] })),
        (false, json!({ "sub": null })),
        (false, json!({ "sub": "" })),
        (false, json!({ "sub": "a\nb" })),
        (false, json!({ "sub": 7 })),
    ] {
        let status = place.status(&ec.sign(&claims(&changes))).await;
        assert_eq!(status, if accepted { 200 } else { 401 }, "{changes}");
    }
    let valid = claims(&json!({}));
    assert_eq!(place.status(&other.sign(&valid)).await, 401, "another key with the same id");
    let token = ec.sign(&valid);
    let parts: Vec<&str> = token.split('.').collect();
    let header = |header: Value| URL_SAFE_NO_PAD.encode(header.to_string());
    // Unsigned, in all spellings.
    for alg in ["none", "None", "NONE", ""] {
        assert_eq!(place.status(&format!("{}.{}.", header(json!({ "alg": alg })), parts[1])).await, 401, "{alg}");
    }
    // Key confusion: the public key as a shared secret.
    for secret in [rsa.public_pem.as_bytes(), rsa.public_pem.trim().as_bytes()] {
        let mut head = Header::new(Algorithm::HS256);
        head.kid = Some("rsa".to_owned());
        assert_eq!(place.status(&encode(&head, &valid, &EncodingKey::from_secret(secret)).unwrap()).await, 401);
    }
    // The algorithm of another kind of key.
    for (alg, kid) in [("ES256", "rsa"), ("RS256", "ec"), ("EdDSA", "ec"), ("RS512", "rsa")] {
        assert_eq!(place.status(&format!("{}.{}.{}", header(json!({ "alg": alg, "kid": kid })), parts[1], parts[2])).await, 401);
    }
    // A key that the token brings along, and extensions.
    let own = json!({ "alg": "ES256", "kid": "own", "jwk": serde_json::from_str::<Value>(&jwks(&[&other])).unwrap()["keys"][0] });
    let mut head: Header = serde_json::from_value(own).unwrap();
    assert_eq!(place.status(&encode(&head, &valid, &other.private).unwrap()).await, 401);
    head = Header { kid: Some("ec".to_owned()), crit: Some(vec!["exp".to_owned()]), ..Header::new(Algorithm::ES256) };
    assert_eq!(place.status(&encode(&head, &valid, &ec.private).unwrap()).await, 401);
    // Altered, cut, huge, not JSON, not a token.
    let huge = ec.sign(&claims(&json!({ "padding": "x".repeat(20_000) })));
    let not_json = format!("{}.{}.{}", parts[0], URL_SAFE_NO_PAD.encode("not JSON"), parts[2]);
    let altered = format!("{}.{}.{}", parts[0], URL_SAFE_NO_PAD.encode(claims(&json!({ "sub": "root" })).to_string()), parts[2]);
    let short = &token[..token.len() - 2];
    for wrong in [huge.as_str(), &not_json, &altered, short, "", ".", "..", "...", "a.b.c", "fhs_a_b", &format!("{token}.x")] {
        assert_eq!(place.status(wrong).await, 401, "{}", &wrong[..wrong.len().min(40)]);
    }
}

#[tokio::test]
async fn a_refusal_says_what_to_do_and_never_why_and_probes_stay_open() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("jwks.json");
    let pair = Pair::new("ec", Algorithm::ES256);
    std::fs::write(&file, jwks(&[&pair])).unwrap();
    let place = Place::bearer(&file).await;
    for path in
        ["/", "/jobs/overview", "/v1/jobs/overview", "/api/v1/jobs", "/api/v1/openapi.json", "/docs/", "/config", "/nothing", "/metrics"]
    {
        let answer = place.ask(path, "192.0.2.1", &[]).await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{path}");
        assert_eq!(answer.headers["www-authenticate"], "Bearer realm=\"historyserver\"");
        assert!(answer.json()["errors"][0].as_str().unwrap().contains("Authorization: Bearer"));
    }
    for path in ["/healthz", "/readyz"] {
        assert_eq!(place.ask(path, "192.0.2.1", &[]).await.status, StatusCode::OK, "{path}");
    }
    let expired = format!("Bearer {}", pair.sign(&claims(&json!({ "exp": NOW - 1000 }))));
    let text = place.ask("/jobs/overview", "192.0.2.1", &[("authorization", &expired)]).await.text();
    assert!(!text.contains("expired") && !text.contains("alice"), "{text}");
    let token = format!("Bearer {}", pair.sign(&claims(&json!({}))));
    let answer = place.ask("/jobs/overview", "192.0.2.1", &[("authorization", &token)]).await;
    assert_eq!(answer.headers["cache-control"], "private, no-cache");
    assert_eq!(place.ask("/metrics", "192.0.2.1", &[("authorization", &token)]).await.status, StatusCode::OK);
}

#[tokio::test]
async fn keys_are_rotated_without_a_restart_and_unknown_ids_do_not_flood_the_issuer() {
    let requests = Arc::new(AtomicU64::new(0));
    let (old, new) = (Pair::new("old", Algorithm::ES256), Pair::new("new", Algorithm::ES256));
    let current = Arc::new(std::sync::Mutex::new(jwks(&[&old])));
    let (counted, served) = (Arc::clone(&requests), Arc::clone(&current));
    let issuer = Router::new().route(
        "/keys",
        get(move || {
            counted.fetch_add(1, Ordering::SeqCst);
            std::future::ready(served.lock().unwrap().clone())
        }),
    );
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/keys", listener.local_addr().unwrap());
    let serving = tokio::spawn(async move { axum::serve(listener, issuer).await });
    let place = Place::new(SecurityOptions {
        methods: vec![Method::Bearer],
        bearer_token: Some(jwt(KeySource::Url(url))),
        ..SecurityOptions::default()
    })
    .await;
    let valid = claims(&json!({}));
    assert_eq!(place.status(&old.sign(&valid)).await, 200);
    *current.lock().unwrap() = jwks(&[&new]);
    for _ in 0..20 {
        assert_eq!(place.status(&new.sign(&valid)).await, 401, "the keys were requested a moment ago");
    }
    assert_eq!(requests.load(Ordering::SeqCst), 1);
    place.world.advance(Duration::from_secs(10));
    assert_eq!(place.status(&new.sign(&valid)).await, 200);
    assert_eq!(place.status(&old.sign(&valid)).await, 401, "the old key was withdrawn");
    assert_eq!(requests.load(Ordering::SeqCst), 2);
    // Withdrawn keys end also when no unknown id is asked for; keys stay when the issuer is down.
    *current.lock().unwrap() = jwks(&[&old]);
    place.world.advance(Duration::from_mins(15));
    place.authentication.refresh().await;
    let later = claims(&json!({ "exp": NOW + 3600 }));
    assert_eq!(place.status(&new.sign(&later)).await, 401);
    assert_eq!(place.status(&old.sign(&later)).await, 200);
    serving.abort();
    assert!(serving.await.unwrap_err().is_cancelled());
    place.world.advance(Duration::from_mins(15));
    place.authentication.refresh().await;
    assert_eq!(place.status(&old.sign(&later)).await, 200);
}

/// A place behind the proxy 10.0.0.1.
async fn behind_proxy() -> Place {
    Place::new(SecurityOptions {
        methods: vec![Method::Proxy],
        proxy: ProxyOptions { trusted: vec!["10.0.0.0/24".parse().unwrap()], ..ProxyOptions::default() },
        ..SecurityOptions::default()
    })
    .await
}

#[tokio::test]
async fn headers_of_users_are_believed_from_the_proxy_alone() {
    let place = behind_proxy().await;
    let status = async |from: &str, headers: &[(&str, &str)]| place.ask("/jobs/overview", from, headers).await.status.as_u16();
    for name in ["x-auth-request-user", "x-forwarded-user"] {
        assert_eq!(status("10.0.0.1", &[(name, "alice")]).await, 200);
        assert_eq!(status("::ffff:10.0.0.1", &[(name, "alice")]).await, 200);
        assert_eq!(status("10.0.1.1", &[(name, "alice")]).await, 401);
        assert_eq!(status("127.0.0.1", &[(name, "alice")]).await, 401);
        assert_eq!(status("127.0.0.1", &[(name, "alice"), ("x-forwarded-for", "10.0.0.1")]).await, 401);
    }
    assert_eq!(status("10.0.0.1", &[]).await, 401);
    assert_eq!(status("10.0.0.1", &[("x-auth-request-user", "")]).await, 401);
    assert_eq!(
        status("10.0.0.1", &[("x-auth-request-user", "mallory"), ("x-auth-request-user", "alice")]).await,
        401,
        "one is the client's own"
    );
    assert_eq!(
        status("10.0.0.1", &[("x-auth-request-user", "alice"), ("x-auth-request-groups", "a"), ("x-auth-request-groups", "b")]).await,
        401
    );
    assert_eq!(status("10.0.0.1", &[("x-auth-request-user", &"x".repeat(300))]).await, 401);
    assert_eq!(status("10.0.0.1", &[("authorization", "Basic YTpi")]).await, 401);
}

#[tokio::test]
async fn tokens_of_load_balancers_are_padded_and_have_an_address_per_key() {
    let pair = Pair::new("8c5a1b2e-0001", Algorithm::ES256);
    let pem = pair.public_pem.clone();
    let issuer = Router::new().route("/8c5a1b2e-0001", get(move || std::future::ready(pem.clone())));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/{{kid}}", listener.local_addr().unwrap());
    let serving = tokio::spawn(async move { axum::serve(listener, issuer).await });
    let arn = "arn:aws:elasticloadbalancing:eu-central-1:123456789012:loadbalancer/app/flink/1";
    let place = Place::new(SecurityOptions {
        methods: vec![Method::Proxy],
        proxy: ProxyOptions { token_header: Some("x-amzn-oidc-data".parse().unwrap()), ..ProxyOptions::default() },
        proxy_token: Some(JwtOptions { audience: vec![arn.to_owned()], ..jwt(KeySource::PerKey(url)) }),
        claims: ClaimNames { user: "email".to_owned(), ..ClaimNames::default() },
        ..SecurityOptions::default()
    })
    .await;
    let token = |kid: &str, signer: &str, expires: i64| {
        let part = |value: Value| URL_SAFE.encode(value.to_string());
        let head = json!({ "typ": "JWT", "kid": kid, "alg": "ES256", "iss": ISSUER, "client": "c", "signer": signer, "exp": expires });
        let signed = format!("{}.{}", part(head), part(json!({ "sub": "1234", "email": "alice@example.org" })));
        let signature = jsonwebtoken::crypto::sign(signed.as_bytes(), &pair.private, Algorithm::ES256).unwrap();
        format!("{signed}.{signature}==")
    };
    let status = async |token: &str| place.ask("/jobs/overview", "192.0.2.1", &[("x-amzn-oidc-data", token)]).await.status.as_u16();
    let valid = token(pair.id, arn, NOW + 100);
    assert!(valid.contains('='), "as load balancers write it");
    assert_eq!(status(&valid).await, 200);
    assert_eq!(status(&token(pair.id, "arn:of:another", NOW + 100)).await, 401);
    assert_eq!(status(&token(pair.id, arn, NOW - 100)).await, 401);
    assert_eq!(status(&token("../../etc/passwd", arn, NOW + 100)).await, 401);
    assert_eq!(status(&token("unknown", arn, NOW + 100)).await, 401);
    serving.abort();
    assert!(serving.await.unwrap_err().is_cancelled());
}

#[tokio::test]
async fn many_failures_make_an_address_wait_and_valid_tokens_in_use_go_on() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("tokens.toml");
    let token = create_token(&file, "grafana", &[], None).unwrap();
    let place = Place::new(SecurityOptions { methods: vec![Method::Bearer], tokens_file: Some(file), ..SecurityOptions::default() }).await;
    let ask = async |from: &str, token: &str| place.ask("/jobs/overview", from, &[("authorization", &format!("Bearer {token}"))]).await;
    assert_eq!(ask("192.0.2.1", &token).await.status, 200);
    for _ in 0..20 {
        assert_eq!(ask("192.0.2.1", "wrong").await.status, 401);
    }
    let blocked = ask("192.0.2.1", "wrong").await;
    assert_eq!(blocked.status, 429);
    assert_eq!(blocked.headers["retry-after"], "60");
    assert_eq!(ask("192.0.2.1", &token).await.status, 200, "known already");
    assert_eq!(ask("192.0.2.2", "wrong").await.status, 401);
    assert_eq!(place.ask("/healthz", "192.0.2.1", &[("authorization", "Bearer wrong")]).await.status, 200);
    place.world.advance(Duration::from_mins(1));
    assert_eq!(ask("192.0.2.1", "wrong").await.status, 401);
}

#[tokio::test]
async fn a_server_with_a_token_file_serves_its_clients_and_writes_an_audit_log() {
    let folder = tempfile::tempdir().unwrap();
    let (data, file) = (folder.path().join("data"), folder.path().join("tokens.toml"));
    let create = |name: &str| {
        let output = std::process::Command::new(env!("CARGO_BIN_EXE_historyserver"))
            .args(["token", "create", name, "--expires", "90d", "--right", "view", "--file"])
            .arg(&file)
            .output()
            .unwrap();
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    };
    let token = create("grafana");
    let options = [
        "historyserver.web.address=0.0.0.0",
        "historyserver.security.authentication=bearer",
        &format!("historyserver.security.bearer.file={}", file.display()),
        "historyserver.log.format=json",
        "historyserver.log.level=error,historyserver::server=info",
    ];
    let server = Process::start(&[&fixtures("flink-2.3.0")], &data, &options);
    // The line of the log is JSON here.
    let base = server.base.split('"').next().unwrap().replace("0.0.0.0", "127.0.0.1");
    let ask = async |token: &str| server.client.get(format!("{base}/jobs/overview")).bearer_auth(token).send().await.unwrap().status();
    assert_eq!(ask(&token).await, 200);
    assert_eq!(ask("fhs_unknown_secretive").await, 401);
    assert_eq!(server.client.get(format!("{base}/metrics")).send().await.unwrap().status(), 401);
    let line = server.wait_for_log("a sign-in was refused");
    let entry: Value = serde_json::from_str(&line).unwrap();
    assert_eq!((&entry["target"], &entry["client"], &entry["result"]), (&json!("audit"), &json!("127.0.0.1"), &json!("refused")));
    // The token has no right to refresh.
    let refresh = server.client.post(format!("{base}/api/v1/refresh")).bearer_auth(&token).json(&json!({})).send().await.unwrap();
    assert_eq!(refresh.status(), 403);
    let line = server.wait_for_log("an action was requested");
    let entry: Value = serde_json::from_str(&line).unwrap();
    assert_eq!((&entry["target"], &entry["action"], &entry["who"]), (&json!("audit"), &json!("/api/v1/refresh"), &json!("grafana")));
    assert_eq!((&entry["kind"], &entry["client"], &entry["result"]), (&json!("token"), &json!("127.0.0.1"), &json!("Forbidden")));
    // A token that is added while the server runs.
    let added = create("prometheus");
    let deadline = std::time::Instant::now() + PATIENCE;
    while ask(&added).await != 200 {
        assert!(std::time::Instant::now() < deadline, "the file was never read again: {}", server.log());
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    for secret in ["secretive", &token, &added] {
        assert!(!server.log().contains(secret));
    }
    // The commands of this program, signed in.
    let list = |token: Option<&str>| {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_historyserver"));
        command.args(["jobs", "list", "--server", &base]).env_remove("HISTORYSERVER_TOKEN");
        if let Some(token) = token {
            command.env("HISTORYSERVER_TOKEN", token);
        }
        command.output().unwrap()
    };
    assert!(list(Some(&token)).status.success());
    let refused = list(None);
    assert!(String::from_utf8_lossy(&refused.stderr).contains("Authorization: Bearer"), "{refused:?}");
}

/// Standard error of a server that does not start.
fn refused(options: &[&str]) -> (Option<i32>, String) {
    let folder = tempfile::tempdir().unwrap();
    let output = command(&[&fixtures("flink-2.3.0")], &folder.path().join("data"), options).output().unwrap();
    (output.status.code(), String::from_utf8(output.stderr).unwrap())
}

#[test]
fn a_server_that_other_machines_reach_needs_an_authentication_or_the_word_none() {
    for address in ["0.0.0.0", "[::]", "192.0.2.1"] {
        let (code, text) = refused(&[&format!("historyserver.web.address={address}")]);
        assert_eq!(code, Some(64), "{text}");
        for way in [
            "historyserver.security.authentication to proxy, bearer, oidc or tls",
            "127.0.0.1",
            "historyserver.security.authentication=none",
        ] {
            assert!(text.contains(way), "{address}: {text}");
        }
    }
    let folder = tempfile::tempdir().unwrap();
    let options = ["historyserver.web.address=0.0.0.0", "historyserver.security.authentication=none"];
    drop(Process::start(&[&fixtures("flink-2.3.0")], &folder.path().join("data"), &options));
}

#[test]
fn with_the_configuration_of_flink_an_open_server_starts_with_a_warning() {
    let folder = tempfile::tempdir().unwrap();
    let conf = folder.path().join("conf");
    std::fs::create_dir(&conf).unwrap();
    std::fs::write(conf.join("config.yaml"), "historyserver.web.address: 0.0.0.0\n").unwrap();
    let mut command = command(&[&fixtures("flink-2.3.0")], &folder.path().join("data"), &[]);
    command.arg("--config-dir").arg(&conf);
    let server = Process::spawn(command);
    let warning = server.wait_for_log("without authentication");
    assert!(warning.contains("WARN") && warning.contains("as Flink's does"), "{warning}");
}

#[test]
fn all_mistakes_of_the_section_are_reported_at_once() {
    let (code, text) = refused(&[
        "historyserver.security.authentication=proxy,bearer,tls,magic,none",
        "historyserver.security.trusted-proxies=10.0.0.0/40",
        "historyserver.security.proxy.user-headers=not a header",
        "historyserver.security.bearer.jwks=http://issuer.example/keys",
        "historyserver.security.bearer.algorithms=HS256,none",
    ]);
    assert_eq!(code, Some(64));
    for part in [
        "none cannot be combined",
        "\"magic\" is invalid",
        "proxy needs historyserver.security.trusted-proxies",
        "tls needs client certificates",
        "\"10.0.0.0/40\" is invalid",
        "\"not a header\" is invalid",
        "keys must come by https",
        "\"HS256\" is invalid",
        "\"none\" is invalid",
        "historyserver.security.bearer.issuer: is not set",
        "historyserver.security.bearer.audience: is not set",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
}
