//! The representation of a document, a list or a page: its tag, its encoding and its body, and the headers that follow from them.
//!
//! Every answer that a client may keep is made here, so `If-None-Match` and `Accept-Encoding` mean the same on every path.

use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;

use crate::api::http::conditional::Tag;
use crate::api::http::encoding::{Encoding, negotiate};
use crate::api::http::error::ApiError;
use crate::api::http::gzip;
use crate::api::http::response::{Counted, JSON, REVALIDATE};

/// A representation that is sent, or that the client already has (304).
pub(crate) struct Representation {
    status: StatusCode,
    tag: Tag,
    encoding: Encoding,
    content_type: HeaderValue,
    cache: HeaderValue,
    /// Bytes of the body as it is sent, where they are known.
    length: Option<u64>,
    body: Body,
    counted: bool,
}

impl Representation {
    /// A JSON body in this encoding, of `length` bytes as it is sent.
    pub(crate) fn new(tag: Tag, encoding: Encoding, length: Option<u64>, body: Body) -> Self {
        Self { status: StatusCode::OK, tag, encoding, content_type: JSON, cache: REVALIDATE, length, body, counted: false }
    }

    /// A 304 without a body, if the client already has the representation with this tag.
    pub(crate) fn unchanged(request: &HeaderMap, tag: &Tag, encoding: Encoding) -> Option<Self> {
        let answer = || Self { status: StatusCode::NOT_MODIFIED, ..Self::new(tag.clone(), encoding, None, Body::empty()) };
        tag.matches(request).then(answer)
    }

    /// A JSON text in memory, compressed if the client takes it and it is large enough.
    ///
    /// # Errors
    /// 500: compressing failed, which does not happen in practice.
    pub(in crate::api) async fn of_text(request: &HeaderMap, tag: Tag, text: Bytes) -> Result<Self, ApiError> {
        let encoding = encoding(negotiate(request), text.len() as u64);
        if let Some(unchanged) = Self::unchanged(request, &tag, encoding) {
            return Ok(unchanged);
        }
        Self::in_memory(tag, encoding, text).await
    }

    /// As [`of_text`](Self::of_text), with a tag of the text itself.
    ///
    /// # Errors
    /// See there.
    pub(in crate::api) async fn of_content(request: &HeaderMap, text: impl Into<Bytes>) -> Result<Self, ApiError> {
        let text = text.into();
        Self::of_text(request, Tag::of_content(&text), text).await
    }

    /// A JSON text in memory in this encoding.
    ///
    /// # Errors
    /// 500: compressing failed, which does not happen in practice.
    pub(in crate::api) async fn in_memory(tag: Tag, encoding: Encoding, text: Bytes) -> Result<Self, ApiError> {
        let body = match encoding {
            Encoding::Identity => text,
            Encoding::Gzip => gzip::whole(text).await?,
        };
        Ok(Self::new(tag, encoding, Some(body.len() as u64), Body::from(body)))
    }

    /// Another type than JSON, with its own `Cache-Control`.
    pub(crate) fn with_type(self, content_type: HeaderValue, cache: HeaderValue) -> Self {
        Self { content_type, cache, ..self }
    }

    /// See [`Counted`].
    pub(crate) fn counted(self) -> Self {
        Self { counted: true, ..self }
    }
}

/// The encoding for a text of this many bytes: small ones are sent as they are.
pub(in crate::api) fn encoding(accepted: Encoding, length: u64) -> Encoding {
    if length < gzip::WORTHWHILE { Encoding::Identity } else { accepted }
}

impl IntoResponse for Representation {
    fn into_response(self) -> Response {
        let mut answer = Response::new(self.body);
        *answer.status_mut() = self.status;
        let headers = answer.headers_mut();
        headers.insert(header::ETAG, self.tag.header(self.encoding));
        headers.insert(header::CACHE_CONTROL, self.cache);
        headers.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
        if self.status != StatusCode::NOT_MODIFIED {
            headers.insert(header::CONTENT_TYPE, self.content_type);
            if self.encoding == Encoding::Gzip {
                headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
            }
            if let Some(length) = self.length {
                headers.insert(header::CONTENT_LENGTH, HeaderValue::from(length));
            }
        }
        if self.counted {
            answer.extensions_mut().insert(Counted);
        }
        answer
    }
}
