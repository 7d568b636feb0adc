//! The pages of `web-dist/` and the documents of `docs-dist/`, embedded in the binary. They never replace an answer of the API.

use std::collections::HashMap;
use std::io::Write as _;
use std::sync::LazyLock;

use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;

use crate::api::http::conditional::Tag;
use crate::api::http::encoding::{Encoding, negotiate};
use crate::api::http::represent::Representation;
use crate::api::http::response::RouteTemplate;

#[derive(rust_embed::Embed)]
#[folder = "web-dist/"]
struct Dist;

/// The documents, which `tools/build-docs.sh` builds.
#[derive(rust_embed::Embed)]
#[folder = "docs-dist/"]
struct Documents;

/// A file of the page.
struct Asset {
    bytes: Bytes,
    /// Compressed, where that is smaller.
    packed: Option<Bytes>,
    content_type: &'static str,
    tag: Tag,
    cache: HeaderValue,
}

static ASSETS: LazyLock<HashMap<String, Asset>> = LazyLock::new(|| {
    let pages = Dist::iter().map(|name| (name.to_string(), Dist::get(&name)));
    let documents = Documents::iter().map(|name| (format!("docs/{name}"), Documents::get(&name)));
    pages.chain(documents).filter_map(|(name, file)| file.map(|file| (name.clone(), Asset::new(&name, file)))).collect()
});

/// The file at this path, if there is one: `index.html` at the root and at `/docs/`.
fn find(segments: &[&str]) -> Option<&'static Asset> {
    match segments {
        [] => ASSETS.get("index.html"),
        ["docs"] => ASSETS.get("docs/index.html"),
        [name] => ASSETS.get(*name),
        _ => ASSETS.get(&segments.join("/")),
    }
}

impl Asset {
    fn new(name: &str, file: rust_embed::EmbeddedFile) -> Self {
        let bytes = Bytes::from(file.data.into_owned());
        let packed = pack(&bytes).filter(|packed| packed.len() < bytes.len());
        let tag = file.metadata.sha256_hash()[..16].iter().fold(String::new(), |tag, byte| tag + &format!("{byte:02x}"));
        Self { bytes, packed, content_type: content_type(name), tag: Tag::of_digest(&tag), cache: cache(name) }
    }

    /// The representation of this file, or a 304.
    fn represent(&self, request: &HeaderMap) -> Representation {
        let packed = self.packed.as_ref().filter(|_| negotiate(request) == Encoding::Gzip);
        let encoding = if packed.is_some() { Encoding::Gzip } else { Encoding::Identity };
        let sent = || {
            let bytes = packed.unwrap_or(&self.bytes).clone();
            Representation::new(self.tag.clone(), encoding, Some(bytes.len() as u64), Body::from(bytes))
        };
        let representation = Representation::unchanged(request, &self.tag, encoding).unwrap_or_else(sent);
        // The files of the pages are part of the program: their memory is used in any case.
        representation.with_type(HeaderValue::from_static(self.content_type), self.cache.clone()).counted()
    }
}

/// The answer to a GET of this path (with its segments, decoded), if a file of the pages or documents is there.
///
/// `/docs` is redirected to `/docs/`, since the links of the documents are relative.
#[must_use]
pub fn answer(path: &str, segments: &[&str], request: &HeaderMap) -> Option<Response> {
    let asset = find(segments)?;
    let mut answer = if segments == ["docs"] && !path.ends_with('/') {
        (StatusCode::PERMANENT_REDIRECT, [(header::LOCATION, HeaderValue::from_static("docs/"))]).into_response()
    } else {
        asset.represent(request).into_response()
    };
    answer.extensions_mut().insert(RouteTemplate("/{*page}"));
    Some(answer)
}

fn pack(bytes: &[u8]) -> Option<Bytes> {
    let mut packer = GzEncoder::new(Vec::new(), Compression::best());
    packer.write_all(bytes).ok()?;
    packer.finish().ok().map(Bytes::from)
}

/// Files below `assets/` have a digest of their content in their names, so they never change; all others may with the next version.
fn cache(name: &str) -> HeaderValue {
    if name.starts_with("assets/") {
        HeaderValue::from_static("public, max-age=31536000, immutable")
    } else {
        HeaderValue::from_static("no-cache")
    }
}

/// By the ending of the name; browsers do not show a file of an unknown type.
fn content_type(name: &str) -> &'static str {
    match name.rsplit_once('.').map(|(_, ending)| ending) {
        Some("html") => "text/html; charset=utf-8",
        Some("js" | "mjs") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("json" | "map") => "application/json",
        Some("webmanifest") => "application/manifest+json",
        Some("svg") => "image/svg+xml",
        Some("png") => "image/png",
        Some("ico") => "image/x-icon",
        Some("woff2") => "font/woff2",
        Some("txt") => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_file_of_the_pages_has_a_path_of_the_api() {
        const TAKEN: &[&str] = &[
            "v1",
            "config",
            "config.json",
            "applications",
            "jobs",
            "overview",
            "overviews",
            "application-overviews",
            "jars",
            "api",
            "healthz",
            "readyz",
            "metrics",
        ];
        for name in ASSETS.keys() {
            let first = name.split('/').next().unwrap();
            assert!(!TAKEN.contains(&first), "{name}");
        }
        assert!(find(&[]).is_some());
    }

    #[test]
    fn every_file_of_the_page_has_a_known_type() {
        for (name, asset) in ASSETS.iter() {
            assert_ne!(asset.content_type, "application/octet-stream", "{name}");
        }
    }
}
