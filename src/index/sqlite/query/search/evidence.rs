//! Evidence for a term: the names, ids and texts with it, as far as they are few.

use std::collections::{HashMap, HashSet};

use rusqlite::{Connection, OptionalExtension as _, params};

use super::limits::SearchLimits;
use super::{SqliteError, prepare};
use crate::index::model::texts::{KINDS, TextKind, pieces};
use crate::index::query::search::terms::Term;
use crate::index::query::search::words::SearchWord;
use crate::index::query::{ListKind, NameMatch, SearchField, SearchQuery};
use crate::index::sqlite::query::names::Names;
use crate::pack::unpack_text;

/// Cost of reading a text, in walked rows.
const READ_COST: u64 = 30;
/// Cost of a lookup, in walked rows.
const LOOKUP_COST: u64 = 5;

/// Evidence for one term.
pub(super) struct Evidence {
    pub(super) term: Term,
    /// `None`: names are not searched.
    names: Option<Names>,
    /// Ids of applications and of jobs; `None`: ids are not searched, or the term cannot be the prefix of an id.
    ids: Option<[Ids; 2]>,
    texts: Texts,
}

/// Rows whose id begins with the term: gathered, or compared one by one where there are too many.
enum Ids {
    These(HashSet<i64>),
    /// Many rows: the first and the last id.
    Between([u8; 16], [u8; 16]),
}

/// Texts with the keys of the term.
#[derive(Default)]
struct Texts {
    known: HashSet<i64>,
    /// Texts before this one are unknown; `None`: all texts are known.
    known_from: Option<i64>,
    /// Texts that were read, each with whether it contains the term.
    read: HashMap<i64, bool>,
    kinds: Vec<TextKind>,
}

/// Whether a term was found, and the cost of the comparison.
pub(super) struct Verdict {
    pub(super) found: bool,
    pub(super) cost: u64,
}

impl Evidence {
    pub(super) fn find(connection: &Connection, query: &SearchQuery, term: Term, limits: SearchLimits) -> Result<Self, SqliteError> {
        let names = if query.includes(SearchField::Name) { Some(Names::find(connection, &term.text, NameMatch::Contains)?) } else { None };
        let ids = match term.ids().filter(|_| query.includes(SearchField::Id)) {
            Some(range) => Some([
                Ids::find(connection, ListKind::Applications, range, limits.gathered)?,
                Ids::find(connection, ListKind::Jobs, range, limits.gathered)?,
            ]),
            None => None,
        };
        let kinds: Vec<TextKind> = KINDS.into_iter().filter(|kind| query.includes(kind.field())).collect();
        let texts = Texts::find(connection, &term, kinds, limits.texts)?;
        Ok(Self { term, names, ids, texts })
    }

    /// Whether no row can contain the term.
    pub(super) fn is_none(&self) -> bool {
        let no_name = match &self.names {
            None => true,
            Some(Names::Of(names)) => names.is_empty(),
            Some(_) => false,
        };
        let no_id = self.ids.as_ref().is_none_or(|ids| ids.iter().all(|ids| matches!(ids, Ids::These(rows) if rows.is_empty())));
        no_name && no_id && self.texts.known.is_empty()
    }

    /// Number of names, ids and texts with the term; `None`: there are too many.
    pub(super) fn size(&self) -> Option<usize> {
        let names = match &self.names {
            None => 0,
            Some(Names::Of(names)) => names.len(),
            Some(_) => return None,
        };
        let mut ids = 0;
        for each in self.ids.iter().flatten() {
            match each {
                Ids::These(rows) => ids += rows.len(),
                Ids::Between(..) => return None,
            }
        }
        self.texts.known_from.is_none().then_some(names + ids + self.texts.known.len())
    }

    /// All rows of a kind that can contain the term; `None`: more than `max`. Only where [`Evidence::size`] is known.
    pub(super) fn rows(&self, connection: &Connection, kind: ListKind, max: usize) -> Result<Option<HashSet<i64>>, SqliteError> {
        let mut rows = HashSet::new();
        if let Some([applications, jobs]) = &self.ids
            && let Ids::These(these) = if kind == ListKind::Applications { applications } else { jobs }
        {
            rows.extend(these);
        }
        let (by_name, by_text) = match kind {
            ListKind::Applications => (
                "SELECT id FROM application_list INDEXED BY application_list_name WHERE name = ?1 LIMIT ?2",
                "SELECT application FROM application_texts INDEXED BY application_texts_by_text WHERE text = ?1 LIMIT ?2",
            ),
            ListKind::Jobs => (
                "SELECT id FROM job_list INDEXED BY job_list_name WHERE name = ?1 LIMIT ?2",
                "SELECT job FROM job_texts INDEXED BY job_texts_by_text WHERE text = ?1 LIMIT ?2",
            ),
        };
        let mut add = |sql: &str, keys: &HashSet<i64>| -> Result<bool, SqliteError> {
            let mut query = prepare(connection, sql)?;
            for key in keys {
                let left = i64::try_from(max + 1).unwrap_or(i64::MAX);
                let mut found = query.query(params![key, left])?;
                while let Some(row) = found.next()? {
                    rows.insert(row.get(0)?);
                }
                if rows.len() > max {
                    return Ok(false);
                }
            }
            Ok(true)
        };
        let names = match &self.names {
            Some(Names::Of(names)) => add(by_name, names)?,
            _ => true,
        };
        let fits = names && add(by_text, &self.texts.known)?;
        Ok((fits && rows.len() <= max).then_some(rows))
    }

