//! What is retained, what is deleted and forgotten, and what is left alone.

mod clock;
mod command;
mod crash;
mod deletion;
mod faults;
mod first_limits;
mod flat_jobs;
mod guard;
mod http;
mod in_stores;
mod limits;
mod model;
mod schedule;
mod unread;
mod withdrawn;
mod world;
