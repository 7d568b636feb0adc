//! The client of a request.

use std::sync::Arc;

/// The client of one request, after authentication. It is in the request's extensions as `Arc<Identity>`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Identity {
    /// Name of the user, of the token or of the certificate; `None`: not signed in.
    pub name: Option<Arc<str>>,
    /// How the client was authenticated.
    pub kind: IdentityKind,
    /// Groups of the user, or the rights of a static token, as its file has them.
    pub groups: Arc<[Arc<str>]>,
}

/// How a client was authenticated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, strum::IntoStaticStr)]
#[strum(serialize_all = "kebab-case")]
pub enum IdentityKind {
    /// Not at all.
    Anonymous,
    /// By a proxy, a JWT or a login.
    User,
    /// By a static token.
    Token,
    /// By a client certificate.
    Certificate,
    /// By the Unix socket in the data directory: the user that runs the server.
    Owner,
}

impl Identity {
    /// A client that is not signed in.
    #[must_use]
    pub fn anonymous() -> Self {
        Self { name: None, kind: IdentityKind::Anonymous, groups: Arc::from([]) }
    }

    /// The user that runs the server.
    #[must_use]
    pub fn owner() -> Self {
        Self { name: None, kind: IdentityKind::Owner, groups: Arc::from([]) }
    }

    /// A client with a name.
    #[must_use]
    pub fn named(name: &str, kind: IdentityKind, groups: impl IntoIterator<Item = impl AsRef<str>>) -> Self {
        let groups = groups.into_iter().map(|group| Arc::from(group.as_ref())).collect();
        Self { name: Some(Arc::from(name)), kind, groups }
    }

    /// Whether the client has proved who it is.
    #[must_use]
    pub fn is_signed_in(&self) -> bool {
        self.kind != IdentityKind::Anonymous
    }
}