    /// Whether a row contains the term.
    pub(super) fn admits(
        &mut self,
        connection: &Connection,
        kind: ListKind,
        row: i64,
        name: i64,
        texts: &[i64],
    ) -> Result<Verdict, SqliteError> {
        let mut cost = 0;
        if let Some(names) = &mut self.names {
            let (found, looked_up) = names.admit(connection, name)?;
            cost += if looked_up { LOOKUP_COST } else { 0 };
            if found {
                return Ok(Verdict { found, cost });
            }
        }
        if let Some([applications, jobs]) = &self.ids {
            let ids = if kind == ListKind::Applications { applications } else { jobs };
            if matches!(ids, Ids::Between(..)) {
                cost += LOOKUP_COST;
            }
            if ids.have(connection, kind, row)? {
                return Ok(Verdict { found: true, cost });
            }
        }
        for text in texts {
            let verdict = self.texts.have(connection, &self.term, *text)?;
            cost += verdict.cost;
            if verdict.found {
                return Ok(Verdict { found: true, cost });
            }
        }
        Ok(Verdict { found: false, cost })
    }
}

impl Ids {
    fn find(connection: &Connection, kind: ListKind, range: ([u8; 16], [u8; 16]), max: usize) -> Result<Self, SqliteError> {
        let sql = match kind {
            ListKind::Applications => "SELECT unit FROM applications WHERE application BETWEEN ?1 AND ?2 LIMIT ?3",
            ListKind::Jobs => "SELECT id FROM jobs WHERE job BETWEEN ?1 AND ?2 LIMIT ?3",
        };
        let limit = i64::try_from(max + 1).unwrap_or(i64::MAX);
        let rows: HashSet<i64> =
            prepare(connection, sql)?.query_map(params![range.0, range.1, limit], |row| row.get(0))?.collect::<Result<_, _>>()?;
        Ok(if rows.len() > max { Self::Between(range.0, range.1) } else { Self::These(rows) })
    }

    fn have(&self, connection: &Connection, kind: ListKind, row: i64) -> Result<bool, SqliteError> {
        let (first, last) = match self {
            Self::These(rows) => return Ok(rows.contains(&row)),
            Self::Between(first, last) => (first, last),
        };
        let sql = match kind {
            ListKind::Applications => "SELECT application FROM applications WHERE unit = ?1",
            ListKind::Jobs => "SELECT job FROM jobs WHERE id = ?1",
        };
        let id: Option<[u8; 16]> = prepare(connection, sql)?.query_row([row], |row| row.get(0)).optional()?;
        Ok(id.is_some_and(|id| (first..=last).contains(&&id)))
    }
}

impl Texts {
    fn find(connection: &Connection, term: &Term, kinds: Vec<TextKind>, max: usize) -> Result<Self, SqliteError> {
        if term.words.is_empty() || kinds.is_empty() {
            return Ok(Self::default());
        }
        let mut query = prepare(connection, "SELECT rowid FROM texts_search WHERE texts_search MATCH ?1 ORDER BY rowid DESC LIMIT ?2")?;
        let limit = i64::try_from(max).unwrap_or(i64::MAX);
        let newest: Vec<i64> = query.query_map(params![of_words(term, &kinds), limit], |row| row.get(0))?.collect::<Result<_, _>>()?;
        let known_from = if newest.len() < max { None } else { newest.last().copied() };
        Ok(Self { known: newest.into_iter().collect(), known_from, read: HashMap::new(), kinds })
    }

    /// Whether a text contains the term.
    fn have(&mut self, connection: &Connection, term: &Term, text: i64) -> Result<Verdict, SqliteError> {
        let is_known = self.known_from.is_none_or(|from| text >= from);
        if is_known && (term.is_decided_by_keys() || !self.known.contains(&text)) {
            return Ok(Verdict { found: self.known.contains(&text), cost: 0 });
        }
        if let Some(found) = self.read.get(&text) {
            return Ok(Verdict { found: *found, cost: 0 });
        }
        let found = match read_text(connection, text)? {
            Some((kind, content)) if self.kinds.contains(&kind) => pieces(&content).any(|piece| term.find(piece, kind.parts()).is_some()),
            _ => false,
        };
        self.read.insert(text, found);
        Ok(Verdict { found, cost: READ_COST })
    }
}

/// An FTS5 query of quoted words only: all words of the term, in one of these kinds of text.
fn of_words(term: &Term, kinds: &[TextKind]) -> String {
    let of_kind = |kind: &TextKind| {
        let keys = term.words.iter().flat_map(SearchWord::keys);
        let quoted: Vec<String> = keys.map(|(key, open)| format!("\"{}{key}\"{}", kind.letter(), if open { "*" } else { "" })).collect();
        format!("({})", quoted.join(" AND "))
    };
    kinds.iter().map(of_kind).collect::<Vec<_>>().join(" OR ")
}

/// A text, uncompressed.
pub(super) fn read_text(connection: &Connection, text: i64) -> Result<Option<(TextKind, String)>, SqliteError> {
    let mut query = prepare(connection, "SELECT kind, content FROM texts WHERE id = ?1")?;
    let found: Option<(i64, Vec<u8>)> = query.query_row([text], |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
    let Some((kind, content)) = found else { return Ok(None) };
    let Some(kind) = TextKind::of_number(kind) else { return Ok(None) };
    Ok(Some((kind, unpack_text(&content)?)))
}
