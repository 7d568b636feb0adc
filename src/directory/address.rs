//! Parsing of an entry of `historyserver.archive.fs.dir`.

use std::path::{Path, PathBuf};

use super::error::DirectoryError;

/// Supported schemes, for error messages.
pub(super) const SUPPORTED: &str = "file:, s3:, s3a:, s3n:, s3p:, gs:, abfs:, abfss:, wasb:, wasbs: and hdfs:";

/// A parsed entry of `historyserver.archive.fs.dir`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Address {
    /// A local folder: absolute, without `.` and `..`.
    Local(PathBuf),
    /// A location in an object store.
    Store(StoreAddress),
}

/// A location in an object store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct StoreAddress {
    /// Kind of store.
    pub(super) kind: StoreKind,
    /// Bucket; `container@account.host` on Azure; on HDFS the name service, or host and port of the NameNode.
    pub(super) authority: String,
    /// Segments joined by `/`, taken literally; may be empty.
    pub(super) prefix: String,
}

/// Kinds of object stores, by the scheme that their normalised URLs have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum StoreKind {
    /// Amazon S3 and compatible stores. The scheme is `s3`, or that of a store with a scheme of its own: `oss`, `cosn` or `obs`.
    S3(&'static str),
    /// Google Cloud Storage.
    Google,
    /// Azure Data Lake Storage and Blob Storage.
    Azure(&'static str),
    /// Hadoop's distributed file system.
    Hdfs,
}

impl StoreKind {
    fn of_scheme(scheme: &str) -> Option<Self> {
        match scheme {
            // Schemes of different file systems of Flink and Hadoop for the same bucket.
            "s3" | "s3a" | "s3n" | "s3p" => Some(Self::S3("s3")),
            "oss" => Some(Self::S3("oss")),
            "cosn" | "cos" => Some(Self::S3("cosn")),
            "obs" => Some(Self::S3("obs")),
            "gs" => Some(Self::Google),
            "abfs" | "abfss" => Some(Self::Azure("abfss")),
            "wasb" | "wasbs" => Some(Self::Azure("wasbs")),
            "hdfs" => Some(Self::Hdfs),
            _ => None,
        }
    }

    /// Scheme of normalised URLs.
    pub(super) fn scheme(self) -> &'static str {
        match self {
            Self::Google => "gs",
            Self::S3(scheme) | Self::Azure(scheme) => scheme,
            Self::Hdfs => "hdfs",
        }
    }
}

impl Address {
    /// Parses an entry. Paths are literal: nothing in them is percent-decoded.
    pub(super) fn parse(text: &str) -> Result<Self, DirectoryError> {
        let text = text.trim();
        if text.is_empty() {
            return Err(DirectoryError::refused("an entry of historyserver.archive.fs.dir is empty; write a path or a URL"));
        }
        if text.contains('\0') {
            return Err(DirectoryError::refused("an entry of historyserver.archive.fs.dir contains a NUL character; remove it"));
        }
        let Some((scheme, rest)) = split_scheme(text) else {
            return Ok(Self::Local(absolute(Path::new(text))?));
        };
        let scheme = scheme.to_ascii_lowercase();
        if scheme == "file" {
            return local(text, rest);
        }
        match StoreKind::of_scheme(&scheme) {
            Some(kind) => store(kind, &scheme, rest).map(Self::Store),
            None => Err(DirectoryError::refused(format!(
                "the scheme \"{scheme}:\" is not supported for archive directories; write a path or a URL with {SUPPORTED}{}",
                instead(&scheme)
            ))),
        }
    }

    /// The normalised URL, which identifies the directory.
    pub(super) fn url(&self) -> String {
        match self {
            Self::Local(path) => format!("file://{}", path.display()),
            Self::Store(StoreAddress { kind, authority, prefix }) if prefix.is_empty() => format!("{}://{authority}", kind.scheme()),
            Self::Store(StoreAddress { kind, authority, prefix }) => format!("{}://{authority}/{prefix}", kind.scheme()),
        }
    }
}

