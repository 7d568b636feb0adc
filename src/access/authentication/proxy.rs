//! User and groups that a proxy has signed in: from headers of a trusted address, or from a token that the proxy has signed.

use http::{HeaderMap, HeaderName};
use ipnet::IpNet;

use super::jwt::{Claimed, is_name};

/// Headers of a proxy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProxyOptions {
    /// Addresses whose headers are believed: `historyserver.security.trusted-proxies`.
    pub trusted: Vec<IpNet>,
    /// Headers with the name of the user, the first that is present counts.
    pub user_headers: Vec<HeaderName>,
    /// Header with the groups, separated by commas.
    pub groups_header: HeaderName,
    /// Header with a signed token; then the other headers are not read.
    pub token_header: Option<HeaderName>,
}

impl Default for ProxyOptions {
    fn default() -> Self {
        Self {
            trusted: Vec::new(),
            user_headers: vec![HeaderName::from_static("x-auth-request-user"), HeaderName::from_static("x-forwarded-user")],
            groups_header: HeaderName::from_static("x-auth-request-groups"),
            token_header: None,
        }
    }
}

impl ProxyOptions {
    /// Removes all headers that name a user, so that nothing after the authentication believes one.
    pub(super) fn strip(&self, headers: &mut HeaderMap) {
        for name in self.user_headers.iter().chain([&self.groups_header]).chain(&self.token_header) {
            headers.remove(name);
        }
    }

    /// User and groups of the headers of a trusted proxy; `None`: they name no user.
    ///
    /// # Errors
    /// The end of the sentence "a sign-in was refused: ".
    pub(super) fn read(&self, headers: &HeaderMap) -> Result<Option<Claimed>, String> {
        let Some(name) = self.user_headers.iter().find(|name| headers.contains_key(*name)) else { return Ok(None) };
        let user = one(headers, name)?;
        if user.is_empty() {
            return Ok(None);
        }
        if !is_name(user) {
            return Err(format!("the header {name} is no name of a user"));
        }
        let groups = if headers.contains_key(&self.groups_header) { one(headers, &self.groups_header)? } else { "" };
        let groups = groups.split(',').map(str::trim).filter(|group| is_name(group)).map(str::to_owned).collect();
        Ok(Some(Claimed { user: user.to_owned(), groups }))
    }
}

/// The only value of a header: with two, one may be the client's own.
pub(super) fn one<'h>(headers: &'h HeaderMap, name: &HeaderName) -> Result<&'h str, String> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (Some(value), None) => std::str::from_utf8(value.as_bytes()).map(str::trim).map_err(|_| format!("the header {name} is no text")),
        _ => Err(format!("the header {name} is there more than once: the proxy must replace it, not add to it")),
    }
}
