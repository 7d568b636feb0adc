//! The envelope: walks `{"archive":[{"path":…,"json":…}, …]}` and passes each entry to a visitor, in order.
//!
//! Members may have any order. Unknown members are skipped. When a name repeats, the last member counts. A problem within an entry is
//! reported with the entry. The walk ends early only where the rest cannot be read.

use std::io::BufRead;

use super::scan::{Scanner, ValueKind};
use super::text::{Content, Text};
use super::{ArchiveLimits, ReadError, Unreadable};
use crate::problem::ProblemCode;

/// Longer names belong to unknown members.
const MAX_NAME_BYTES: usize = 16;

/// One member of an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Field<'a> {
    Text(&'a str),
    Missing,
    /// An object or array instead of a string.
    NotText,
    /// An invalid string.
    Malformed,
    /// Longer than its limit.
    TooLong,
}

/// One element of the array `archive`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Entry<'a> {
    /// An object.
    Object {
        path: Field<'a>,
        json: Field<'a>,
        /// A skipped member nests deeper than allowed.
        too_deep: bool,
    },
    /// Anything else.
    NotObject,
}

/// Walks an archive and returns the number of its entries, which is never 0.
pub(super) fn walk<R: BufRead>(
    source: R,
    limits: &ArchiveLimits,
    visit: &mut impl FnMut(u64, Entry<'_>) -> Result<(), ReadError>,
) -> Result<u64, ReadError> {
    let mut scanner = Scanner::new(source);
    let mut name = Text::new(MAX_NAME_BYTES);
    let mut entries = None;
    scanner.skip_byte_order_mark()?;
    scanner.expect(b'{', "an object")?;
    if !scanner.closes(b'}')? {
        loop {
            scanner.member_name(&mut name)?;
            if name.whole() == Some("archive") {
                scanner.expect(b'[', "an array of entries")?;
                walk_entries(&mut scanner, entries.get_or_insert(0), limits, visit)?;
            } else if scanner.skip_value(limits.depth)? {
                let reason = format!("a member beside `archive` nests deeper than {} levels (historyserver.limits.depth)", limits.depth);
                return Err(Unreadable { code: ProblemCode::ArchiveUnreadable, reason }.into());
            }
            if !scanner.more(b'}')? {
                break;
            }
        }
    }
    match entries {
        Some(0) => Err(Unreadable { code: ProblemCode::ArchiveEmpty, reason: "the archive has no entries".to_owned() }.into()),
        Some(entries) => Ok(entries),
        None => {
            let reason = "the file is not a Flink archive: it has no member `archive`".to_owned();
            Err(Unreadable { code: ProblemCode::ArchiveUnreadable, reason }.into())
        }
    }
}

fn walk_entries<R: BufRead>(
    scanner: &mut Scanner<R>,
    entries: &mut u64,
    limits: &ArchiveLimits,
    visit: &mut impl FnMut(u64, Entry<'_>) -> Result<(), ReadError>,
) -> Result<(), ReadError> {
    if scanner.closes(b']')? {
        return Ok(());
    }
    let mut name = Text::new(MAX_NAME_BYTES);
    let mut path = Text::new(limits.path_length);
    let mut json = Text::new(usize::try_from(limits.document_size).unwrap_or(usize::MAX));
    loop {
        if *entries == limits.entries {
            let reason = format!("the archive has more than {} entries (historyserver.limits.entries)", limits.entries);
            return Err(Unreadable { code: ProblemCode::TooManyEntries, reason }.into());
        }
        *entries += 1;
        if scanner.token()? == b'{' {
            scanner.accept();
            let (mut path_kind, mut json_kind, mut too_deep) = (None, None, false);
            let mut open = !scanner.closes(b'}')?;
            while open {
                scanner.member_name(&mut name)?;
                match name.whole() {
                    Some("path") => path_kind = Some(scanner.value(&mut path, limits.depth)?),
                    Some("json") => json_kind = Some(scanner.value(&mut json, limits.depth)?),
                    _ => too_deep |= scanner.skip_value(limits.depth)?,
                }
                open = scanner.more(b'}')?;
            }
            too_deep |= [path_kind, json_kind].contains(&Some(ValueKind::Nested { too_deep: true }));
            visit(*entries, Entry::Object { path: field(path_kind, &path), json: field(json_kind, &json), too_deep })?;
        } else {
            scanner.skip_value(limits.depth)?;
            visit(*entries, Entry::NotObject)?;
        }
        if !scanner.more(b']')? {
            return Ok(());
        }
    }
}

fn field(kind: Option<ValueKind>, text: &Text) -> Field<'_> {
    match kind {
        None => Field::Missing,
        Some(ValueKind::Nested { .. }) => Field::NotText,
        Some(ValueKind::Text) => match text.content() {
            Content::Whole(text) => Field::Text(text),
            Content::Malformed => Field::Malformed,
            Content::TooLong => Field::TooLong,
        },
    }
}
