//! The parts of a zip file that is written from its beginning to its end: heads, ends and the directory. What is between them is
//! compressed by others, in segments, so that no state of a compressor is kept while a client takes its time.
//!
//! As in PKWARE's APPNOTE 6.3: sizes and checksum follow the content (bit 3), names are UTF-8 (bit 11), and numbers that do not
//! fit in four bytes are in fields of ZIP64.

use std::io;

use flate2::Crc;

use crate::api::http::deflate;
use crate::clock::Timestamp;

/// Content above this is announced as of any size: a file may grow until it is read, and what is put together may be larger.
const LARGE: u64 = 1 << 30;

const FLAGS: u16 = 1 << 3 | 1 << 11;
const DEFLATED: u16 = 8;
const ZIP64: u16 = 45;
/// A regular file that its owner may write and all may read, on Unix.
const UNIX: u16 = 3 << 8;
const MODE: u32 = 0o100_644 << 16;
const FULL: u32 = u32::MAX;

/// A file whose content is being written.
struct Begun {
    name: String,
    time: [u8; 4],
    offset: u64,
    large: bool,
    read: Crc,
    length: u64,
    packed: u64,
}

/// A file that is written.
struct Written {
    begun: Begun,
    checksum: u32,
}

/// A zip file in the making.
#[derive(Default)]
pub(super) struct ZipFormat {
    /// Bytes so far.
    position: u64,
    begun: Option<Begun>,
    files: Vec<Written>,
}

impl ZipFormat {
    /// Begins a file of about so many bytes. Returns the bytes before its content.
    pub(super) fn begin(&mut self, name: &str, modified: Timestamp, size: u64) -> Vec<u8> {
        let (time, large) = (zip_time(modified), size > LARGE);
        let begun = Begun { name: name.to_owned(), time, offset: self.position, large, read: Crc::new(), length: 0, packed: 0 };
        let extra = if large { zip64_extra(&[0, 0]) } else { Vec::new() };
        let sizes = if large { FULL } else { 0 };
        let mut head = Vec::with_capacity(30 + name.len() + extra.len());
        head.extend(0x0403_4b50_u32.to_le_bytes());
        head.extend(common(&begun));
        for number in [0, sizes, sizes] {
            head.extend(number.to_le_bytes());
        }
        head.extend(length_of(name.as_bytes()).to_le_bytes());
        head.extend(length_of(&extra).to_le_bytes());
        head.extend(name.as_bytes());
        head.extend(extra);
        self.begun = Some(begun);
        self.position += head.len() as u64;
        head
    }

    /// Notes content and the bytes that it was compressed to, which are to be written.
    pub(super) fn note(&mut self, text: &[u8], packed: &[u8]) {
        if let Some(begun) = &mut self.begun {
            begun.read.update(text);
            begun.length += text.len() as u64;
            begun.packed += packed.len() as u64;
            self.position += packed.len() as u64;
        }
    }

    /// Ends the file that was begun, if any. Returns the bytes after its content.
    ///
    /// # Errors
    /// It has become larger than was announced.
    pub(super) fn end(&mut self) -> io::Result<Vec<u8>> {
        self.note(&[], deflate::END);
        let Some(begun) = self.begun.take() else { return Ok(Vec::new()) };
        let checksum = begun.read.sum();
        let mut end = deflate::END.to_vec();
        let before = end.len() as u64;
        end.extend(0x0807_4b50_u32.to_le_bytes());
        end.extend(checksum.to_le_bytes());
        for size in [begun.packed, begun.length] {
            match u32::try_from(size) {
                Ok(size) if !begun.large => end.extend(size.to_le_bytes()),
                Err(_) if !begun.large => return Err(io::Error::other("an archive file has grown by gigabytes while it was sent")),
                _ => end.extend(size.to_le_bytes()),
            }
        }
        self.position += end.len() as u64 - before;
        self.files.push(Written { begun, checksum });
        Ok(end)
    }

