//! Permission to send changing requests, and the parts of the server that carry them out.

use std::sync::{Arc, Mutex};
use std::time::Instant;

use crate::schedule::cleanups::Cleaner;
use crate::schedule::periodic::Activator;

/// The parts of the server that changing requests use.
#[derive(Clone)]
pub struct Actions {
    /// Runs cleanups.
    pub cleaner: Cleaner,
    /// Starts refreshes.
    pub activator: Activator,
    /// The clients that may send them over HTTP.
    pub permission: Permission,
    /// The time of the last one over HTTP.
    pub last: Arc<Mutex<Option<Instant>>>,
}

/// The clients that may send changing requests over HTTP. The user of the server always may, by the socket in the data directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Permission {
    /// No client: the server listens on an address that other machines reach.
    NoClient,
    /// Clients on this machine: the server listens on a loopback address.
    ThisMachine,
    /// All clients (`historyserver.web.allow-remote-actions`).
    AllClients,
}

/// Marks a request that came by the socket in the data directory.
#[derive(Debug, Clone, Copy)]
pub struct FromOwner;
