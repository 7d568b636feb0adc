//! Certificates and keys of the HTTP server, read from PKCS#12 stores or PEM files.

use std::path::{Path, PathBuf};
use std::time::SystemTime;

use p12_keystore::error::Error as StoreError;
use p12_keystore::{KeyStore, KeyStoreEntry, Pkcs12Archive, Pkcs12ImportPolicy};
use rustls::SupportedCipherSuite;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use super::options;
use super::problem::{ConfigErrors, ConfigProblem};
use super::sections::{SslConfig, Store};
use super::settings::Origin;

/// Certificates and key of the HTTP server.
#[derive(Debug)]
pub struct Certificates {
    /// The server's certificate, followed by the certificates that signed it.
    pub chain: Vec<CertificateDer<'static>>,
    /// Its private key.
    pub key: PrivateKeyDer<'static>,
    /// The authorities that may sign client certificates; empty when clients need no certificate.
    pub client_roots: Vec<CertificateDer<'static>>,
}

/// State of a file, to detect changes. Links are followed: Kubernetes replaces secrets by changing a link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stamp {
    modified: Option<SystemTime>,
    length: u64,
    #[cfg(unix)]
    inode: u64,
}

/// Reads all certificates and keys of the configuration.
///
/// # Errors
/// A problem for each file that cannot be read, has another type, or has another password.
pub fn read(ssl: &SslConfig) -> Result<Certificates, ConfigErrors> {
    let mut problems = Vec::new();
    let identity = match (&ssl.pem, &ssl.keystore) {
        (Some(pem), _) => {
            let chain = pem_certificates(options::WEB_SSL_CERTIFICATE.key, &pem.certificate, &mut problems);
            let key = pem_key(&pem.private_key, &mut problems);
            chain.zip(key)
        }
        (None, Some(store)) => open(store, &mut problems).and_then(|bytes| key_chain(store, ssl, &bytes, &mut problems)),
        (None, None) => {
            problems.push(problem(options::WEB_SSL_ENABLED.key, None, "is true, but no certificate is configured".to_owned()));
            None
        }
    };
    let client_roots = match (ssl.client_authentication, &ssl.client_ca, &ssl.truststore) {
        (false, _, _) => Some(Vec::new()),
        (true, Some(path), _) => pem_certificates(options::WEB_SSL_CLIENT_CA.key, path, &mut problems),
        (true, None, Some(store)) => open(store, &mut problems).and_then(|bytes| trusted(store, &bytes, &mut problems)),
        (true, None, None) => {
            let message = "is true, but no authority for client certificates is configured".to_owned();
            problems.push(problem(options::REST_AUTHENTICATION.key, None, message));
            None
        }
    };
    match (identity, client_roots) {
        (Some((chain, key)), Some(client_roots)) if problems.is_empty() => Ok(Certificates { chain, key, client_roots }),
        _ => Err(ConfigErrors { problems, warnings: Vec::new() }),
    }
}

/// The states of all files that [`read`] reads, in a fixed order; `None` for a missing file.
#[must_use]
pub fn stamps(ssl: &SslConfig) -> Vec<Option<Stamp>> {
    let pem = ssl.pem.iter().flat_map(|pem| [&pem.certificate, &pem.private_key]);
    let stores = ssl.keystore.iter().chain(&ssl.truststore).map(|store| &store.path);
    pem.chain(stores).chain(&ssl.client_ca).map(stamp).collect()
}

/// The name of a cipher suite in the standards, which `security.ssl.algorithms` uses: rustls writes `TLS13_` for `TLS_`.
#[must_use]
pub fn standard_name(suite: &SupportedCipherSuite) -> String {
    format!("{:?}", suite.suite()).replace("TLS13_", "TLS_")
}

fn stamp(path: &PathBuf) -> Option<Stamp> {
    let metadata = std::fs::metadata(path).ok()?;
    Some(Stamp {
        modified: metadata.modified().ok(),
        length: metadata.len(),
        #[cfg(unix)]
        inode: std::os::unix::fs::MetadataExt::ino(&metadata),
    })
}

fn problem(key: &str, path: Option<&Path>, message: String) -> ConfigProblem {
    let origin = path.map_or(Origin::Default, |path| Origin::File(path.to_owned(), None));
    ConfigProblem { key: Some(key.to_owned()), origin, message }
}

fn bytes(option: &str, path: &Path, problems: &mut Vec<ConfigProblem>) -> Option<Vec<u8>> {
    match std::fs::read(path) {
        Ok(bytes) => Some(bytes),
        Err(error) => {
            problems.push(problem(option, Some(path), format!("cannot be read: {error}")));
            None
        }
    }
}

/// Reads a store. A store in a format of Java is refused with the command that converts it.
fn open(store: &Store, problems: &mut Vec<ConfigProblem>) -> Option<Vec<u8>> {
    let bytes = bytes(store.option, &store.path, problems)?;
    let format = match bytes.get(..4) {
        Some([0xfe, 0xed, 0xfe, 0xed]) => "JKS",
        Some([0xce, 0xce, 0xce, 0xce]) => "JCEKS",
        _ => return Some(bytes),
    };
    let command = super::keytool_command(&store.path);
    problems.push(problem(
        store.option,
        Some(&store.path),
        format!("is a {format} store; only PKCS12 stores are supported: convert it by {command}"),
    ));
    None
}