    /// The end of the zip file.
    pub(super) fn finish(self) -> Vec<u8> {
        let mut directory = Vec::new();
        for file in &self.files {
            entry(file, &mut directory);
        }
        let (files, size, offset) = (self.files.len() as u64, directory.len() as u64, self.position);
        let short_files = u16::try_from(files).unwrap_or(u16::MAX);
        let [short_size, short_offset] = [size, offset].map(short);
        let mut end = directory;
        if short_files == u16::MAX || short_size == FULL || short_offset == FULL {
            end.extend(0x0606_4b50_u32.to_le_bytes());
            end.extend(44_u64.to_le_bytes());
            end.extend((UNIX | ZIP64).to_le_bytes());
            end.extend(ZIP64.to_le_bytes());
            end.extend([0; 8]);
            for number in [files, files, size, offset] {
                end.extend(number.to_le_bytes());
            }
            end.extend(0x0706_4b50_u32.to_le_bytes());
            end.extend([0; 4]);
            end.extend((offset + size).to_le_bytes());
            end.extend(1_u32.to_le_bytes());
        }
        end.extend(0x0605_4b50_u32.to_le_bytes());
        end.extend([0; 4]);
        end.extend(short_files.to_le_bytes());
        end.extend(short_files.to_le_bytes());
        end.extend(short_size.to_le_bytes());
        end.extend(short_offset.to_le_bytes());
        end.extend([0; 2]);
        end
    }
}

/// The entry of a file in the directory.
fn entry(Written { begun, checksum }: &Written, directory: &mut Vec<u8>) {
    let offset = short(begun.offset);
    let mut wide = Vec::new();
    let sizes = if begun.large {
        wide.extend([begun.length, begun.packed]);
        [FULL, FULL]
    } else {
        [short(begun.packed), short(begun.length)]
    };
    if offset == FULL {
        wide.push(begun.offset);
    }
    let extra = if wide.is_empty() { Vec::new() } else { zip64_extra(&wide) };
    directory.extend(0x0201_4b50_u32.to_le_bytes());
    directory.extend((UNIX | ZIP64).to_le_bytes());
    directory.extend(common(begun));
    directory.extend(checksum.to_le_bytes());
    directory.extend(sizes.into_iter().flat_map(u32::to_le_bytes));
    directory.extend(length_of(begun.name.as_bytes()).to_le_bytes());
    directory.extend(length_of(&extra).to_le_bytes());
    directory.extend([0; 6]);
    directory.extend(MODE.to_le_bytes());
    directory.extend(offset.to_le_bytes());
    directory.extend(begun.name.as_bytes());
    directory.extend(extra);
}

/// The common part of heads and entries: version needed, flags, method, time.
fn common(begun: &Begun) -> [u8; 10] {
    let needed = if begun.large || begun.offset >= u64::from(FULL) { ZIP64 } else { 20 };
    let mut common = [0; 10];
    for (place, number) in [needed, FLAGS, DEFLATED].into_iter().enumerate() {
        common[2 * place..2 * place + 2].copy_from_slice(&number.to_le_bytes());
    }
    common[6..].copy_from_slice(&begun.time);
    common
}

fn zip64_extra(numbers: &[u64]) -> Vec<u8> {
    let mut extra = 1_u16.to_le_bytes().to_vec();
    extra.extend(u16::try_from(numbers.len() * 8).unwrap_or_default().to_le_bytes());
    extra.extend(numbers.iter().flat_map(|number| number.to_le_bytes()));
    extra
}

/// A number in four bytes; full where it is elsewhere.
fn short(number: u64) -> u32 {
    u32::try_from(number).unwrap_or(FULL)
}

fn length_of(bytes: &[u8]) -> u16 {
    u16::try_from(bytes.len()).unwrap_or(u16::MAX)
}

/// A time as in zip files: to two seconds, in UTC, from 1980 to 2107; earlier and later ones as the first and the last.
fn zip_time(time: Timestamp) -> [u8; 4] {
    use chrono::{Datelike as _, Timelike as _};
    let time = chrono::DateTime::from_timestamp_millis(time.as_millis()).unwrap_or_default();
    let date = |year: u32, month: u32, day: u32| ((year - 1980) << 9) | (month << 5) | day;
    let clock = |hour: u32, minute: u32, second: u32| (hour << 11) | (minute << 5) | (second / 2);
    let (date, clock) = match u32::try_from(time.year()) {
        Ok(2108..) => (date(2107, 12, 31), clock(23, 59, 58)),
        Ok(year @ 1980..) => (date(year, time.month(), time.day()), clock(time.hour(), time.minute(), time.second())),
        _ => (date(1980, 1, 1), 0),
    };
    let [clock, date] = [clock, date].map(|number| u16::try_from(number).unwrap_or_default().to_le_bytes());
    [clock[0], clock[1], date[0], date[1]]
}

