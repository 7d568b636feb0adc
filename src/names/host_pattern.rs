//! Host names of this server.

use std::net::IpAddr;

/// The host names under which clients may address the server: an item of `historyserver.web.hosts`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HostPattern {
    /// `*`: every name.
    Any,
    /// This name or address: in lower case, without brackets and without a dot at its end.
    Exactly(String),
    /// `*.example.org`: every name below this domain, `example.org`.
    Below(String),
}

impl HostPattern {
    /// Parses a host name, an IP address, `*.example.org` or `*`.
    ///
    /// # Errors
    /// The fault of the text, as the end of a sentence.
    pub fn parse(text: &str) -> Result<Self, String> {
        if text == "*" {
            return Ok(Self::Any);
        }
        if text.contains("://") || text.contains('/') {
            return Err("it is a URL; write only the host name, such as flink.example.org".to_owned());
        }
        let name = text.to_ascii_lowercase();
        let address = name.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(&name);
        if let Ok(address) = address.parse::<IpAddr>() {
            return Ok(Self::Exactly(address.to_string()));
        }
        let name = name.strip_suffix('.').unwrap_or(&name);
        if name.contains(':') {
            return Err("it contains a port; write only the host name, which is valid for every port".to_owned());
        }
        let (name, below) = name.strip_prefix("*.").map_or((name, false), |rest| (rest, true));
        let is_label =
            |label: &str| !label.is_empty() && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
        if name.len() > 253 || !name.split('.').all(is_label) {
            return Err(
                "it is not a host name; write one such as flink.example.org, or *.example.org for all hosts of that domain".to_owned()
            );
        }
        Ok(if below { Self::Below(name.to_owned()) } else { Self::Exactly(name.to_owned()) })
    }

    /// Whether the pattern includes this host, which is in lower case, without a port, brackets and a final dot.
    #[must_use]
    pub fn matches(&self, host: &str) -> bool {
        match self {
            Self::Any => true,
            Self::Exactly(name) => name == host,
            Self::Below(name) => host.strip_suffix(name.as_str()).is_some_and(|rest| rest.len() > 1 && rest.ends_with('.')),
        }
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
}
