//! Columns of text, and CSV.

use std::io::{self, Write};

use super::printable::printable;
use crate::spreadsheet::harmless;

/// Longest text of a cell, in characters.
const MAX_WIDTH: usize = 60;

/// A table that is printed part by part: of a long list only one part is in memory. Columns only become wider.
pub(super) struct Table {
    widths: Vec<usize>,
    titles: Option<Vec<&'static str>>,
    max_width: usize,
}

impl Table {
    /// A table with these titles.
    pub(super) fn new(titles: &[&'static str]) -> Self {
        Self { widths: titles.iter().map(|title| title.chars().count()).collect(), titles: Some(titles.to_vec()), max_width: MAX_WIDTH }
    }

    /// Cuts no cell.
    pub(super) fn unlimited(self) -> Self {
        Self { max_width: usize::MAX, ..self }
    }

    /// Prints rows, before the first of them the titles.
    pub(super) fn print(&mut self, rows: &[Vec<String>], out: &mut dyn Write) -> io::Result<()> {
        let rows: Vec<Vec<String>> = rows.iter().map(|row| row.iter().map(|cell| fitted(cell, self.max_width)).collect()).collect();
        for row in &rows {
            for (width, cell) in self.widths.iter_mut().zip(row) {
                *width = (*width).max(cell.chars().count());
            }
        }
        if let Some(titles) = self.titles.take() {
            self.line(&titles, out)?;
        }
        for row in &rows {
            self.line(row, out)?;
        }
        Ok(())
    }

    fn line(&self, cells: &[impl AsRef<str>], out: &mut dyn Write) -> io::Result<()> {
        let mut line = String::new();
        for (cell, width) in cells.iter().zip(&self.widths) {
            let cell = cell.as_ref();
            line.push_str(cell);
            line.extend(std::iter::repeat_n(' ', width.saturating_sub(cell.chars().count()) + 2));
        }
        writeln!(out, "{}", line.trim_end())
    }
}

/// A text that is safe to print, cut where it is long.
fn fitted(text: &str, max_width: usize) -> String {
    let text = printable(text, false);
    if text.chars().count() <= max_width { text } else { text.chars().take(max_width - 1).chain(['…']).collect() }
}

/// Prints lines of CSV. No cell is a formula, and on a terminal control characters are escaped.
pub(super) fn csv(rows: &[Vec<String>], terminal: bool, out: &mut dyn Write) -> io::Result<()> {
    let mut writer = ::csv::WriterBuilder::new().terminator(::csv::Terminator::CRLF).flexible(true).from_writer(out);
    for row in rows {
        writer.write_record(row.iter().map(|cell| {
            let cell = harmless(cell);
            if terminal { printable(&cell, false) } else { cell.into_owned() }
        }))?;
    }
    writer.flush()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(rows: &[&[&str]]) -> Vec<Vec<String>> {
        rows.iter().map(|row| row.iter().map(|cell| (*cell).to_owned()).collect()).collect()
    }

    #[test]
    fn columns_are_aligned_and_long_or_hostile_texts_stay_in_theirs() {
        let (mut table, mut out) = (Table::new(&["ID", "NAME"]), Vec::new());
        table.print(&rows(&[&["1", "größe"], &["22", &"x".repeat(100)]]), &mut out).unwrap();
        table.print(&rows(&[&["\u{1b}[2J\n", ""]]), &mut out).unwrap();
        let expected = format!("ID  NAME\n1   größe\n22  {}…\n\\u{{1b}}[2J\\n\n", "x".repeat(59));
        assert_eq!(String::from_utf8(out).unwrap(), expected);
    }

    #[test]
    fn csv_has_no_formula_and_on_a_terminal_no_control_character() {
        let (mut file, mut terminal) = (Vec::new(), Vec::new());
        let made = rows(&[&["=1", "a,\u{1b}b"]]);
        csv(&made, false, &mut file).unwrap();
        csv(&made, true, &mut terminal).unwrap();
        assert_eq!(String::from_utf8(file).unwrap(), "'=1,\"a,\u{1b}b\"\r\n");
        assert_eq!(String::from_utf8(terminal).unwrap(), "'=1,\"a,\\u{1b}b\"\r\n");
    }
}
