//! `historyserver.web.address`: an address or a host name, with IPv6 addresses as themselves or in brackets.

use std::net::Ipv6Addr;

/// The address without brackets.
///
/// # Errors
/// What is wrong with the text, as the end of a sentence.
pub(super) fn parse(text: &str) -> Result<String, String> {
    let inner = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    if let Some(inner) = inner.filter(|inner| is_ipv6(inner)) {
        return Ok(inner.to_owned());
    }
    if text.contains("://") || text.contains('/') {
        return Err("it is a URL; write the address or the host name alone".to_owned());
    }
    let with_port = text
        .rsplit_once(':')
        .is_some_and(|(host, port)| port.bytes().all(|digit| digit.is_ascii_digit()) && (host.ends_with(']') || !host.contains(':')));
    if with_port {
        return Err("it holds a port; write that into historyserver.web.port".to_owned());
    }
    if text.contains(char::is_whitespace) || text.contains(['[', ']']) || (text.contains(':') && !is_ipv6(text)) {
        return Err("it is neither an address nor a host name".to_owned());
    }
    Ok(text.to_owned())
}

/// Whether this is an IPv6 address, possibly with the interface that it holds on: `fe80::1%eth0`.
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
    fn what_is_no_address_is_told_apart() {
        for (text, part) in [
            ("127.0.0.1:8082", "historyserver.web.port"),
            ("[::1]:8082", "historyserver.web.port"),
            ("localhost:", "historyserver.web.port"),
            ("http://localhost", "URL"),
            ("localhost/x", "URL"),
            ("[localhost]", "neither"),
            ("[::1", "neither"),
            ("a b", "neither"),
            ("1:2:g", "neither"),
        ] {
            assert!(parse(text).unwrap_err().contains(part), "{text}: {:?}", parse(text));
        }
    }
}