/// Advice for a scheme that Flink or Hadoop supports and this server does not, as the end of a sentence.
fn instead(scheme: &str) -> String {
    match scheme {
        "viewfs" => {
            "; write the hdfs:// URL that the mount table has for this path (fs.viewfs.mounttable.….link.… in core-site.xml), one entry for each \
             mount point"
                .to_owned()
        }
        "webhdfs" | "swebhdfs" => "; write hdfs://NAMENODE:PORT/path with the RPC port of the NameNode, usually 8020".to_owned(),
        "maprfs" => "; mount the file system and give its path as file:///path".to_owned(),
        "o3fs" | "ofs" | "o3" => {
            "; Ozone also supports the protocol of S3: write s3://bucket/path, and set s3.endpoint to its S3 gateway".to_owned()
        }
        "http" | "https" => "; write s3://bucket/path for a bucket, and set s3.endpoint to the URL of its store".to_owned(),
        _ => String::new(),
    }
}

/// Whether an entry begins with a scheme. An entry without a scheme is a path.
#[must_use]
pub fn has_scheme(entry: &str) -> bool {
    split_scheme(entry.trim()).is_some()
}

/// Splits off the scheme, which ends with a colon before the first slash, as in Flink.
fn split_scheme(text: &str) -> Option<(&str, &str)> {
    let (scheme, rest) = text.split_once(':')?;
    let mut letters = scheme.chars();
    let is_scheme = letters.next().is_some_and(|first| first.is_ascii_alphabetic())
        && letters.all(|letter| letter.is_ascii_alphanumeric() || matches!(letter, '+' | '-' | '.'));
    is_scheme.then_some((scheme, rest))
}

fn local(text: &str, rest: &str) -> Result<Address, DirectoryError> {
    let path = match rest.strip_prefix("//") {
        Some(after) if after.starts_with('/') => after,
        Some(_) => {
            return Err(DirectoryError::refused(format!(
                "the archive directory {text} contains a host; write file:///path for a local folder"
            )));
        }
        None if rest.starts_with('/') => rest,
        None => {
            return Err(DirectoryError::refused(format!(
                "the archive directory {text} is a relative path with a scheme; write file:///path, or only the path"
            )));
        }
    };
    Ok(Address::Local(absolute(Path::new(path))?))
}

fn absolute(path: &Path) -> Result<PathBuf, DirectoryError> {
    let path = std::path::absolute(path).map_err(|error| DirectoryError::io("resolve", &path.display(), &error))?;
    let mut plain = PathBuf::from("/");
    // `..` is resolved in the text, as in Flink, so that a folder has one URL whatever links are in its path.
    for segment in path.components() {
        match segment {
            std::path::Component::Normal(name) => plain.push(name),
            std::path::Component::ParentDir => {
                plain.pop();
            }
            _ => {}
        }
    }
    Ok(plain)
}

