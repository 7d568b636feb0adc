//! The content encoding that a client accepts.

use axum::http::{HeaderMap, header};

/// The supported encodings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Encoding {
    /// As it is.
    Identity,
    /// gzip.
    Gzip,
}

/// Reads `Accept-Encoding` with its weights. gzip if the client accepts it and does not prefer identity; else identity,
/// even if the client refuses it: an answer is more useful than a 406.
pub(crate) fn negotiate(request: &HeaderMap) -> Encoding {
    let (mut gzip, mut identity, mut any) = (None, None, None);
    let values = request.get_all(header::ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok());
    for item in values.flat_map(|value| value.split(',')) {
        let mut parts = item.split(';');
        let coding = parts.next().unwrap_or_default().trim().to_ascii_lowercase();
        let weight = parts.find_map(|part| part.trim().strip_prefix(['q', 'Q'])?.trim_start().strip_prefix('=')).map_or(1.0, weight);
        match coding.as_str() {
            "gzip" | "x-gzip" => gzip = Some(weight),
            "identity" => identity = Some(weight),
            "*" => any = Some(weight),
            _ => {}
        }
    }
    let gzip = gzip.or(any).unwrap_or(0.0);
    if gzip > 0.0 && gzip >= identity.unwrap_or(0.0) { Encoding::Gzip } else { Encoding::Identity }
}

/// A weight from 0 to 1; another text counts as 0.
fn weight(text: &str) -> f32 {
    text.trim().parse().ok().filter(|weight| (0.0..=1.0).contains(weight)).unwrap_or(0.0)
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[test]
    fn weights_decide() {
        for (text, expected) in [
            ("gzip", Encoding::Gzip),
            ("GZIP", Encoding::Gzip),
            ("x-gzip", Encoding::Gzip),
            ("deflate, gzip;q=1.0, *;q=0.5", Encoding::Gzip),
            ("gzip;q=0.001", Encoding::Gzip),
            ("gzip ; q = 0.5 , identity;q=0.5", Encoding::Gzip),
            ("*", Encoding::Gzip),
            ("br", Encoding::Identity),
            ("", Encoding::Identity),
            ("gzip;q=0", Encoding::Identity),
            ("gzip;q=0.0, *", Encoding::Identity),
            ("*;q=0", Encoding::Identity),
            ("identity", Encoding::Identity),
            ("gzip;q=0.2, identity;q=0.7", Encoding::Identity),
            ("gzip;q=nonsense", Encoding::Identity),
            ("gzip;q=7", Encoding::Identity),
            ("identity;q=0", Encoding::Identity),
            (";;,,;q=,", Encoding::Identity),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_str(text).unwrap());
            assert_eq!(negotiate(&headers), expected, "{text}");
        }
        assert_eq!(negotiate(&HeaderMap::new()), Encoding::Identity);
    }
}
