//! Entity tags and `If-None-Match`.

use std::hash::Hasher as _;

use axum::http::{HeaderMap, HeaderValue, header};
use fnv::FnvHasher;

use crate::api::http::encoding::Encoding;
use crate::index::query::Scope;
use crate::index::{Document, Generation};

/// A strong entity tag, without its quotes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Tag(String);

impl Tag {
    /// Of a digest in hexadecimal digits.
    pub(crate) fn of_digest(digest: &str) -> Self {
        Self(digest.to_owned())
    }

    /// Bytes of the text.
    pub(in crate::api) fn len(&self) -> usize {
        self.0.len()
    }

    /// Of a document: the version of its archive and its path.
    pub(in crate::api) fn of_document(document: &Document, path: &str) -> Self {
        Self(format!("{:016x}-{:x}-{:016x}", document.fingerprint.0, document.length, digest(path.as_bytes())))
    }

    /// Of an answer that is made for each generation of the index and each scope; `kind` is the name of the answer.
    pub(in crate::api) fn of_generation(kind: &str, generation: Generation, scope: &Scope) -> Self {
        let scope = scope.digest().map(|digest| format!("-{digest:016x}")).unwrap_or_default();
        Self(format!("{kind}-{:016x}-{}{scope}", generation.index, generation.number))
    }

    /// Of a text: its content.
    pub(in crate::api) fn of_content(text: &[u8]) -> Self {
        Self(format!("{:x}-{:016x}", text.len(), digest(text)))
    }

    /// As a header: weak where the body is compressed on the way, since its bytes then depend on the compressor.
    pub(in crate::api) fn header(&self, encoding: Encoding) -> HeaderValue {
        let text = match encoding {
            Encoding::Identity => format!("\"{}\"", self.0),
            Encoding::Gzip => format!("W/\"{}\"", self.0),
        };
        // Hexadecimal digits, dashes and fixed words: always a valid header.
        HeaderValue::try_from(text).unwrap_or_else(|_| HeaderValue::from_static("\"\""))
    }

    /// Whether the client already has it.
    pub(in crate::api) fn matches(&self, request: &HeaderMap) -> bool {
        is_match(request, &self.0)
    }
}

/// Whether `If-None-Match` names this tag (given without quotes), weakly compared as RFC 9110 asks.
fn is_match(request: &HeaderMap, tag: &str) -> bool {
    request.get_all(header::IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok()).flat_map(|value| value.split(',')).any(|item| {
        let item = item.trim();
        item == "*" || item.strip_prefix("W/").unwrap_or(item).strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) == Some(tag)
    })
}

/// FNV-1a: the same in all runs and builds, so tags stay valid after a restart.
fn digest(bytes: &[u8]) -> u64 {
    let mut hasher = FnvHasher::default();
    hasher.write(bytes);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(values: &[&str]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(header::IF_NONE_MATCH, HeaderValue::from_str(value).unwrap());
        }
        headers
    }

    #[test]
    fn a_tag_matches_alone_in_a_list_in_a_second_header_and_weakly() {
        for values in [&["\"abc\""][..], &["W/\"abc\""], &["\"x\", \"abc\""], &["\"x\"", "\"y\" ,W/\"abc\""], &["*"]] {
            assert!(is_match(&request(values), "abc"), "{values:?}");
        }
    }

    #[test]
    fn other_tags_and_garbage_do_not_match() {
        for values in [&[][..], &["abc"], &["\"abcd\""], &["\"ab"], &["\""], &[""], &["\"a,bc\""], &["w/\"abc\""]] {
            assert!(!is_match(&request(values), "abc"), "{values:?}");
        }
    }

    #[test]
    fn a_tag_is_weak_exactly_where_the_body_is_compressed() {
        let tag = Tag::of_content(b"{}");
        assert!(tag.header(Encoding::Identity).to_str().unwrap().starts_with('"'));
        assert!(tag.header(Encoding::Gzip).to_str().unwrap().starts_with("W/\""));
    }
}
