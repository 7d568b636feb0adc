//! Properties of all archives.

use std::fmt::Write as _;

use proptest::prelude::*;

use super::super::depth::nests_deeper;
use super::*;

/// JSON text of a string, escaped in one of many ways.
fn escaped(text: &str, style: u8) -> String {
    let mut json = String::from('"');
    for (number, character) in text.chars().enumerate() {
        let plain = !matches!(character, '"' | '\\') && character >= ' ';
        if plain && (style == 0 || !number.is_multiple_of(usize::from(style))) {
            json.push(character);
        } else if character == '"' && style.is_multiple_of(2) {
            json.push_str("\\\"");
        } else {
            let mut units = [0; 2];
            for unit in character.encode_utf16(&mut units) {
                write!(json, "\\u{unit:04x}").unwrap();
            }
        }
    }
    json.push('"');
    json
}

fn segment() -> impl Strategy<Value = String> {
    "[a-zA-Z0-9_:é日-]{1,12}"
}

fn documents() -> impl Strategy<Value = Vec<(String, String)>> {
    let document = prop_oneof![any::<String>(), "[\\[\\]{}\"\\\\a-z0-9:, é🚀]{0,300}", ".{0,40}".prop_map(|text| text.repeat(40))];
    let path = prop::collection::vec(segment(), 1..4).prop_map(|segments| format!("/jobs/{JOB}/{}", segments.join("/")));
    prop::collection::vec((path, document), 1..12)
}

/// Nesting depth, computed in the simplest way.
fn slow_depth(document: &str, limit: usize) -> bool {
    let (mut level, mut in_string, mut escaped) = (0, false, false);
    for byte in document.bytes() {
        let was_escaped = std::mem::take(&mut escaped);
        match byte {
            _ if was_escaped && byte == b'"' => {}
            b'\\' => escaped = !was_escaped,
            b'"' => in_string = !in_string,
            b'{' | b'[' if !in_string => {
                level += 1;
                if level > limit {
                    return true;
                }
            }
            b'}' | b']' if !in_string => {
                if level == 0 {
                    return false;
                }
                level -= 1;
            }
            _ => {}
        }
    }
    false
}

proptest! {
    #[test]
    fn what_was_built_is_read(entries in documents(), style in 0_u8..5, spaces in "[ \t\r\n]{0,3}", path_first: bool) {
        let objects: Vec<String> = entries.iter().map(|(path, json)| {
            let (path, json) = (escaped(path, style), escaped(json, style));
            if path_first {
                format!("{{\"path\":{spaces}{path},\"json\":{json}{spaces}}}")
            } else {
                format!("{spaces}{{\"json\":{json},{spaces}\"path\":{path}}}")
            }
        }).collect();
        let text = format!("{{\"archive\":[{}]}}", objects.join(","));
        let expected: Vec<_> = entries.into_iter().filter(|(_, json)| !slow_depth(json, 64)).collect();
        prop_assume!(!expected.is_empty());
        let (read, documents) = read_both(text.as_bytes(), job(), &ArchiveLimits::default()).unwrap();
        prop_assert_eq!(documents, expected);
        prop_assert_eq!(read.record, None);
    }

    #[test]
    fn depth_is_told_as_by_the_simplest_means(document in "[\\[\\]{}\"\\\\ax]{0,400}", limit in 0_usize..20) {
        prop_assert_eq!(nests_deeper(&document, limit), slow_depth(&document, limit));
    }

    #[test]
    fn brackets_in_strings_do_not_nest(strings in prop::collection::vec("[\\[{a]{0,90}", 0..20), limit in 1_usize..3) {
        let document = serde_json::to_string(&strings).unwrap();
        prop_assert!(!nests_deeper(&document, limit));
        prop_assert!(nests_deeper(&document, 0));
    }

    #[test]
    fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        fuzz::envelope(&bytes);
    }

    #[test]
    fn bytes_that_look_like_an_archive_never_panic(
        parts in prop::collection::vec(
            prop::sample::select(vec![
                "{", "}", "[", "]", ",", ":", "\"", "\"archive\"", "\"path\"", "\"json\"", "\\", "\\u", "\\ud83d", "\\ude00", "0", "-", "null",
                "\"/jobs/0d6f4f6e8da5b7e7a3551550ff16c873/config\"", "\"/jobs/overview\"", "{\"archive\":[{\"path\":", ",\"json\":\"", "é", "\n",
            ]),
            0..40,
        )
    ) {
        fuzz::envelope(parts.concat().as_bytes());
    }
}
