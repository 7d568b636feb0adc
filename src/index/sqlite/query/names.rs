//! The names that match a condition.

use std::collections::{HashMap, HashSet};

use rusqlite::{Connection, OptionalExtension as _, params};

use super::{SqliteError, prepare};
use crate::index::query::NameMatch;
use crate::index::query::folding::fold;
use crate::index::sqlite::store::values::signed;

/// Maximum number of gathered names. Where more match, the name of each row is compared instead: such rows are frequent.
const MAX_NAMES: usize = 2_000;

/// Maximum number of trigrams in one query. Few other names have them all; each name is compared whole.
const MAX_TRIGRAMS: usize = 12;

/// Maximum number of names that are all compared where a text is too short for trigrams.
const MAX_SCANNED: i64 = 100_000;

/// A condition on the name.
pub(super) enum Names {
    /// No condition.
    Any,
    /// These.
    Of(HashSet<i64>),
    /// Names are compared one by one.
    Test(Test),
}

/// Compares names one by one.
pub(super) struct Test {
    text: String,
    how: NameMatch,
    seen: HashMap<i64, bool>,
}

impl Names {
    /// Finds the names that match.
    pub(super) fn find(connection: &Connection, text: &str, how: NameMatch) -> Result<Self, SqliteError> {
        let text = fold(text);
        let found = match how {
            NameMatch::Exact => Some(gather(connection, "SELECT id FROM names WHERE folded = ?1 LIMIT ?2", &text)?),
            NameMatch::Prefix => Some(prefixed(connection, &text)?),
            NameMatch::Contains if text.chars().count() >= 3 => Some(containing(connection, &text)?),
            NameMatch::Contains => {
                let names: i64 = prepare(connection, "SELECT coalesce(max(id), 0) FROM names")?.query_row([], |row| row.get(0))?;
                let scan = "SELECT id FROM names WHERE instr(folded, ?1) > 0 LIMIT ?2";
                (names <= MAX_SCANNED).then(|| gather(connection, scan, &text)).transpose()?
            }
        };
        Ok(match found.flatten() {
            Some(ids) => Self::Of(ids),
            None => Self::Test(Test { text, how, seen: HashMap::new() }),
        })
    }

    /// Whether a name matches, and whether it had to be looked up.
    pub(super) fn admit(&mut self, connection: &Connection, name: i64) -> Result<(bool, bool), SqliteError> {
        match self {
            Self::Any => Ok((true, false)),
            Self::Of(ids) => Ok((ids.contains(&name), false)),
            Self::Test(test) => test.admit(connection, name),
        }
    }
}

impl Test {
    fn admit(&mut self, connection: &Connection, name: i64) -> Result<(bool, bool), SqliteError> {
        if let Some(known) = self.seen.get(&name) {
            return Ok((*known, false));
        }
        let mut query = prepare(connection, "SELECT folded FROM names WHERE id = ?1")?;
        let folded: Option<String> = query.query_row([name], |row| row.get(0)).optional()?;
        let matches = folded.is_some_and(|folded| match self.how {
            NameMatch::Contains => folded.contains(&self.text),
            NameMatch::Exact => folded == self.text,
            NameMatch::Prefix => folded.starts_with(&self.text),
        });
        self.seen.insert(name, matches);
        Ok((matches, true))
    }
}

/// The names of a query; `None`: too many.
fn gather(connection: &Connection, sql: &str, text: &str) -> Result<Option<HashSet<i64>>, SqliteError> {
    let mut query = prepare(connection, sql)?;
    let ids: HashSet<i64> = query.query_map(params![text, signed(MAX_NAMES as u64 + 1)], |row| row.get(0))?.collect::<Result<_, _>>()?;
    Ok((ids.len() <= MAX_NAMES).then_some(ids))
}

fn prefixed(connection: &Connection, text: &str) -> Result<Option<HashSet<i64>>, SqliteError> {
    let mut query = prepare(connection, "SELECT id, folded FROM names WHERE folded >= ?1 ORDER BY folded")?;
    let mut rows = query.query([text])?;
    let mut ids = HashSet::new();
    while let Some(row) = rows.next()? {
        if !row.get_ref(1)?.as_str().map_err(rusqlite::Error::from)?.starts_with(text) {
            break;
        }
        ids.insert(row.get(0)?);
        if ids.len() > MAX_NAMES {
            return Ok(None);
        }
    }
    Ok(Some(ids))
}

/// Finds names by trigrams, and compares those that have them all.
fn containing(connection: &Connection, text: &str) -> Result<Option<HashSet<i64>>, SqliteError> {
    let mut query =
        prepare(connection, "SELECT n.id, n.folded FROM names_search s CROSS JOIN names n ON n.id = s.rowid WHERE names_search MATCH ?1")?;
    let mut rows = query.query([trigrams(text)])?;
    let mut ids = HashSet::new();
    // Names with the trigrams but without the text also count: there can be any number of them.
    let mut seen = 0;
    while let Some(row) = rows.next()? {
        seen += 1;
        if row.get_ref(1)?.as_str().map_err(rusqlite::Error::from)?.contains(text) {
            ids.insert(row.get(0)?);
        }
        if ids.len() > MAX_NAMES || seen > 5 * MAX_NAMES {
            return Ok(None);
        }
    }
    Ok(Some(ids))
}

/// An FTS5 query of quoted trigrams only, spread over the text.
fn trigrams(text: &str) -> String {
    let characters: Vec<char> = text.chars().collect();
    let windows: Vec<&[char]> = characters.windows(3).collect();
    let step = windows.len().div_ceil(MAX_TRIGRAMS).max(1);
    let quoted = |window: &[char]| format!("\"{}\"", window.iter().collect::<String>().replace('"', "\"\""));
    windows.iter().step_by(step).map(|window| quoted(window)).collect::<Vec<_>>().join(" AND ")
}