/// The reason why a store cannot be opened, as the end of a sentence.
fn store_fault(error: &StoreError) -> String {
    match error {
        StoreError::MacError(_) => "has another password, or is damaged".to_owned(),
        StoreError::UnsupportedEncryptionScheme | StoreError::UnsupportedMacAlgorithm => {
            format!("has an unsupported encryption ({error}); create it again with Java's keytool or openssl pkcs12 -export")
        }
        other => format!("is not a valid PKCS12 store: {other}"),
    }
}

fn key_chain(
    store: &Store,
    ssl: &SslConfig,
    bytes: &[u8],
    problems: &mut Vec<ConfigProblem>,
) -> Option<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>)> {
    let refused = |message: String| problem(store.option, Some(&store.path), message);
    let opened = match KeyStore::from_pkcs12(bytes, store.password.reveal(), Pkcs12ImportPolicy::Strict) {
        Ok(opened) => opened,
        Err(error) => {
            let other_password = ssl.key_password.as_ref().is_some_and(|password| *password != store.password);
            let hint = if other_password { "; the key must have the password of the store, but key-password is different" } else { "" };
            problems.push(refused(format!("{}{hint}", store_fault(&error))));
            return None;
        }
    };
    let Some((_alias, chain)) = opened.private_key_chain() else {
        problems.push(refused("contains no private key with a certificate".to_owned()));
        return None;
    };
    let certificates = chain.certs().iter().map(|certificate| CertificateDer::from(certificate.as_der().to_vec())).collect();
    match PrivateKeyDer::try_from(chain.key().as_der().to_vec()) {
        Ok(key) => Some((certificates, key)),
        Err(fault) => {
            problems.push(refused(format!("contains an invalid private key: {fault}")));
            None
        }
    }
}

/// The authorities of a trust store, as in Java: certificates marked as trusted, and the first certificate of each key's chain.
fn trusted(store: &Store, bytes: &[u8], problems: &mut Vec<ConfigProblem>) -> Option<Vec<CertificateDer<'static>>> {
    let password = store.password.reveal();
    let opened = KeyStore::from_pkcs12(bytes, password, Pkcs12ImportPolicy::Strict);
    let archive = Pkcs12Archive::from_pkcs12(bytes, password);
    let (opened, archive) = match (opened, archive) {
        (Ok(opened), Ok(archive)) => (opened, archive),
        (Err(error), _) | (_, Err(error)) => {
            problems.push(problem(store.option, Some(&store.path), store_fault(&error)));
            return None;
        }
    };
    let marked = opened.entries().filter_map(|(_, entry)| match entry {
        KeyStoreEntry::Certificate(certificate) => Some(certificate),
        KeyStoreEntry::PrivateKeyChain(chain) => chain.certs().first(),
        KeyStoreEntry::Secret(_) => None,
    });
    let roots: Vec<_> = marked.map(|certificate| CertificateDer::from(certificate.as_der().to_vec())).collect();
    if roots.is_empty() {
        let message = if archive.certs.is_empty() {
            "contains no certificate".to_owned()
        } else {
            "contains no certificate that is marked as trusted; add it with Java's keytool -importcert, or set the certificates as PEM in \
             historyserver.web.ssl.client-ca"
                .to_owned()
        };
        problems.push(problem(store.option, Some(&store.path), message));
        return None;
    }
    Some(roots)
}

fn pem_certificates(option: &str, path: &Path, problems: &mut Vec<ConfigProblem>) -> Option<Vec<CertificateDer<'static>>> {
    let text = bytes(option, path, problems)?;
    let message = match CertificateDer::pem_slice_iter(&text).collect::<Result<Vec<_>, _>>() {
        Ok(certificates) if !certificates.is_empty() => return Some(certificates),
        Ok(_) => "contains no certificate in PEM format (BEGIN CERTIFICATE)".to_owned(),
        Err(error) => format!("contains an invalid certificate: {error}"),
    };
    problems.push(problem(option, Some(path), message));
    None
}

fn pem_key(path: &Path, problems: &mut Vec<ConfigProblem>) -> Option<PrivateKeyDer<'static>> {
    let option = options::WEB_SSL_PRIVATE_KEY.key;
    let text = bytes(option, path, problems)?;
    let encrypted = String::from_utf8_lossy(&text).contains("ENCRYPTED");
    let message = match PrivateKeyDer::from_pem_slice(&text) {
        Ok(key) if !encrypted => return Some(key),
        Ok(_) | Err(_) if encrypted => {
            "contains an encrypted key; decrypt it by openssl pkey -in KEY -out PLAIN, or use a PKCS12 store".to_owned()
        }
        Ok(_) => "contains no private key".to_owned(),
        Err(error) => format!("contains no valid private key in PEM format (BEGIN PRIVATE KEY): {error}"),
    };
    problems.push(problem(option, Some(path), message));
    None
}
