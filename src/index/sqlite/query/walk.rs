//! Rows in the order of a list, from a position on.

use std::ops::ControlFlow;

use rusqlite::{Connection, Params};

use super::order::{Position, row_of, text, texts_after};
use super::table::{Column, Narrow, Table};
use super::{SqliteError, prepare};
use crate::index::sqlite::tables::list_rows::{ABSENT, NO_TEXT};

/// A step of a walk.
pub(super) enum Step<'r> {
    /// A row.
    Row(&'r Narrow, Position),
    /// The rows of a text follow, unless the visitor breaks.
    Group(Position),
}

/// One list in one order.
pub(super) struct Walk<'c> {
    pub(super) connection: &'c Connection,
    pub(super) table: Table,
    pub(super) column: Column,
    pub(super) descending: bool,
    /// The texts whose rows are visited; `None`: all.
    pub(super) groups: Option<Vec<i64>>,
}

impl Walk<'_> {
    /// Passes each row after a position to `visit` until it breaks.
    pub(super) fn run(
        &self,
        after: Option<&Position>,
        visit: &mut impl FnMut(Step<'_>) -> Result<ControlFlow<()>, SqliteError>,
    ) -> Result<(), SqliteError> {
        if self.column.is_text() { self.texts(after, visit) } else { self.numbers(after, visit) }
    }

    fn numbers(
        &self,
        after: Option<&Position>,
        visit: &mut impl FnMut(Step<'_>) -> Result<ControlFlow<()>, SqliteError>,
    ) -> Result<(), SqliteError> {
        let column = self.column.name();
        let select = self.table.select(self.column, "");
        let position = |row: &Narrow| Position { text: String::new(), key: row.key, end: 0, id: row.id };
        if self.descending {
            let sql = format!("{select} WHERE ({column}, id) < (?1, ?2) ORDER BY {column} DESC, id DESC");
            let from = after.map_or((i64::MAX, i64::MAX), |after| (after.key, after.id));
            return self.rows(&sql, from, &position, visit).map(|_| ());
        }
        if after.is_none_or(|after| after.key != ABSENT) {
            let sql = format!("{select} WHERE ({column}, id) > (?1, ?2) ORDER BY {column}, id");
            let from = after.map_or((ABSENT, i64::MAX), |after| (after.key, after.id));
            if self.rows(&sql, from, &position, visit)?.is_break() {
                return Ok(());
            }
        }
        let sql = format!("{select} WHERE {column} = ?1 AND id > ?2 ORDER BY id");
        let from = after.filter(|after| after.key == ABSENT).map_or(i64::MIN, |after| after.id);
        self.rows(&sql, (ABSENT, from), &position, visit).map(|_| ())
    }

    fn texts(
        &self,
        after: Option<&Position>,
        visit: &mut impl FnMut(Step<'_>) -> Result<ControlFlow<()>, SqliteError>,
    ) -> Result<(), SqliteError> {
        if let Some(after) = after {
            // The id of a text may have changed since the previous page.
            let key = if after.key == NO_TEXT { Some(NO_TEXT) } else { row_of(self.connection, self.column, &after.text)? };
            if let Some(key) = key
                && self.group(&after.text, key, (after.end, after.id), visit)?.is_break()
            {
                return Ok(());
            }
            if after.key == NO_TEXT {
                return Ok(());
            }
        }
        let mut after = after.map(|after| after.text.clone());
        loop {
            let texts = self.next_texts(after.as_deref())?;
            for (text, key) in &texts {
                if visit(Step::Group(Position::after_group(text.clone(), *key)))?.is_break()
                    || self.group(text, *key, (i64::MAX, i64::MAX), visit)?.is_break()
                {
                    return Ok(());
                }
            }
            match texts.into_iter().next_back() {
                Some((last, _)) if self.groups.is_none() => after = Some(last),
                _ => break,
            }
        }
        if self.groups.is_none() {
            return self.group("", NO_TEXT, (i64::MAX, i64::MAX), visit).map(|_| ());
        }
        Ok(())
    }

    fn next_texts(&self, after: Option<&str>) -> Result<Vec<(String, i64)>, SqliteError> {
        let Some(groups) = &self.groups else { return texts_after(self.connection, self.column, self.descending, after) };
        let mut texts = Vec::with_capacity(groups.len());
        for key in groups {
            if let Some(text) = text(self.connection, self.column, *key)?
                && after.is_none_or(|after| if self.descending { text.as_str() < after } else { text.as_str() > after })
            {
                texts.push((text, *key));
            }
        }
        texts.sort_unstable();
        if self.descending {
            texts.reverse();
        }
        Ok(texts)
    }

    fn group(
        &self,
        text: &str,
        key: i64,
        before: (i64, i64),
        visit: &mut impl FnMut(Step<'_>) -> Result<ControlFlow<()>, SqliteError>,
    ) -> Result<ControlFlow<()>, SqliteError> {
        let column = self.column.name();
        let select = self.table.select(self.column, ", end_time");
        let sql = format!("{select} WHERE {column} = ?1 AND (end_time, id) < (?2, ?3) ORDER BY end_time DESC, id DESC");
        let mut query = prepare(self.connection, &sql)?;
        let mut rows = query.query((key, before.0, before.1))?;
        while let Some(found) = rows.next()? {
            let row = Narrow::read(found)?;
            let position = Position { text: text.to_owned(), key, end: found.get(9)?, id: row.id };
            if visit(Step::Row(&row, position))?.is_break() {
                return Ok(ControlFlow::Break(()));
            }
        }
        Ok(ControlFlow::Continue(()))
    }

    fn rows(
        &self,
        sql: &str,
        from: impl Params,
        position: &impl Fn(&Narrow) -> Position,
        visit: &mut impl FnMut(Step<'_>) -> Result<ControlFlow<()>, SqliteError>,
    ) -> Result<ControlFlow<()>, SqliteError> {
        let mut query = prepare(self.connection, sql)?;
        let mut rows = query.query(from)?;
        while let Some(row) = rows.next()? {
            let row = Narrow::read(row)?;
            if visit(Step::Row(&row, position(&row)))?.is_break() {
                return Ok(ControlFlow::Break(()));
            }
        }
        Ok(ControlFlow::Continue(()))
    }
}
