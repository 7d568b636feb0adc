//! The names under which the server answers.
//!
//! A web page can point its own name to the address of this server (DNS rebinding): then the browser of a reader of that page lets
//! the page read from this server. So on a loopback address only names are answered that no other machine can have, and elsewhere
//! the names of `historyserver.web.hosts`, if there are any. An address as the name is safe: only this server can have it.

use std::net::IpAddr;

use axum::http::uri::Authority;
use axum::http::{HeaderMap, StatusCode, Uri, Version, header};

use crate::api::http::error::ApiError;
use crate::names::HostPattern;

/// Names under which the server answers.
#[derive(Debug, Clone)]
pub struct Hosts {
    loopback: bool,
    names: Vec<HostPattern>,
}

impl Default for Hosts {
    /// Those of a server on a loopback address.
    fn default() -> Self {
        Self { loopback: true, names: Vec::new() }
    }
}

impl Hosts {
    /// Names of a server that listens on this address, with those of `historyserver.web.hosts`.
    #[must_use]
    pub fn new(listens_on: IpAddr, names: Vec<HostPattern>) -> Self {
        Self { loopback: listens_on.to_canonical().is_loopback(), names }
    }

    /// Whether requests for this host are answered.
    pub(in crate::api) fn answers(&self, host: &RequestedHost) -> bool {
        let elsewhere = !self.loopback && (self.names.is_empty() || host.address.is_some());
        elsewhere || host.is_loopback() || self.names.iter().any(|name| name.matches(&host.name))
    }

    /// Whether changing requests for this host are taken: the name must be known to be one of this server.
    pub(in crate::api) fn acts_for(&self, host: &RequestedHost) -> bool {
        host.is_loopback() || (!self.loopback && host.address.is_some()) || self.lists(&host.name)
    }

    /// Whether `historyserver.web.hosts` has this name, other than by `*`.
    pub(in crate::api) fn lists(&self, name: &str) -> bool {
        self.names.iter().any(|pattern| *pattern != HostPattern::Any && pattern.matches(name))
    }

    /// Accepts a request, or returns why it is refused.
    pub(in crate::api) fn check(&self, uri: &Uri, version: Version, headers: &HeaderMap) -> Result<(), ApiError> {
        let host = requested_host(uri, version, headers)?;
        if self.answers(&host) {
            return Ok(());
        }
        let names = if self.loopback {
            "It listens on a loopback address, where it answers as localhost, 127.0.0.1 and [::1]"
        } else {
            "It answers under its addresses and as localhost"
        };
        Err(ApiError::new(
            StatusCode::MISDIRECTED_REQUEST,
            format!(
                "This server does not answer under the name \"{}\". {names}, and under the names in historyserver.web.hosts: if this is one of \
                 its names, add it to that option.",
                host.name
            ),
        ))
    }
}

/// The host of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::api) struct RequestedHost {
    /// In lower case, without brackets and without a dot at its end.
    pub(in crate::api) name: String,
    address: Option<IpAddr>,
    pub(in crate::api) port: Option<u16>,
}

impl RequestedHost {
    /// Reads `host`, `host:port` or `[address]:port`.
    pub(in crate::api) fn parse(text: &str) -> Option<Self> {
        let authority: Authority = text.parse().ok()?;
        let host = authority.host();
        let port = match text.strip_prefix(host)? {
            "" | ":" => None,
            rest => Some(rest.strip_prefix(':').filter(|digits| digits.bytes().all(|digit| digit.is_ascii_digit()))?.parse().ok()?),
        };
        let bracketed = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
        let address = bracketed.unwrap_or(host).parse::<IpAddr>().ok();
        if bracketed.is_some() != matches!(address, Some(IpAddr::V6(_))) {
            return None;
        }
        let name = address.map_or_else(|| host.to_ascii_lowercase(), |address| address.to_string());
        let name = name.strip_suffix('.').unwrap_or(&name).to_owned();
        (!name.is_empty() && name.len() <= 255).then_some(Self { name, address, port })
    }

    /// Whether this is a machine's name for itself, which no other machine can have.
    pub(in crate::api) fn is_loopback(&self) -> bool {
        self.name == "localhost" || self.address.is_some_and(|address| address.to_canonical().is_loopback())
    }

    fn is_the_same(&self, other: &Self, default_port: u16) -> bool {
        self.name == other.name && self.port.unwrap_or(default_port) == other.port.unwrap_or(default_port)
    }
}

