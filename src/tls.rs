//! TLS of the HTTP server: it is served as configured, or the start fails.
//!
//! Certificates are read again when their files change. Open connections keep theirs. If the new files are not valid, the last valid
//! ones stay in use, and the log says so once.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use rustls::crypto::CryptoProvider;
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::ClientCertVerifier;
use rustls::{RootCertStore, ServerConfig, SupportedProtocolVersion, version};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use tokio_util::sync::CancellationToken;
use x509_parser::prelude::{FromDer as _, X509Certificate};

use crate::config::certificates::{self, Certificates, Stamp};
use crate::config::{ConfigErrors, ConfigProblem, Origin, SslConfig, options};
use crate::tasks;

mod pinned;

use pinned::Pinned;

/// Interval of the checks whether the files have changed.
pub const RELOAD_INTERVAL: Duration = Duration::from_secs(10);

/// Accepts TLS connections. Clones share their certificates.
#[derive(Clone)]
pub struct Acceptor {
    ssl: Arc<SslConfig>,
    current: Arc<ArcSwap<ServerConfig>>,
    /// State of the files before they were read.
    stamps: Vec<Option<Stamp>>,
}

/// The acceptor for this configuration; `None` for plain HTTP. Reads files.
///
/// # Errors
/// TLS cannot be served as configured.
pub fn acceptor(ssl: &SslConfig) -> Result<Option<Acceptor>, ConfigErrors> {
    if !ssl.enabled {
        return Ok(None);
    }
    let stamps = certificates::stamps(ssl);
    let config = server_config(ssl)?;
    Ok(Some(Acceptor { ssl: Arc::new(ssl.clone()), current: Arc::new(ArcSwap::from_pointee(config)), stamps }))
}

impl Acceptor {
    /// The handshake of a connection, with the current certificates. The caller limits its time.
    ///
    /// # Errors
    /// The client does not use TLS, or no allowed version or cipher suite, or presents no accepted certificate.
    pub async fn accept<S: AsyncRead + AsyncWrite + Unpin>(&self, stream: S) -> io::Result<TlsStream<S>> {
        TlsAcceptor::from(self.current.load_full()).accept(stream).await
    }

    /// Reads the files every `interval` if they have changed, until `stop` is cancelled.
    pub async fn reload(mut self, interval: Duration, stop: CancellationToken) {
        let mut timer = tokio::time::interval(interval);
        timer.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        while stop.run_until_cancelled(timer.tick()).await.is_some() {
            let reloaded;
            (self, reloaded) = tasks::spawn_blocking(move || {
                let reloaded = self.reload_if_changed();
                (self, reloaded)
            })
            .await;
            match reloaded {
                Ok(false) => {}
                Ok(true) => tracing::info!("the certificates have changed and are in use"),
                Err(errors) => {
                    tracing::error!(error.cause = %errors, "the certificates have changed and are not valid; the last valid ones stay in use");
                }
            }
        }
    }

    /// Reads the files if they have changed since the last call. Returns whether they have.
    ///
    /// # Errors
    /// The new ones are not valid. The last valid ones stay in use, and later calls do not return this error again.
    pub fn reload_if_changed(&mut self) -> Result<bool, ConfigErrors> {
        let stamps = certificates::stamps(&self.ssl);
        if stamps == self.stamps {
            return Ok(false);
        }
        self.stamps = stamps;
        self.current.store(Arc::new(server_config(&self.ssl)?));
        Ok(true)
    }
}

/// Subject of the verified client certificate of a connection, in the form of RFC 4514; `None`: the client presented none.
#[must_use]
pub fn subject<S>(stream: &TlsStream<S>) -> Option<Arc<str>> {
    let certificate = stream.get_ref().1.peer_certificates()?.first()?;
    let (_, certificate) = X509Certificate::from_der(certificate).ok()?;
    let subject = certificate.subject().to_string();
    (!subject.is_empty()).then(|| Arc::from(subject))
}

fn server_config(ssl: &SslConfig) -> Result<ServerConfig, ConfigErrors> {
    let certificates = certificates::read(ssl)?;
    let (provider, versions) = suites(ssl)?;
    let refused = |option: &options::Spec, message: String| {
        ConfigErrors::from(ConfigProblem { key: Some(option.key.to_owned()), origin: Origin::Default, message })
    };
    let provider = Arc::new(provider);
    let builder = ServerConfig::builder_with_provider(Arc::clone(&provider)).with_protocol_versions(&versions).map_err(|error| {
        refused(&options::SSL_ALGORITHMS, format!("no TLS connection is possible with these versions and cipher suites: {error}"))
    })?;
    let Certificates { chain, key, client_roots } = certificates;
    let builder = if ssl.client_authentication {
        let verifier = client_verifier(ssl, client_roots, &provider).map_err(|message| refused(&options::REST_AUTHENTICATION, message))?;
        builder.with_client_cert_verifier(verifier)
    } else {
        builder.with_no_client_auth()
    };
    let option = if ssl.pem.is_some() { &options::WEB_SSL_CERTIFICATE } else { &options::REST_KEYSTORE };
    let mut config = builder
        .with_single_cert(chain, key)
        .map_err(|error| refused(option, format!("certificate and private key cannot be used together: {error}")))?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}

/// The cipher suites and versions in use. As in Java, a version without any suite is not used.
fn suites(ssl: &SslConfig) -> Result<(CryptoProvider, Vec<&'static SupportedProtocolVersion>), ConfigErrors> {
    let mut provider = rustls::crypto::aws_lc_rs::default_provider();
    if !ssl.algorithms.is_empty() {
        provider.cipher_suites.retain(|suite| {
            let name = certificates::standard_name(suite);
            ssl.algorithms.iter().any(|wanted| wanted.eq_ignore_ascii_case(&name))
        });
    }
    let spoken = |version: &SupportedProtocolVersion, wanted: bool| {
        wanted && provider.cipher_suites.iter().any(|suite| suite.version().version == version.version)
    };
    let mut versions = Vec::new();
    if spoken(&version::TLS13, ssl.tls13) {
        versions.push(&version::TLS13);
    }
    if spoken(&version::TLS12, ssl.tls12) {
        versions.push(&version::TLS12);
    }
    if versions.is_empty() {
        return Err(ConfigErrors::from(ConfigProblem {
            key: Some(options::SSL_ALGORITHMS.key.to_owned()),
            origin: Origin::Default,
            message: format!(
                "none of {} is a supported cipher suite of the configured protocol: leave the option unset for all supported ones, or use some of \
                 TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384, TLS_AES_256_GCM_SHA384",
                ssl.algorithms.join(", ")
            ),
        }));
    }
    Ok((provider, versions))
}

fn client_verifier(
    ssl: &SslConfig,
    roots: Vec<rustls::pki_types::CertificateDer<'static>>,
    provider: &Arc<CryptoProvider>,
) -> Result<Arc<dyn ClientCertVerifier>, String> {
    let mut store = RootCertStore::empty();
    let (_, unusable) = store.add_parsable_certificates(roots);
    if store.is_empty() {
        return Err(format!("none of the {unusable} CA certificates for client certificates is valid"));
    }
    let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(store), Arc::clone(provider))
        .build()
        .map_err(|error| format!("client certificates cannot be checked: {error}"))?;
    Ok(if ssl.fingerprints.is_empty() { verifier } else { Arc::new(Pinned::new(verifier, ssl.fingerprints.clone())) })
}