#[cfg(test)]
mod tests {
    use std::io::{Cursor, Read as _};

    use super::*;
    use crate::api::http::deflate::Effort;

    fn write(format: &mut ZipFormat, zip: &mut Vec<u8>, name: &str, size: u64, pieces: &[&[u8]]) {
        zip.extend(format.begin(name, Timestamp::from_millis(1_700_000_000_000), size));
        for piece in pieces {
            let packed = deflate::segment(piece, Effort::Some).unwrap();
            format.note(piece, &packed);
            zip.extend(packed);
        }
        zip.extend(format.end().unwrap());
    }

    #[test]
    fn what_is_written_is_read_by_others() {
        let long = b"much of the same ".repeat(20_000);
        let files: [(&str, u64, Vec<&[u8]>); 4] = [
            ("cluster/applications/a/application-summary", 10, vec![b"{}", b"", b"more"]),
            ("cluster/applications/a/jobs/\u{fc}", 10, vec![&long, &long]),
            ("large", 5 << 30, vec![&long]),
            ("empty", 0, vec![]),
        ];
        let (mut format, mut zip) = (ZipFormat::default(), Vec::new());
        for (name, size, pieces) in &files {
            write(&mut format, &mut zip, name, *size, pieces);
        }
        zip.extend(format.finish());
        let mut archive = zip::ZipArchive::new(Cursor::new(&zip)).unwrap();
        assert_eq!(archive.len(), files.len());
        for (number, (name, _, pieces)) in files.iter().enumerate() {
            let mut file = archive.by_index(number).unwrap();
            assert_eq!((&*file.name().unwrap(), file.unix_mode()), (*name, Some(0o100_644)));
            assert_eq!(file.last_modified().unwrap().to_string(), "2023-11-14 22:13:20");
            let mut text = Vec::new();
            file.read_to_end(&mut text).unwrap();
            assert_eq!(text, pieces.concat());
        }
    }

    #[test]
    fn many_files_and_large_offsets_are_written_in_wide_fields() {
        let (mut format, mut zip) = (ZipFormat::default(), Vec::new());
        for number in 0..70_000 {
            write(&mut format, &mut zip, &number.to_string(), 1, &[]);
        }
        zip.extend(format.finish());
        assert_eq!(zip::ZipArchive::new(Cursor::new(&zip)).unwrap().len(), 70_000);

        let mut format = ZipFormat { position: 5 << 30, ..ZipFormat::default() };
        let head = format.begin("far", Timestamp::EPOCH, 1);
        assert_eq!(head[4..6], ZIP64.to_le_bytes());
        format.end().unwrap();
        let end = format.finish();
        let extra = zip64_extra(&[5 << 30]);
        assert!(end.windows(extra.len()).any(|window| window == extra));
        assert!(end.windows(4).any(|window| window == 0x0606_4b50_u32.to_le_bytes()));
    }

    #[test]
    fn a_file_that_outgrows_its_announcement_is_an_error() {
        let mut format = ZipFormat::default();
        format.begin("grown", Timestamp::EPOCH, 1);
        format.begun.as_mut().unwrap().length = 5 << 30;
        assert!(format.end().is_err());
    }

    #[test]
    fn times_are_those_of_zip_files() {
        let day = |text: &str| chrono::DateTime::parse_from_rfc3339(text).unwrap().timestamp_millis();
        for (time, expected) in [
            (day("1970-01-01T00:00:00Z"), "1980-01-01 00:00:00"),
            (day("2024-02-29T23:59:59Z"), "2024-02-29 23:59:58"),
            (day("2200-01-01T00:00:00Z"), "2107-12-31 23:59:58"),
        ] {
            let [a, b, c, d] = zip_time(Timestamp::from_millis(time));
            let read = zip::DateTime::try_from_msdos(u16::from_le_bytes([c, d]), u16::from_le_bytes([a, b])).unwrap();
            assert_eq!(read.to_string(), expected);
        }
    }
}
