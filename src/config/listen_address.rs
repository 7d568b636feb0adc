//! `historyserver.web.address`: an address or a host name, with IPv6 addresses as themselves or in brackets.

use std::net::Ipv6Addr;

/// The address without brackets.
///
/// # Errors
/// The fault of the text, as the end of a sentence.
pub(super) fn parse(text: &str) -> Result<String, String> {
    let inner = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    if let Some(inner) = inner.filter(|inner| is_ipv6(inner)) {
        return Ok(inner.to_owned());
    }
    if text.contains("://") || text.contains('/') {
        return Err("it is a URL; write only the address or the host name".to_owned());
    }
    let with_port = text
        .rsplit_once(':')
        .is_some_and(|(host, port)| port.bytes().all(|digit| digit.is_ascii_digit()) && (host.ends_with(']') || !host.contains(':')));
    if with_port {
        return Err("it contains a port; set the port by historyserver.web.port".to_owned());
    }
    if text.contains(char::is_whitespace) || text.contains(['[', ']']) || (text.contains(':') && !is_ipv6(text)) {
        return Err("it must be an IP address or a host name".to_owned());
    }
    Ok(text.to_owned())
}

/// Whether the text is an IPv6 address, possibly with an interface: `fe80::1%eth0`.
fn is_ipv6(text: &str) -> bool {
    text.split('%').next().unwrap_or_default().parse::<Ipv6Addr>().is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_taken_with_and_without_brackets() {
        for (text, address) in [
            ("[::1]", "::1"),
            ("::1", "::1"),
            ("[::]", "::"),
            ("::", "::"),
            ("[fe80::1%eth0]", "fe80::1%eth0"),
            ("[::ffff:127.0.0.1]", "::ffff:127.0.0.1"),
            ("0.0.0.0", "0.0.0.0"),
            ("flink.example.org", "flink.example.org"),
            ("", ""),
        ] {
            assert_eq!(parse(text).as_deref(), Ok(address), "{text}");
        }
    }

    #[test]
    fn each_mistake_has_its_own_message() {
        for (text, part) in [
            ("127.0.0.1:8082", "historyserver.web.port"),
            ("[::1]:8082", "historyserver.web.port"),
            ("localhost:", "historyserver.web.port"),
            ("http://localhost", "URL"),
            ("localhost/x", "URL"),
            ("[localhost]", "must be an IP address"),
            ("[::1", "must be an IP address"),
            ("a b", "must be an IP address"),
            ("1:2:g", "must be an IP address"),
        ] {
            assert!(parse(text).unwrap_err().contains(part), "{text}: {:?}", parse(text));
        }
    }
}
