//! `historyserver.security.*`: who may ask, and whether the server may listen beyond this machine.

use std::net::IpAddr;
use std::path::{Path, PathBuf};

use http::HeaderName;
use ipnet::IpNet;
use jsonwebtoken::Algorithm;
use openidconnect::ClientSecret;
use url::Url;

use super::options::{self, Spec};
use super::reader::Reader;
use super::sections::{SslConfig, WebConfig};
use super::settings::Environment;
use crate::access::authentication::{ClaimNames, JwtOptions, KeySource, Method, OidcOptions, ProxyOptions, SecurityOptions};

/// The word for no authentication.
const NONE: &str = "none";

/// Reads the section. `of_flink`: Flink's own configuration directory is read, whose server is open, too.
pub(super) fn read(
    reader: &Reader<'_>,
    environment: &Environment,
    web: &WebConfig,
    ssl: &SslConfig,
    of_flink: bool,
    warnings: &mut Vec<String>,
) -> SecurityOptions {
    let (methods, none) = methods(reader);
    let absolute = |path: &Path| environment.working_directory.join(path);
    let proxy_token = jwt(reader, &PROXY, environment);
    let bearer_token = jwt(reader, &BEARER, environment);
    let proxy = proxy(reader);
    let tokens_file = reader.path(&options::BEARER_FILE).map(|path| absolute(&path));
    if methods.contains(&Method::Proxy) && proxy.trusted.is_empty() && proxy.token_header.is_none() {
        let message = "proxy needs historyserver.security.trusted-proxies, the addresses of the proxy, or historyserver.security.proxy.jwt-header, \
                       the header with its signed token";
        reader.refuse(&options::AUTHENTICATION, message);
    }
    if methods.contains(&Method::Proxy) && proxy.token_header.is_some() != proxy_token.is_some() {
        reader.refuse(&options::PROXY_JWT_HEADER, "must be set together with historyserver.security.proxy.jwks");
    }
    if methods.contains(&Method::Bearer) && tokens_file.is_none() && bearer_token.is_none() {
        let message = "bearer needs historyserver.security.bearer.jwks, the keys of an issuer, or historyserver.security.bearer.file, a file made by \
                       `historyserver token create`";
        reader.refuse(&options::AUTHENTICATION, message);
    }
    let oidc = if methods.contains(&Method::Oidc) { oidc(reader, environment) } else { None };
    if methods.contains(&Method::Tls) && !(ssl.enabled && ssl.client_authentication) {
        let message = "tls needs client certificates: set historyserver.web.ssl.enabled and historyserver.web.ssl.client-ca";
        reader.refuse(&options::AUTHENTICATION, message);
    }
    let has_certificates = ssl.enabled && ssl.client_authentication;
    let closed = methods.is_empty() && !none && !has_certificates;
    if closed && !is_loopback(&web.address) {
        if of_flink {
            warnings.push(format!(
                "{} Flink's configuration directory is in use, so the server starts all the same, as Flink's does",
                refusal(&web.address)
            ));
        } else if !reader.is_set(&options::AUTHENTICATION) {
            reader.refuse(&options::WEB_ADDRESS, refusal(&web.address));
        }
    }
    SecurityOptions {
        may_be_open: !closed || of_flink,
        open_metrics: reader.is_set(&options::OPEN_METRICS).then(|| reader.switch(&options::OPEN_METRICS)),
        claims: ClaimNames {
            user: reader.text(&options::USER_CLAIM).unwrap_or_default(),
            groups: reader.text(&options::GROUPS_CLAIM).unwrap_or_default(),
        },
        methods,
        oidc,
        proxy,
        proxy_token,
        bearer_token,
        tokens_file,
    }
}

/// The sentence for a server that would be open to other machines.
pub(crate) fn refusal(address: &str) -> String {
    format!(
        "the server would listen on {address} without authentication: all clients that reach it could read job names, configurations and stack \
         traces. Choose one of three ways: set historyserver.security.authentication to proxy, bearer, oidc or tls; or set historyserver.web.address to \
         127.0.0.1; or write historyserver.security.authentication=none, if all clients may read everything."
    )
}

/// Whether only this machine reaches the address. A name is resolved when the server starts, and counts as such here.
fn is_loopback(address: &str) -> bool {
    address.split('%').next().unwrap_or_default().parse::<IpAddr>().map_or(true, |address| address.to_canonical().is_loopback())
}

/// The methods, and whether `none` is written out.
fn methods(reader: &Reader<'_>) -> (Vec<Method>, bool) {
    let spec = &options::AUTHENTICATION;
    let words = reader.items(spec, ',');
    let none = words.iter().any(|word| word.eq_ignore_ascii_case(NONE));
    if none && words.len() > 1 {
        reader.refuse(spec, "none cannot be combined with a method: remove one of them");
    }
    let mut methods = Vec::new();
    for word in words.iter().filter(|word| !word.eq_ignore_ascii_case(NONE)) {
        match word.parse::<Method>() {
            Ok(method) if methods.contains(&method) => {}
            Ok(method) => methods.push(method),
            Err(_unknown) => reader.refuse_value(spec, word, "the methods are none, proxy, bearer, oidc and tls"),
        }
    }
    (methods, none)
}

