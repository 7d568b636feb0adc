//! What is kept in an archive directory and for how long, and the removal of what is not.

pub mod policy;
pub mod trust;
