//! `fs.default-scheme`: the scheme and authority of paths without a scheme, as in Flink's `FileSystem`.

use super::secrets::mask_urls;
use crate::directory::has_scheme;

/// The location of paths without a scheme.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) enum DefaultScheme {
    /// The local file system.
    #[default]
    Local,
    /// This scheme and authority: `s3://bucket`.
    At(String),
}

impl DefaultScheme {
    /// Parses the option. The path of the URL is ignored, as in Flink.
    ///
    /// # Errors
    /// The fault of the text, as the end of a sentence.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let scheme = text.split(':').next().unwrap_or_default();
        if !has_scheme(text) {
            return Err("it has no scheme; write a URL such as s3://bucket/ or file:///".to_owned());
        }
        if scheme.eq_ignore_ascii_case("file") {
            return Ok(Self::Local);
        }
        let authority = text.split_once("://").map(|(_, rest)| rest.split(['/', '?', '#']).next().unwrap_or_default());
        match authority {
            Some(authority) if !authority.is_empty() => Ok(Self::At(format!("{scheme}://{authority}"))),
            _ => Err(format!("it contains no bucket or host; write {scheme}://bucket/")),
        }
    }

    /// The URL or path of an archive directory, with the default scheme.
    ///
    /// # Errors
    /// It is a relative path, which lies nowhere below a URL.
    pub(super) fn resolve(&self, entry: &str) -> Result<String, String> {
        match self {
            Self::At(place) if !has_scheme(entry) => {
                let shown = mask_urls(place);
                if !entry.starts_with('/') {
                    return Err(format!(
                        "\"{entry}\" is a relative path, which has no meaning with fs.default-scheme {shown}/; write {shown}/{entry}, or \
                         file:///path for a local folder"
                    ));
                }
                Ok(format!("{place}{entry}"))
            }
            Self::Local | Self::At(_) => Ok(entry.to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolved(scheme: &str, entry: &str) -> String {
        DefaultScheme::parse(scheme).unwrap().resolve(entry).unwrap()
    }

    #[test]
    fn the_default_applies_to_paths_without_a_scheme_only() {
        for (scheme, entry, expected) in [
            ("s3://bucket/", "/completed-jobs", "s3://bucket/completed-jobs"),
            ("s3://bucket", "/completed-jobs/", "s3://bucket/completed-jobs/"),
            ("s3a://bucket/ignored/path", "/a", "s3a://bucket/a"),
            ("hdfs://namenode:8020/", "/flink", "hdfs://namenode:8020/flink"),
            ("abfss://c@a.dfs.core.windows.net/", "/x", "abfss://c@a.dfs.core.windows.net/x"),
            ("s3://bucket/", "file:///data", "file:///data"),
            ("s3://bucket/", "gs://other/x", "gs://other/x"),
            ("file:///", "/data", "/data"),
            ("FILE:/", "relative", "relative"),
        ] {
            assert_eq!(resolved(scheme, entry), expected, "{scheme} {entry}");
        }
    }

    #[test]
    fn a_default_without_a_host_and_a_relative_path_are_refused() {
        for scheme in ["s3", "/data", "", "bucket/x", "s3:///x", "s3:bucket", "hdfs:///"] {
            assert!(DefaultScheme::parse(scheme).is_err(), "{scheme}");
        }
        let fault = DefaultScheme::parse("s3://key:hunter2@bucket/").unwrap().resolve("relative").unwrap_err();
        assert!(fault.contains("write s3://******@bucket/relative"), "{fault}");
    }
}
