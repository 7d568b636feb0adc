//! Errors of the client as errors of `object_store`, with a sentence as their cause.

use std::error::Error;
use std::fmt;

use ::object_store::Error as StoreError;
use hdfs_native::HdfsError;

/// Name of the store in errors of `object_store`.
const STORE: &str = "HDFS";

/// A file or folder that does not exist.
pub(super) fn not_found(path: &str) -> StoreError {
    StoreError::NotFound { path: path.to_owned(), source: "the file does not exist".into() }
}

/// Whether a folder could not be deleted because it contains something.
pub(super) fn is_not_empty(error: &HdfsError) -> bool {
    matches!(error, HdfsError::RPCError(exception, message)
        if exception.ends_with("PathIsNotEmptyDirectoryException") || message.contains("is non empty"))
}

/// An error without a kind of its own.
pub(super) fn generic(message: impl Into<String>) -> StoreError {
    StoreError::Generic { store: STORE, source: Cause(message.into()).into() }
}

/// An error of the client as one of `object_store`, with a sentence as its cause.
pub(super) fn converted(error: HdfsError) -> StoreError {
    let exception = |name: &str| name.rsplit('.').next().unwrap_or(name).to_owned();
    match error {
        HdfsError::FileNotFound(path) => not_found(&path),
        HdfsError::AlreadyExists(path) => StoreError::AlreadyExists { path, source: Cause("the file exists".to_owned()).into() },
        HdfsError::RPCError(name, message) | HdfsError::FatalRPCError(name, message) => {
            // The rest is a stack trace of Java.
            let sentence = Cause(format!("the NameNode answers {}: {}", exception(&name), message.lines().next().unwrap_or_default()));
            match exception(&name).as_str() {
                "FileNotFoundException" => StoreError::NotFound { path: String::new(), source: sentence.into() },
                "AccessControlException" if !message.contains("authentication is not enabled") => {
                    StoreError::PermissionDenied { path: String::new(), source: sentence.into() }
                }
                "AccessControlException" | "AuthorizationException" | "SaslException" | "GSSException" | "SecretManager$InvalidToken" => {
                    StoreError::Unauthenticated { path: String::new(), source: sentence.into() }
                }
                _ => StoreError::Generic { store: STORE, source: sentence.into() },
            }
        }
        error @ (HdfsError::SASLError(_) | HdfsError::GSSAPIError(..) | HdfsError::NoSASLMechanism) => {
            let sentence = Cause(format!(
                "the login by Kerberos failed: {error}; check security.kerberos.login.keytab and security.kerberos.login.principal, or the \
                 ticket cache, and hadoop.security.authentication in core-site.xml"
            ));
            StoreError::Unauthenticated { path: String::new(), source: sentence.into() }
        }
        HdfsError::IOError(error) => StoreError::Generic { store: STORE, source: error.into() },
        error => StoreError::Generic { store: STORE, source: Cause(error.to_string()).into() },
    }
}

/// A sentence.
#[derive(Debug)]
struct Cause(String);

impl fmt::Display for Cause {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl Error for Cause {}
