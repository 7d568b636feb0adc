//! Rights: who sees what, over every route of the server.

mod matrix;
mod rules;
mod world;
