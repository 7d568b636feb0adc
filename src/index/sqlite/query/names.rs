//! Which names match.

use std::collections::{HashMap, HashSet};

use rusqlite::{Connection, OptionalExtension as _, params};

use super::{SqliteError, prepare};
use crate::index::query::NameMatch;
use crate::index::query::folding::fold;

/// So many names are gathered; where more match, each row's name is looked at instead, since such rows are frequent.
const MOST: i64 = 2_000;

/// Trigrams of a text that are looked for together: they leave few names over, each of which is compared whole.
const TRIGRAMS: usize = 12;

/// Up to so many names are all compared where a text is too short for trigrams.
const SHORT_SCAN: i64 = 100_000;

/// A condition on the name.
pub(super) enum Names {
    /// None.
    Any,
    /// These.
    Of(HashSet<i64>),
    /// Those that match when looked at.
    Test(Test),
}

/// Looks at names as they come.
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
                (names <= SHORT_SCAN).then(|| gather(connection, scan, &text)).transpose()?
            }
        };
        Ok(match found.flatten() {
            Some(ids) => Self::Of(ids),
            None => Self::Test(Test { text, how, seen: HashMap::new() }),
        })
    }

    /// Whether this name matches, and whether it had to be looked up.
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

/// Names of this query; `None`: too many.
fn gather(connection: &Connection, sql: &str, text: &str) -> Result<Option<HashSet<i64>>, SqliteError> {
    let mut query = prepare(connection, sql)?;
    let ids: HashSet<i64> = query.query_map(params![text, MOST + 1], |row| row.get(0))?.collect::<Result<_, _>>()?;
    Ok(fits(ids))
}

fn fits(ids: HashSet<i64>) -> Option<HashSet<i64>> {
    (i64::try_from(ids.len()).unwrap_or(i64::MAX) <= MOST).then_some(ids)
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
        if fits_not(&ids) {
            return Ok(None);
        }
    }
    Ok(Some(ids))
}

fn fits_not(ids: &HashSet<i64>) -> bool {
    i64::try_from(ids.len()).unwrap_or(i64::MAX) > MOST
}

/// Asks the trigrams, and compares the names that have them all.
fn containing(connection: &Connection, text: &str) -> Result<Option<HashSet<i64>>, SqliteError> {
    let mut query =
        prepare(connection, "SELECT n.id, n.folded FROM names_search s CROSS JOIN names n ON n.id = s.rowid WHERE names_search MATCH ?1")?;
    let mut rows = query.query([trigrams(text)])?;
    let mut ids = HashSet::new();
    // Names that have the trigrams but not the text count, too: there could be any number of them.
    let mut seen = 0;
    while let Some(row) = rows.next()? {
        seen += 1;
        if row.get_ref(1)?.as_str().map_err(rusqlite::Error::from)?.contains(text) {
            ids.insert(row.get(0)?);
        }
        if fits_not(&ids) || seen > 5 * MOST {
            return Ok(None);
        }
    }
    Ok(Some(ids))
}

/// A query of FTS5 that holds nothing but quoted trigrams, spread over the text.
fn trigrams(text: &str) -> String {
    let characters: Vec<char> = text.chars().collect();
    let windows: Vec<&[char]> = characters.windows(3).collect();
    let step = windows.len().div_ceil(TRIGRAMS).max(1);
    let quoted = |window: &[char]| format!("\"{}\"", window.iter().collect::<String>().replace('"', "\"\""));
    windows.iter().step_by(step).map(|window| quoted(window)).collect::<Vec<_>>().join(" AND ")
}