/// The host of a request: that of its only `Host` header, which must equal that of its target if the target has one.
pub(in crate::api) fn requested_host(uri: &Uri, version: Version, headers: &HeaderMap) -> Result<RequestedHost, ApiError> {
    let mut values = headers.get_all(header::HOST).iter();
    let header = match (values.next(), values.next()) {
        (Some(value), None) => {
            let parsed = value.to_str().ok().and_then(|text| RequestedHost::parse(text.trim()));
            Some(parsed.ok_or_else(|| ApiError::bad_request("The Host header is not a host name or address with an optional port."))?)
        }
        (None, _) => None,
        (Some(_), Some(_)) => return Err(ApiError::bad_request("The request has more than one Host header.")),
    };
    let invalid = || ApiError::bad_request("The target of the request names no host.");
    let target = uri.authority().map(|authority| RequestedHost::parse(authority.as_str()).ok_or_else(invalid)).transpose()?;
    let default_port = if uri.scheme_str() == Some("https") { 443 } else { 80 };
    match (header, target) {
        (Some(header), Some(target)) if !header.is_the_same(&target, default_port) => {
            Err(ApiError::bad_request("The Host header names another host than the target of the request."))
        }
        (Some(header), _) => Ok(header),
        (None, Some(target)) if version >= Version::HTTP_2 => Ok(target),
        (None, _) => Err(ApiError::bad_request("The request has no Host header.")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hosts(listens_on: &str, names: &[&str]) -> Hosts {
        let pattern = |name: &&str| match *name {
            "*" => HostPattern::Any,
            name => {
                name.strip_prefix("*.").map_or_else(|| HostPattern::Exactly(name.to_owned()), |rest| HostPattern::Below(rest.to_owned()))
            }
        };
        Hosts::new(listens_on.parse().unwrap(), names.iter().map(pattern).collect())
    }

    fn host(text: &str) -> RequestedHost {
        RequestedHost::parse(text).unwrap_or_else(|| panic!("{text} is a host"))
    }

    const OWN: &[&str] =
        &["localhost", "LOCALHOST:8082", "localhost.", "127.0.0.1:8082", "127.1.2.3", "[::1]", "[::1]:8082", "[::ffff:127.0.0.1]"];
    const FOREIGN: &[&str] = &["rebound.example:8082", "localhost.example", "127.0.0.1.example", "x.localhost", "0x7f.1", "2130706433"];
    const ADDRESSES: &[&str] = &["10.0.0.7", "10.0.0.7:8082", "[2001:db8::1]:8082", "0.0.0.0"];

    #[test]
    fn on_loopback_only_its_own_names_and_those_of_the_configuration_are_answered() {
        for loopback in ["127.0.0.1", "::1", "127.8.8.8"] {
            let closed = hosts(loopback, &[]);
            assert!(OWN.iter().all(|name| closed.answers(&host(name)) && closed.acts_for(&host(name))));
            assert!(FOREIGN.iter().chain(ADDRESSES).all(|name| !closed.answers(&host(name)) && !closed.acts_for(&host(name))));
        }
        let named = hosts("127.0.0.1", &["flink.example.org", "*.internal"]);
        for name in ["flink.example.org", "FLINK.example.org:443", "flink.example.org.", "a.internal"] {
            assert!(named.answers(&host(name)) && named.acts_for(&host(name)), "{name}");
        }
        assert!(FOREIGN.iter().chain(ADDRESSES).all(|name| !named.answers(&host(name))));
    }

    #[test]
    fn elsewhere_every_name_may_read_until_some_are_configured_and_addresses_always() {
        for everywhere in ["0.0.0.0", "::", "10.0.0.7"] {
            let open = hosts(everywhere, &[]);
            assert!(OWN.iter().chain(FOREIGN).chain(ADDRESSES).all(|name| open.answers(&host(name))));
            assert!(FOREIGN.iter().all(|name| !open.acts_for(&host(name))));
            assert!(OWN.iter().chain(ADDRESSES).all(|name| open.acts_for(&host(name))));
            let named = hosts(everywhere, &["flink.example.org"]);
            assert!(OWN.iter().chain(ADDRESSES).all(|name| named.answers(&host(name))), "probes ask for the address of a pod");
            assert!(FOREIGN.iter().all(|name| !named.answers(&host(name))));
            let any = hosts(everywhere, &["*"]);
            assert!(FOREIGN.iter().all(|name| any.answers(&host(name)) && !any.acts_for(&host(name))));
        }
    }

    #[test]
    fn what_is_no_host_is_not_read_as_one() {
        for text in [
            "",
            ":80",
            "a:b",
            "a:99999",
            "a:80:80",
            "user@localhost",
            "[::1",
            "::1",
            "[localhost]",
            "[127.0.0.1]",
            "a b",
            "a/b",
            ".",
            "[::1]x",
        ] {
            assert_eq!(RequestedHost::parse(text), None, "{text}");
        }
        assert_eq!(host("localhost:").port, None);
    }

    #[test]
    fn one_host_header_is_needed_that_is_not_contradicted_by_the_target() {
        let check = |target: &str, version: Version, values: &[&str]| {
            let headers =
                values.iter().map(|value| (header::HOST, value.parse().unwrap())).fold(HeaderMap::new(), |mut all, (name, value)| {
                    all.append(name, value);
                    all
                });
            hosts("127.0.0.1", &[]).check(&target.parse().unwrap(), version, &headers).map_err(|error| error.status().as_u16())
        };
        let one = Version::HTTP_11;
        assert_eq!(check("/x", one, &["localhost"]), Ok(()));
        assert_eq!(check("/x", one, &["rebound.example"]), Err(421));
        assert_eq!(check("/x", one, &[]), Err(400));
        assert_eq!(check("/x", Version::HTTP_10, &[]), Err(400));
        assert_eq!(check("/x", one, &["localhost", "rebound.example"]), Err(400));
        assert_eq!(check("/x", one, &["localhost", "localhost"]), Err(400));
        assert_eq!(check("/x", one, &["localhost, rebound.example"]), Err(400));
        assert_eq!(check("http://localhost/x", one, &["localhost:80"]), Ok(()));
        assert_eq!(check("http://localhost/x", one, &["127.0.0.1"]), Err(400));
        assert_eq!(check("http://localhost:8082/x", one, &["localhost"]), Err(400));
        assert_eq!(check("http://rebound.example/x", one, &["rebound.example"]), Err(421));
        assert_eq!(check("http://localhost/x", one, &[]), Err(400));
        assert_eq!(check("https://localhost/x", Version::HTTP_2, &[]), Ok(()));
        assert_eq!(check("https://localhost/x", Version::HTTP_2, &["localhost:443"]), Ok(()));
        assert_eq!(check("https://rebound.example/x", Version::HTTP_2, &[]), Err(421));
        assert_eq!(check("https://localhost/x", Version::HTTP_2, &["rebound.example"]), Err(400));
    }
}