fn proxy(reader: &Reader<'_>) -> ProxyOptions {
    let header = |spec: &Spec, text: &str| -> Option<HeaderName> {
        let name = text.parse::<HeaderName>();
        if name.is_err() {
            reader.refuse_value(spec, text, "it is no name of a header");
        }
        name.ok()
    };
    let network = |text: &String| -> Option<IpNet> {
        let network = text.parse::<IpNet>().or_else(|_| text.parse::<IpAddr>().map(IpNet::from));
        if network.is_err() {
            reader.refuse_value(&options::TRUSTED_PROXIES, text, "it must be an address or a network such as 10.0.0.0/8");
        }
        network.ok()
    };
    let default = || HeaderName::from_static("x-auth-request-groups");
    ProxyOptions {
        trusted: reader.items(&options::TRUSTED_PROXIES, ',').iter().filter_map(network).collect(),
        user_headers: items(reader, &options::PROXY_USER_HEADERS)
            .iter()
            .filter_map(|text| header(&options::PROXY_USER_HEADERS, text))
            .collect(),
        groups_header: reader
            .text(&options::PROXY_GROUPS_HEADER)
            .and_then(|text| header(&options::PROXY_GROUPS_HEADER, &text))
            .unwrap_or_else(default),
        token_header: reader.text(&options::PROXY_JWT_HEADER).and_then(|text| header(&options::PROXY_JWT_HEADER, &text)),
    }
}

/// Sign-in in the browser. Each option that is missing is reported.
fn oidc(reader: &Reader<'_>, environment: &Environment) -> Option<OidcOptions> {
    let needed = |spec: &Spec| {
        if !reader.is_set(spec) {
            reader.refuse(spec, "is not set, but historyserver.security.authentication has oidc");
        }
        reader.text(spec)
    };
    let url = |spec: &Spec| -> Option<Url> {
        let text = needed(spec)?;
        let url = Url::parse(&text).ok().filter(|url| url.scheme() == "https" || (url.scheme() == "http" && is_this_machine(url)));
        if url.is_none() {
            reader.refuse_value(spec, &text, "it must be an https URL, or an http URL of this machine");
        }
        url
    };
    let (issuer, external_url) = (url(&options::OIDC_ISSUER), url(&options::EXTERNAL_URL));
    let (client_id, key_file) = (needed(&options::OIDC_CLIENT_ID), needed(&options::COOKIE_KEY_FILE));
    let mut external_url = external_url?;
    external_url.set_query(None);
    external_url.set_fragment(None);
    if !external_url.path().ends_with('/') {
        external_url.set_path(&format!("{}/", external_url.path()));
    }
    issuer?;
    Some(OidcOptions {
        // As written: issuers are compared letter by letter.
        issuer: reader.text(&options::OIDC_ISSUER)?,
        client_id: client_id?,
        client_secret: reader.secret(&options::OIDC_CLIENT_SECRET).map(|secret| ClientSecret::new(secret.reveal().trim().to_owned())),
        scopes: items(reader, &options::OIDC_SCOPES),
        external_url,
        key_file: environment.working_directory.join(key_file?),
        session: reader.duration(&options::OIDC_SESSION).unwrap_or_default(),
    })
}

fn is_this_machine(url: &Url) -> bool {
    url.host_str().is_some_and(|host| matches!(host, "localhost" | "127.0.0.1" | "[::1]"))
}

/// The options of signed tokens from one source.
struct JwtSpecs {
    keys: &'static Spec,
    issuer: &'static Spec,
    audience: &'static Spec,
    algorithms: &'static Spec,
}

const PROXY: JwtSpecs = JwtSpecs {
    keys: &options::PROXY_JWKS,
    issuer: &options::PROXY_ISSUER,
    audience: &options::PROXY_AUDIENCE,
    algorithms: &options::PROXY_ALGORITHMS,
};

const BEARER: JwtSpecs = JwtSpecs {
    keys: &options::BEARER_JWKS,
    issuer: &options::BEARER_ISSUER,
    audience: &options::BEARER_AUDIENCE,
    algorithms: &options::BEARER_ALGORITHMS,
};

/// Signed tokens, if their keys are configured.
fn jwt(reader: &Reader<'_>, specs: &JwtSpecs, environment: &Environment) -> Option<JwtOptions> {
    let text = reader.text(specs.keys)?;
    let keys = KeySource::parse(&text, |path| PathBuf::from(&environment.working_directory).join(path));
    if let Err(fault) = &keys {
        reader.refuse_value(specs.keys, &text, fault);
    }
    for spec in [specs.issuer, specs.audience] {
        if !reader.is_set(spec) {
            reader.refuse(
                spec,
                format!("is not set, but {} is: a token of another issuer, or for another service, must not be valid here", specs.keys.key),
            );
        }
    }
    let mut algorithms = Vec::new();
    for name in items(reader, specs.algorithms) {
        match name.parse::<Algorithm>() {
            Ok(algorithm) if !matches!(algorithm, Algorithm::HS256 | Algorithm::HS384 | Algorithm::HS512) => algorithms.push(algorithm),
            _ => reader.refuse_value(
                specs.algorithms,
                &name,
                "it must be one of RS256, RS384, RS512, PS256, PS384, PS512, ES256, ES384 and EdDSA",
            ),
        }
    }
    Some(JwtOptions {
        keys: keys.ok()?,
        issuer: reader.text(specs.issuer).unwrap_or_default(),
        audience: reader.items(specs.audience, ','),
        algorithms,
    })
}

/// The items of a list, or of its default.
fn items(reader: &Reader<'_>, spec: &Spec) -> Vec<String> {
    let set = reader.items(spec, ',');
    if set.is_empty() { spec.default.unwrap_or_default().split(',').map(str::to_owned).collect() } else { set }
}
