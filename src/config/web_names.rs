//! Names and origins that the HTTP server knows: `historyserver.web.hosts`, `….frame-ancestors` and `….cors-origins`.

use std::net::IpAddr;

use url::Url;

/// A name, or names, under which the server may be asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HostPattern {
    /// `*`: every name.
    Any,
    /// This name or address: in lower case, without brackets and without a dot at its end.
    Exactly(String),
    /// `*.example.org`: every name below `example.org`, which is what is kept.
    Below(String),
}

impl HostPattern {
    /// Reads an item of `historyserver.web.hosts`.
    ///
    /// # Errors
    /// What is wrong with it, as the end of a sentence.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        if text == "*" {
            return Ok(Self::Any);
        }
        if text.contains("://") || text.contains('/') {
            return Err("it is a URL; write the host name alone, such as flink.example.org".to_owned());
        }
        let name = text.to_ascii_lowercase();
        let address = name.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(&name);
        if let Ok(address) = address.parse::<IpAddr>() {
            return Ok(Self::Exactly(address.to_string()));
        }
        let name = name.strip_suffix('.').unwrap_or(&name);
        if name.contains(':') {
            return Err("it holds a port; write the host name alone, which is taken with every port".to_owned());
        }
        let (name, below) = name.strip_prefix("*.").map_or((name, false), |rest| (rest, true));
        let is_label =
            |label: &str| !label.is_empty() && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
        if name.len() > 253 || !name.split('.').all(is_label) {
            return Err("it is no host name; write one such as flink.example.org, or *.example.org for all below it".to_owned());
        }
        Ok(if below { Self::Below(name.to_owned()) } else { Self::Exactly(name.to_owned()) })
    }

    /// Whether it names this host: in lower case, without port, brackets and a dot at its end.
    #[must_use]
    pub fn matches(&self, host: &str) -> bool {
        match self {
            Self::Any => true,
            Self::Exactly(name) => name == host,
            Self::Below(name) => host.strip_suffix(name.as_str()).is_some_and(|rest| rest.len() > 1 && rest.ends_with('.')),
        }
    }
}

/// Reads an item of `historyserver.web.cors-origins`: an origin as browsers write it, or `*`.
///
/// # Errors
/// What is wrong with it, as the end of a sentence.
pub(super) fn origin(text: &str) -> Result<String, String> {
    if text == "*" {
        return Ok(text.to_owned());
    }
    let fault = || "it is no origin; write scheme, host and port alone, such as https://portal.example.org".to_owned();
    let url = Url::parse(text).map_err(|_| fault())?;
    let plain = matches!(url.scheme(), "http" | "https") && url.path() == "/" && url.query().is_none() && url.fragment().is_none();
    let has_user = !url.username().is_empty() || url.password().is_some();
    let origin = url.origin().ascii_serialization();
    // It becomes part of a header.
    let is_safe = |byte: u8| byte.is_ascii_alphanumeric() || b":/.-_*[]".contains(&byte);
    if plain && !has_user && !text.ends_with('?') && !text.ends_with('#') && origin.bytes().all(is_safe) {
        Ok(origin)
    } else {
        Err(fault())
    }
}

/// Reads an item of `historyserver.web.frame-ancestors`: an origin, also of all hosts below one (`https://*.example.org`), `self` or `*`.
///
/// # Errors
/// What is wrong with it, as the end of a sentence.
pub(super) fn frame_ancestor(text: &str) -> Result<String, String> {
    match text.trim_matches('\'') {
        "self" => Ok("'self'".to_owned()),
        "none" => Err("nobody is meant by leaving it unset".to_owned()),
        _ => origin(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn host_names_are_taken_as_people_write_them() {
        for (text, host, matches) in [
            ("flink.example.org", "flink.example.org", true),
            ("Flink.Example.ORG.", "flink.example.org", true),
            ("flink.example.org", "flink.example.org.evil.example", false),
            ("*.example.org", "a.b.example.org", true),
            ("*.example.org", "example.org", false),
            ("*.example.org", ".example.org", false),
            ("*.example.org", "evilexample.org", false),
            ("*", "anything", true),
            ("10.0.0.7", "10.0.0.7", true),
            ("[2001:DB8::1]", "2001:db8::1", true),
            ("historyserver", "historyserver", true),
        ] {
            assert_eq!(HostPattern::parse(text).unwrap().matches(host), matches, "{text} {host}");
        }
        for text in ["https://a", "a/b", "a:80", "*.*", "a*", "a b", "", "a..b", "ü.example", "*."] {
            assert!(HostPattern::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn origins_are_scheme_host_and_port_and_nothing_that_breaks_a_header() {
        for (text, expected) in [
            ("https://portal.example", "https://portal.example"),
            ("HTTPS://Portal.Example:443/", "https://portal.example"),
            ("http://localhost:3000", "http://localhost:3000"),
            ("https://[::1]:8443", "https://[::1]:8443"),
            ("https://*.example.org", "https://*.example.org"),
            ("*", "*"),
        ] {
            assert_eq!(origin(text).as_deref(), Ok(expected), "{text}");
        }
        assert_eq!(frame_ancestor("self").as_deref(), Ok("'self'"));
        assert_eq!(frame_ancestor("'self'").as_deref(), Ok("'self'"));
        for text in [
            "portal.example",
            "ftp://portal.example",
            "https://portal.example/path",
            "https://portal.example?x",
            "https://user@portal.example",
            "https://a; script-src *",
            "https://a;x",
            "https://a'b",
            "null",
            "none",
            "'none'",
            "",
        ] {
            assert!(frame_ancestor(text).is_err(), "{text}: {:?}", frame_ancestor(text));
        }
    }
}
