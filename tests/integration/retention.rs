//! What is retained, what is deleted and forgotten, and what is left alone.

mod deletion;
mod guard;
mod limits;
mod world;
