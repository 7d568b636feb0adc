//! The index in SQLite: one file, one writing connection on a thread of its own, a few that only read.
//!
//! Nothing of rusqlite, no SQL and no row id leaves this module, except the id of a pack inside a
//! [`Document`](super::Document), which is never used again for another.

mod applying;
mod archives;
mod checks;
mod connection;
mod contents;
mod deriving;
mod directories;
mod documents;
mod eviction;
mod expiries;
mod facts;
mod failure;
mod health;
mod known;
mod links;
mod listing;
mod lists;
mod packs;
mod pool;
mod precedence;
mod presence;
mod problem_pages;
mod problems;
mod query;
mod record;
mod records;
mod removals;
mod rows;
mod schema;
mod session;
mod texts;
mod units;
mod unread;
mod writing;

pub(super) use rusqlite::Connection;

pub(super) use applying::apply;
pub(super) use contents::{document_page, unit_archives};
pub(super) use deriving::{derive, underived, write_derived};
pub(super) use directories::note_listing;
pub(super) use documents::{chunk, document, overview_of};
pub(super) use expiries::{confirm, confirmed, hold, is_expired, mark, release, unmark};
pub(super) use failure::Failure;
pub(super) use health::{Health, examine, lost_units};
pub(super) use known::{clusters, has_vanished, known, unit_files};
pub(super) use lists::{figures, job_ids, job_states, overview};
pub(super) use packs::{discard, stage};
pub(super) use pool::{Lane, Pool};
pub(super) use presence::{expire, forget, forget_files, note};
pub(super) use problem_pages::{problem_counts, problem_page};
pub(super) use problems::{list as list_problems, replace_of_listing};
pub(super) use query::{copies, facets, list_page, run_page, search, statistics};
pub(super) use record::{deletions, last_refresh, note_followed, note_refresh, prune};
pub(super) use removals::{abandon, begin, fail, finish, forget_gone, held_cleanups, pending, put_back};
pub(super) use schema::SCHEMA_VERSION;
pub(super) use session::Session;
pub(super) use unread::of_owner as unread;
pub(super) use writing::{Answer, Command, Thread, open_counters};
