//! `fs.default-scheme`: where a path without a scheme lies, as Flink's `FileSystem` has it.

use super::secrets::mask_urls;
use crate::directory::has_scheme;

/// Where paths without a scheme lie.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) enum DefaultScheme {
    /// On this machine.
    #[default]
    Local,
    /// Below this scheme and authority: `s3://bucket`.
    At(String),
}

impl DefaultScheme {
    /// Reads the option. Of a URL its scheme and authority count, and its path does not, as in Flink.
    ///
    /// # Errors
    /// What is wrong with it, as the end of a sentence.
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
            _ => Err(format!("it names no bucket or host; write {scheme}://bucket/")),
        }
    }

    /// The entry of an archive directory as it is to be opened.
    ///
    /// # Errors
    /// It is a relative path, which lies nowhere below a URL.
    pub(super) fn resolve(&self, entry: &str) -> Result<String, String> {
        match self {
            Self::At(place) if !has_scheme(entry) => {
                let shown = mask_urls(place);
                if !entry.starts_with('/') {
                    return Err(format!(
                        "\"{entry}\" is a relative path, which means nothing with fs.default-scheme at {shown}/: write {shown}/{entry}, or \
                         file:///path for a folder of this machine"
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
    fn a_path_without_a_scheme_lies_below_the_default_and_a_url_where_it_says() {
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
    fn what_says_no_place_is_refused() {
        for scheme in ["s3", "/data", "", "bucket/x", "s3:///x", "s3:bucket", "hdfs:///"] {
            assert!(DefaultScheme::parse(scheme).is_err(), "{scheme}");
        }
        let fault = DefaultScheme::parse("s3://key:hunter2@bucket/").unwrap().resolve("relative").unwrap_err();
        assert!(fault.contains("write s3://******@bucket/relative"), "{fault}");
    }
}
