//! Origins of web pages: `historyserver.web.frame-ancestors` and `historyserver.web.cors-origins`.

use url::Url;

/// Reads an item of `historyserver.web.cors-origins`: an origin as browsers write it, or `*`.
///
/// # Errors
/// The fault of the text, as the end of a sentence.
pub(super) fn origin(text: &str) -> Result<String, String> {
    if text == "*" {
        return Ok(text.to_owned());
    }
    let fault = || "it is not an origin; write only scheme, host and port, such as https://portal.example.org".to_owned();
    let url = Url::parse(text).map_err(|_| fault())?;
    let plain = matches!(url.scheme(), "http" | "https") && url.path() == "/" && url.query().is_none() && url.fragment().is_none();
    let has_user = !url.username().is_empty() || url.password().is_some();
    let origin = url.origin().ascii_serialization();
    // The text becomes part of a header.
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
/// The fault of the text, as the end of a sentence.
pub(super) fn frame_ancestor(text: &str) -> Result<String, String> {
    match text.trim_matches('\'') {
        "self" => Ok("'self'".to_owned()),
        "none" => Err("to allow no page, leave the option unset".to_owned()),
        _ => origin(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
