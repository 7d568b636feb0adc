//! The index in SQLite: one file, one writing connection on a thread of its own, a few that only read.
//!
//! Nothing of rusqlite, no SQL and no row id leaves this module, except the id of a pack inside a
//! [`Document`](super::Document), which is never used again for another.

mod acts;
mod query;
mod reads;
pub(super) mod store;
mod tables;
mod visibility;

pub(super) use rusqlite::Connection;

pub(super) use acts::applying::apply;
pub(super) use acts::backfill::{derive, underived, write_derived};
pub(super) use acts::held_cleanups::{confirm, confirmed, hold, release};
pub(super) use acts::listing::list;
pub(super) use acts::presence::{expire, forget, forget_files, note};
pub(super) use acts::removals::{abandon, fail, finish, forget_missing, record, reset, start, withdraw};
pub(super) use query::{Seen, copies, facets, list_page, list_page_with_run_facts, run_page, search, seen, statistics};
pub(super) use reads::contents::{document_page, unit_archives};
pub(super) use reads::documents::{beginning, chunk, is_indexed, overview_of};
pub(super) use reads::known::{clusters, has_vanished, known, unit_files};
pub(super) use reads::overviews::{figures, job_ids, job_states, overview};
pub(super) use reads::problem_pages::{problem_counts, problem_page};
pub(super) use reads::removals::{are_visible, held_cleanups, is_expired, page as removal_page};
pub(super) use reads::unread::of_owner as unread;
pub(super) use store::copy::{contents, copy_into, renew_identity};
pub(super) use store::health::{examine, lost_units};
pub(super) use store::schema::SCHEMA_VERSION;
pub(super) use store::writer_thread::open_counters;
pub(super) use tables::deletions::{deletions, last_refresh, note_followed, note_refresh, prune};
pub(super) use tables::directories::note_listing;
pub(super) use tables::packs::{discard, stage};
pub(super) use tables::problems::replace_of_listing;