fn store(kind: StoreKind, scheme: &str, rest: &str) -> Result<StoreAddress, DirectoryError> {
    let place = rest.strip_prefix("//").ok_or_else(|| {
        DirectoryError::refused(format!("an archive directory with the scheme {scheme}: must have the form {scheme}://bucket/path"))
    })?;
    let (authority, path) = place.split_once('/').unwrap_or((place, ""));
    // From here on the text may contain credentials, so messages do not quote it.
    let (user, host) = authority.rsplit_once('@').map_or((None, authority), |(user, host)| (Some(user), host));
    let fits = match kind {
        StoreKind::Azure(_) => user.is_some_and(|container| !container.is_empty() && !container.contains(':')) && host.contains('.'),
        StoreKind::S3(_) | StoreKind::Google | StoreKind::Hdfs => user.is_none() && !host.is_empty(),
    };
    if !fits {
        let form = match kind {
            StoreKind::Azure(_) => "container@account.dfs.core.windows.net",
            StoreKind::Hdfs => "namenode:8020",
            StoreKind::S3(_) | StoreKind::Google => "bucket",
        };
        return Err(DirectoryError::refused(format!(
            "an archive directory with the scheme {scheme}: must have the form {scheme}://{form}/path; set credentials by options of the store"
        )));
    }
    if place.contains(['?', '#']) {
        return Err(DirectoryError::refused(format!(
            "the archive directory {scheme}://{host} has a query or a fragment; set tokens by options of the store"
        )));
    }
    let mut segments: Vec<&str> = Vec::new();
    for segment in path.split('/') {
        match segment {
            "" | "." => {}
            ".." => {
                segments.pop();
            }
            name => segments.push(name),
        }
    }
    Ok(StoreAddress { kind, authority: authority.to_owned(), prefix: segments.join("/") })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> String {
        Address::parse(text).unwrap().url()
    }

    #[test]
    fn every_spelling_of_a_local_folder_has_one_url() {
        let here = std::env::current_dir().unwrap();
        for text in ["/data/a", "/data/a/", "file:/data/a", "file:///data/a", "FILE:///data//a//", " /data/./b/../a ", "file:////data/a"] {
            assert_eq!(url(text), "file:///data/a", "{text}");
        }
        assert_eq!(url("archives/x"), format!("file://{}/archives/x", here.display()));
        assert_eq!(url("./with:colon"), format!("file://{}/with:colon", here.display()));
        assert_eq!(url("/"), "file:///");
    }

    #[test]
    fn a_path_is_literal() {
        assert_eq!(url("file:///data/archive with space%+é"), "file:///data/archive with space%+é");
        assert_eq!(url("/data/%20?#"), "file:///data/%20?#");
        assert_eq!(url("s3://bucket/archive with space%20+é"), "s3://bucket/archive with space%20+é");
    }

    #[test]
    fn every_spelling_of_a_store_has_one_url() {
        for text in ["s3://bucket/a/b", "s3a://bucket/a/b/", "S3A://bucket//a/./x/../b", "s3p://bucket/a/b", "s3n://bucket/a/b"] {
            assert_eq!(url(text), "s3://bucket/a/b", "{text}");
        }
        assert_eq!(url("s3://bucket"), "s3://bucket");
        assert_eq!(url("s3://bucket/"), "s3://bucket");
        assert_eq!(url("gs://bucket/x"), "gs://bucket/x");
        assert_eq!(url("OSS://bucket/x"), "oss://bucket/x");
        assert_eq!(url("cos://bucket/x"), "cosn://bucket/x");
        assert_eq!(url("abfs://c@a.dfs.core.windows.net/x"), "abfss://c@a.dfs.core.windows.net/x");
        assert_eq!(url("wasb://c@a.blob.core.windows.net"), "wasbs://c@a.blob.core.windows.net");
        assert_eq!(url("HDFS://namenode:8020//x/"), "hdfs://namenode:8020/x");
        assert_eq!(url("hdfs://nameservice1/x"), "hdfs://nameservice1/x");
    }

    #[test]
    fn invalid_entries_are_refused_without_credentials() {
        for (text, part) in [
            ("", "empty"),
            ("file://host/x", "contains a host"),
            ("file:x", "relative path with a scheme"),
            ("hdfs:///x", "the form hdfs://namenode:8020/path"),
            ("viewfs://x/y", "write the hdfs:// URL that the mount table has for this path"),
            ("swebhdfs://x/y", "write hdfs://NAMENODE:PORT/path"),
            ("maprfs:///x", "mount the file system"),
            ("ofs://host/volume", "S3 gateway"),
            ("https://minio:9000/bucket", "write s3://bucket/path"),
            ("ftp://host/x", "write a path or a URL with file:"),
            ("s3:bucket/x", "the form s3://bucket/path"),
            ("s3:///x", "the form s3://bucket/path"),
            ("s3://key:hunter2@bucket/x", "by options of the store"),
            ("abfss://container:hunter2@a.dfs.core.windows.net/x", "by options of the store"),
            ("abfss://container/x", "container@account"),
            ("wasbs://c@a.blob.core.windows.net/x?sig=hunter2", "query"),
            ("/a\0b", "NUL"),
        ] {
            let error = Address::parse(text).unwrap_err();
            assert!(error.message.contains(part), "{text}: {error}");
            assert!(!error.message.contains("hunter2"), "{text}: {error}");
        }
    }
}
