//! Decodes the path of a request, once, into segments.
//!
//! Clients of the Java server may send `%2F` for a separator and doubled slashes, so both are taken. The result is compared with
//! names and keys only: it never becomes the path of a file.

use percent_encoding::percent_decode_str;

use crate::api::http::error::ApiError;

/// Decodes a path as sent (without its query): percent-decoded once, split at `/`, empty segments left out.
///
/// # Errors
/// 400 where a `%` is not followed by two hex digits, or the result is not UTF-8 or holds NUL; 404 for `.` and `..` as a segment.
pub(in crate::api) fn decode(raw: &str) -> Result<Vec<String>, ApiError> {
    if !raw.starts_with('/') {
        return Err(ApiError::bad_request("The request does not name a path."));
    }
    let mut rest = raw.as_bytes();
    while let Some(at) = rest.iter().position(|byte| *byte == b'%') {
        let Some([high, low]) = rest.get(at + 1..at + 3) else {
            return Err(not_decodable());
        };
        if !high.is_ascii_hexdigit() || !low.is_ascii_hexdigit() {
            return Err(not_decodable());
        }
        rest = &rest[at + 3..];
    }
    let Ok(decoded) = percent_decode_str(raw).decode_utf8() else {
        return Err(ApiError::bad_request("The path does not decode: it is not UTF-8."));
    };
    if decoded.contains('\0') {
        return Err(ApiError::bad_request("The path does not decode: it holds a NUL."));
    }
    let segments: Vec<String> = decoded.split('/').filter(|segment| !segment.is_empty()).map(str::to_owned).collect();
    if segments.iter().any(|segment| segment == "." || segment == "..") {
        return Err(ApiError::no_such_path());
    }
    Ok(segments)
}

fn not_decodable() -> ApiError {
    ApiError::bad_request("The path does not decode: each % must be followed by two hex digits.")
}

#[cfg(test)]
mod tests {
    use axum::http::StatusCode;
    use axum::response::IntoResponse;

    use super::*;

    fn status(raw: &str) -> StatusCode {
        decode(raw).unwrap_err().into_response().status()
    }

    #[test]
    fn separators_may_be_doubled_or_encoded() {
        for raw in
            ["/jobs/overview", "//jobs///overview/", "/%6aobs/overview", "/jobs%2Foverview", "/jobs%2foverview", "/jobs/%2F/overview"]
        {
            assert_eq!(decode(raw).unwrap(), ["jobs", "overview"], "{raw}");
        }
        assert!(decode("/").unwrap().is_empty());
        assert_eq!(decode("/a%20b/%C3%A9/c+d").unwrap(), ["a b", "é", "c+d"]);
    }

    #[test]
    fn it_is_decoded_once() {
        assert_eq!(decode("/jobs/%252e%252e/%25zz").unwrap(), ["jobs", "%2e%2e", "%zz"]);
    }

    #[test]
    fn what_does_not_decode_is_refused() {
        for raw in ["/jobs/%zz", "/jobs/%", "/jobs/%4", "/%%41", "/jobs/%ff", "/jobs/%c3", "/%00", "/jobs/%00/config", "*", ""] {
            assert_eq!(status(raw), StatusCode::BAD_REQUEST, "{raw}");
        }
    }

    #[test]
    fn traversal_is_not_found_in_every_spelling() {
        for raw in ["/..", "/../etc/passwd", "/jobs/./overview", "/%2e%2e/x", "/..%2fx", "/.%2E/x", "/jobs/%2E", "/a/b/../../c", "//..//"] {
            assert_eq!(status(raw), StatusCode::NOT_FOUND, "{raw}");
        }
    }
}
