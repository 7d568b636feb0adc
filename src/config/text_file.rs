//! Configuration files as text: UTF-8, or UTF-16 with a byte order mark. The byte order mark is removed.

use std::path::Path;

use super::problem::ConfigProblem;
use super::settings::Origin;

/// Reads a file that must be valid text.
pub(super) fn read(path: &Path, shown: &Path, problems: &mut Vec<ConfigProblem>) -> Option<String> {
    let text = bytes(path, shown, problems).map(|bytes| decode(&bytes))?;
    if let Err(fault) = &text {
        problems.push(ConfigProblem { key: None, origin: Origin::File(shown.to_owned(), fault.line), message: fault.message.to_owned() });
    }
    text.ok()
}

/// Reads a file that may contain any bytes. Invalid bytes are replaced, as in Flink 1, with a warning.
pub(super) fn read_lossy(path: &Path, shown: &Path, warnings: &mut Vec<String>, problems: &mut Vec<ConfigProblem>) -> Option<String> {
    let bytes = bytes(path, shown, problems)?;
    Some(decode(&bytes).unwrap_or_else(|fault| {
        let origin = Origin::File(shown.to_owned(), fault.line);
        warnings.push(format!("{origin}: {}; the invalid bytes are replaced, as in Flink", fault.message));
        String::from_utf8_lossy(&bytes).into_owned()
    }))
}

fn bytes(path: &Path, shown: &Path, problems: &mut Vec<ConfigProblem>) -> Option<Vec<u8>> {
    std::fs::read(path)
        .map_err(|error| {
            let message = format!("cannot be read: {error}");
            problems.push(ConfigProblem { key: None, origin: Origin::File(shown.to_owned(), None), message });
        })
        .ok()
}

/// The fault of bytes that are not text.
#[derive(Debug, PartialEq, Eq)]
struct Fault {
    line: Option<usize>,
    message: &'static str,
}

fn decode(bytes: &[u8]) -> Result<String, Fault> {
    let utf16 = |bytes: &[u8], unit: fn([u8; 2]) -> u16| {
        let (pairs, rest) = bytes.as_chunks::<2>();
        let text = String::from_utf16(&pairs.iter().map(|pair| unit(*pair)).collect::<Vec<u16>>());
        text.ok().filter(|_| rest.is_empty()).ok_or(Fault { line: None, message: "is not valid UTF-16; save it as UTF-8" })
    };
    match bytes {
        [0xEF, 0xBB, 0xBF, rest @ ..] => utf8(rest),
        [0xFF, 0xFE, rest @ ..] => utf16(rest, u16::from_le_bytes),
        [0xFE, 0xFF, rest @ ..] => utf16(rest, u16::from_be_bytes),
        _ => utf8(bytes),
    }
}

fn utf8(bytes: &[u8]) -> Result<String, Fault> {
    std::str::from_utf8(bytes).map(str::to_owned).map_err(|error| {
        let line = bytes[..error.valid_up_to()].split(|byte| *byte == b'\n').count();
        Fault { line: Some(line), message: "is not valid UTF-8; save the file as UTF-8" }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_byte_order_mark_is_removed() {
        let utf16 = |unit: fn(u16) -> [u8; 2]| "\u{feff}a: ü\n".encode_utf16().flat_map(unit).collect::<Vec<u8>>();
        for bytes in ["\u{feff}a: ü\n".as_bytes().to_vec(), "a: ü\n".as_bytes().to_vec(), utf16(u16::to_le_bytes), utf16(u16::to_be_bytes)]
        {
            assert_eq!(decode(&bytes).as_deref(), Ok("a: ü\n"), "{bytes:?}");
        }
        assert_eq!(decode(b"").as_deref(), Ok(""));
    }

    #[test]
    fn invalid_text_is_reported_with_its_line_and_replaced_where_the_format_allows_it() {
        assert_eq!(decode(b"a: 1\nb: \xe9\n").unwrap_err().line, Some(2));
        assert!(decode(b"\xff\xfea").unwrap_err().message.contains("UTF-16"));
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("conf");
        std::fs::write(&path, b"# caf\xe9\na: 1\n").unwrap();
        let (mut warnings, mut problems) = (Vec::new(), Vec::new());
        let text = read_lossy(&path, Path::new("conf"), &mut warnings, &mut problems).unwrap();
        assert!(text.ends_with("\na: 1\n"));
        assert_eq!((warnings.len(), problems.len()), (1, 0));
        assert!(warnings[0].starts_with("conf, line 1: is not valid UTF-8"), "{warnings:?}");
        assert_eq!(read(&path, Path::new("conf"), &mut problems), None);
        assert_eq!(problems[0].to_string(), "conf, line 1: is not valid UTF-8; save the file as UTF-8");
    }
}
