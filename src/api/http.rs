//! HTTP on all paths: connections, requests, parameters, representations and errors.

pub(crate) mod authentication;
pub(crate) mod budget;
pub(crate) mod client;
pub(crate) mod conditional;
pub(crate) mod cross_origin;
pub(crate) mod deflate;
pub(crate) mod encoding;
pub(crate) mod error;
pub(crate) mod extract;
pub(crate) mod fairness;
pub(crate) mod gzip;
pub(crate) mod hosts;
pub(crate) mod observe;
pub(crate) mod path;
pub(crate) mod represent;
pub(crate) mod response;
pub(crate) mod serve;
pub(crate) mod sign_in;
pub(crate) mod turns;
