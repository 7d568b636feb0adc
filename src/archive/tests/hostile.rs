//! Malformed and hostile archives.

use super::*;

fn config(job: &str) -> String {
    format!("/jobs/{job}/config")
}

#[test]
fn bytes_that_flink_cannot_write_are_unreadable_as_a_whole() {
    for text in [
        "",
        " \n",
        "garbage",
        "[]",
        "{}",
        "null",
        "1",
        "\"archive\"",
        "{\"archive\":}",
        "{\"archive\":{}}",
        "{\"archive\":null}",
        "{\"archive\":\"x\"}",
        "{\"other\":[]}",
        "{\"archive\":[1 2]}",
        "{\"archive\":[{]}",
        "{\"archive\":[{\"path\"}]}",
        "{\"archive\":[{\"path\":x}]}",
        "{\"archive\":[,]}",
        "{\"archive\":[1,]}",
        "{'archive':[]}",
        "{\"archive\":[1]",
        "{\"archive\":[1]]",
        "\u{feff}",
        "{\"archive\":[{\"path\":\"a\",}]}",
        "{\"archive\":[{\"path\":\"a\" \"json\":\"b\"}]}",
        "\0\0\0\0",
    ] {
        let error = unreadable(text.as_bytes(), job(), &ArchiveLimits::default());
        assert_eq!(error.code, ProblemCode::ArchiveUnreadable, "{text}");
    }
    let utf16: Vec<u8> = archive(&[(config(JOB), "{}")]).encode_utf16().flat_map(u16::to_le_bytes).collect();
    assert_eq!(unreadable(&utf16, job(), &ArchiveLimits::default()).code, ProblemCode::ArchiveUnreadable);
}

#[test]
fn an_archive_without_entries_is_empty() {
    for text in [
        "{\"archive\":[]}",
        "{\"archive\":[ ]}",
        "{\"archive\":[7]}",
        "{\"archive\":[{}]}",
        "{\"archive\":[{\"path\":\"/config\",\"json\":\"\"}]}",
    ] {
        assert_eq!(unreadable(text.as_bytes(), job(), &ArchiveLimits::default()).code, ProblemCode::ArchiveEmpty, "{text}");
    }
}

#[test]
fn deviations_that_jackson_accepts_are_accepted() {
    let path = config(JOB);
    for text in [
        format!("\u{feff}{{\"archive\":[{{\"path\":\"{path}\",\"json\":\"[1]\"}}]}}"),
        format!("{{\"archive\":[{{\"path\":\"{path}\",\"json\":\"[1]\"}}]}}trailing {{"),
        format!(
            " {{ \"a\" : [ {{ }} , \"\\\"]\" ] ,\n\"archive\"\t:\r[ {{ \"json\" : \"[1]\" , \"path\" : \"{path}\" }} ] , \"z\" : 1.5e3 }} "
        ),
        format!("{{\"archive\":[{{\"x\":{{\"y\":[null,true,\"}}\"]}},\"path\":\"{path}\",\"z\":-1,\"json\":\"[1]\",\"w\":false}}]}}"),
        format!("{{\"archive\":[{{\"path\":\"/config\",\"json\":\"1\",\"json\":\"[1]\",\"path\":\"{path}\"}}]}}"),
        format!("{{\"\\u0061rchive\":[{{\"pa\\u0074h\":\"{}\",\"json\":\"\\u005b1]\"}}]}}", path.replace('/', "\\/")),
    ] {
        let (read, documents) = read(&text, job());
        assert_eq!(documents, [(path.clone(), "[1]".to_owned())], "{text}");
        assert_eq!(codes(&read), [ProblemCode::OverviewUnusable]);
        assert_eq!(read.record, None);
    }
}

#[test]
fn scalars_are_taken_as_text() {
    for (scalar, text) in [("1", "1"), ("-1.5e3", "-1.5e3"), ("true", "true"), ("false", "false"), ("null", "null")] {
        let (_, documents) = read(&format!("{{\"archive\":[{{\"path\":\"{}\",\"json\":{scalar}}}]}}", config(JOB)), job());
        assert_eq!(documents, [(config(JOB), text.to_owned())]);
    }
}

#[test]
fn one_bad_entry_is_left_out_and_the_rest_is_served() {
    let path = config(JOB);
    let good = format!("{{\"path\":\"{path}\",\"json\":\"good\"}}");
    let deep = "[".repeat(100_000) + &"]".repeat(100_000);
    for (bad, code) in [
        ("7".to_owned(), ProblemCode::EntryMalformed),
        ("\"x\"".to_owned(), ProblemCode::EntryMalformed),
        ("[{}]".to_owned(), ProblemCode::EntryMalformed),
        (deep.clone(), ProblemCode::EntryMalformed),
        ("{}".to_owned(), ProblemCode::EntryMalformed),
        (format!("{{\"path\":\"{path}\"}}"), ProblemCode::EntryMalformed),
        ("{\"json\":\"x\"}".to_owned(), ProblemCode::EntryMalformed),
        (format!("{{\"path\":\"{path}\",\"json\":{{}}}}"), ProblemCode::EntryMalformed),
        (format!("{{\"path\":\"{path}\",\"json\":{deep}}}"), ProblemCode::EntryMalformed),
        (format!("{{\"path\":\"{path}\",\"json\":\"x\",\"more\":{deep}}}"), ProblemCode::DocumentTooDeep),
        (format!("{{\"path\":\"{path}\",\"json\":\"{deep}\"}}"), ProblemCode::DocumentTooDeep),
        (format!("{{\"path\":\"{path}\",\"json\":01}}"), ProblemCode::EntryMalformed),
        (format!("{{\"path\":\"{path}\",\"json\":nil}}"), ProblemCode::EntryMalformed),
        (format!("{{\"path\":\"{path}\",\"json\":\"\\ud83d\"}}"), ProblemCode::EntryMalformed),
        (format!("{{\"path\":\"{path}\",\"json\":\"\\ude00\\ud83d\"}}"), ProblemCode::EntryMalformed),
        (format!("{{\"path\":\"{path}\",\"json\":\"\\ud83d \\ude00\"}}"), ProblemCode::EntryMalformed),
        (format!("{{\"path\":\"{path}\",\"json\":\"\\x\"}}"), ProblemCode::EntryMalformed),
        (format!("{{\"path\":\"{path}\",\"json\":\"\\u12\"}}"), ProblemCode::EntryMalformed),
        (format!("{{\"path\":\"{path}\",\"json\":\"a\nb, and more than eight bytes\"}}"), ProblemCode::EntryMalformed),
        ("{\"path\":\"/config\",\"json\":\"{}\"}".to_owned(), ProblemCode::EntryPathRefused),
        ("{\"path\":\"/../../x\",\"json\":\"{}\"}".to_owned(), ProblemCode::EntryPathRefused),
        ("{\"path\":\"/jobs/11111111111111111111111111111111/config\",\"json\":\"{}\"}".to_owned(), ProblemCode::EntryPathRefused),
        (format!("{{\"path\":\"{path}\\u0000\",\"json\":\"{{}}\"}}"), ProblemCode::EntryPathRefused),
        (format!("{{\"path\":\"{path}{}\",\"json\":\"{{}}\"}}", "x".repeat(5000)), ProblemCode::PathTooLong),
    ] {
        for text in [format!("{{\"archive\":[{bad},{good}]}}"), format!("{{\"archive\":[{good},{bad}]}}")] {
            let (read, documents) = read(&text, job());
            assert_eq!(documents, [(path.clone(), "good".to_owned())], "{bad:.200}");
            assert_eq!(codes(&read), [code, ProblemCode::OverviewUnusable], "{bad:.200}");
        }
    }
}

#[test]
fn bytes_that_are_not_utf8_cost_one_entry() {
    let mut bytes = archive(&[(config(JOB), "bad: #"), (format!("/jobs/{JOB}/plan"), "good")]).into_bytes();
    let at = bytes.iter().position(|&byte| byte == b'#').unwrap();
    bytes[at] = 0xff;
    let (read, documents) = read_both(&bytes, job(), &ArchiveLimits::default()).unwrap();
    assert_eq!(documents, [(format!("/jobs/{JOB}/plan"), "good".to_owned())]);
    assert_eq!(codes(&read), [ProblemCode::EntryMalformed, ProblemCode::OverviewUnusable]);
}

#[test]
fn duplicates_come_in_order_so_that_the_last_counts() {
    let (_, documents) = read(&archive(&[(config(JOB), "first"), (config(JOB), "last")]), job());
    assert_eq!(documents, [(config(JOB), "first".to_owned()), (config(JOB), "last".to_owned())]);
}

#[test]
fn a_document_that_is_not_json_is_served_as_it_is() {
    let closed_too_often = "]".repeat(100) + &"[".repeat(1000);
    for document in ["", "not JSON", "{", "}", "\"", closed_too_often.as_str(), "\u{0}\u{1}", "日本語 🚀"] {
        let (_, documents) = read(&archive(&[(config(JOB), document)]), job());
        assert_eq!(documents, [(config(JOB), document.to_owned())]);
    }
}

#[test]
fn limits_hold_to_the_byte() {
    let limits = ArchiveLimits { document_size: 100, entries: 3, depth: 5, path_length: 60 };
    let sized = |length: usize| archive(&[(config(JOB), "x".repeat(length)), (format!("/jobs/{JOB}/plan"), "good".to_owned())]);
    let (_, documents) = read_both(sized(100).as_bytes(), job(), &limits).unwrap();
    assert_eq!(documents.len(), 2);
    for length in [101, 102, 107, 108, 109, 110, 1000, 100_000] {
        let (read, documents) = read_both(sized(length).as_bytes(), job(), &limits).unwrap();
        assert_eq!(documents.len(), 1, "{length}");
        assert_eq!(read.flaws[0].code, ProblemCode::DocumentTooLarge, "{length}");
    }
    let pathed = |length: usize| archive(&[(format!("/jobs/{JOB}/{}", "p".repeat(length - 39)), "x"), (format!("/jobs/{JOB}/plan"), "x")]);
    assert_eq!(read_both(pathed(60).as_bytes(), job(), &limits).unwrap().1.len(), 2);
    let (read, documents) = read_both(pathed(61).as_bytes(), job(), &limits).unwrap();
    assert_eq!((documents.len(), read.flaws[0].code), (1, ProblemCode::PathTooLong));
    let nested =
        |depth: usize| archive(&[(config(JOB), "[".repeat(depth) + &"]".repeat(depth)), (format!("/jobs/{JOB}/plan"), String::new())]);
    assert_eq!(read_both(nested(5).as_bytes(), job(), &limits).unwrap().1.len(), 2);
    let (read, documents) = read_both(nested(6).as_bytes(), job(), &limits).unwrap();
    assert_eq!((documents.len(), read.flaws[0].code), (1, ProblemCode::DocumentTooDeep));
    let entries = |count: usize| archive(&vec![(config(JOB), "x"); count]);
    assert_eq!(read_both(entries(3).as_bytes(), job(), &limits).unwrap().1.len(), 3);
    assert_eq!(unreadable(entries(4).as_bytes(), job(), &limits).code, ProblemCode::TooManyEntries);
}

#[test]
fn a_document_above_the_limit_is_never_kept_in_memory() {
    /// Writes an archive with one document of the given size, never in memory.
    struct Endless {
        head: Vec<u8>,
        left: u64,
        tail: Vec<u8>,
    }

    impl io::Read for Endless {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            if self.head.is_empty() && self.left > 0 {
                let length = usize::try_from(self.left).unwrap().min(buffer.len());
                buffer[..length].fill(b'x');
                self.left -= length as u64;
                return Ok(length);
            }
            let part = if self.head.is_empty() { &mut self.tail } else { &mut self.head };
            let length = part.len().min(buffer.len());
            buffer[..length].copy_from_slice(&part[..length]);
            part.drain(..length);
            Ok(length)
        }
    }

    let source = Endless {
        head: format!("{{\"archive\":[{{\"path\":\"{}\",\"json\":\"", config(JOB)).into_bytes(),
        left: 50_000_000,
        tail: format!("\"}},{{\"path\":\"/jobs/{JOB}/plan\",\"json\":\"good\"}}]}}").into_bytes(),
    };
    let mut kept = Kept::default();
    let read = read_stream(source, job(), &ArchiveLimits { document_size: 1000, ..ArchiveLimits::default() }, &mut kept).unwrap();
    assert_eq!(kept.0, [(format!("/jobs/{JOB}/plan"), "good".to_owned())]);
    assert_eq!(read.flaws[0].code, ProblemCode::DocumentTooLarge);
}

#[test]
fn a_member_beside_the_entries_may_not_nest_without_end() {
    let deep = "[".repeat(65) + &"]".repeat(65);
    let text = format!("{{\"x\":{deep},\"archive\":[{{\"path\":\"{}\",\"json\":\"\"}}]}}", config(JOB));
    assert_eq!(unreadable(text.as_bytes(), job(), &ArchiveLimits::default()).code, ProblemCode::ArchiveUnreadable);
    let text = text.replace(&deep, &deep[1..129]);
    assert_eq!(read(&text, job()).1.len(), 1);
}

#[test]
fn after_a_hundred_flaws_only_their_number_is_reported() {
    let mut entries = vec![("/config".to_owned(), String::new()); 1234];
    entries.push((config(JOB), String::new()));
    let (read, _) = read(&archive(&entries), job());
    let refused: Vec<_> = read.flaws.iter().filter(|flaw| flaw.code == ProblemCode::EntryPathRefused).collect();
    assert_eq!(refused.len(), 101);
    assert_eq!(refused[0].reason, "entry 1 is left out: Flink writes no such path into this archive");
    assert_eq!(refused[100].reason, "1134 more entries are left out for the same reason, 1234 in total");
}

#[test]
fn reasons_never_quote_content() {
    let secret = "s3cr3t";
    for text in [
        format!(
            "{{\"archive\":[{{\"path\":\"/{secret}\",\"json\":\"{secret}\"}},{{\"path\":\"{}\",\"json\":\"{secret}\"}}]}}",
            config(JOB)
        ),
        format!("{{\"archive\":[{{\"{secret}\":\"{secret}\"}}]}}"),
        format!("{{\"{secret}\":\"{secret}\"}}"),
        format!("{{\"archive\":{secret}}}"),
        format!("{{\"archive\":[{{\"path\":{secret}}}]}}"),
    ] {
        let result = match read_both(text.as_bytes(), job(), &ArchiveLimits::default()) {
            Ok((read, _)) => format!("{:?}", read.flaws),
            Err(error) => error.to_string(),
        };
        assert!(!result.contains(secret), "{result}");
    }
}

#[test]
fn failures_of_source_and_sink_are_no_flaws_of_the_archive() {
    struct Broken;

    impl io::Read for Broken {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(io::Error::other("connection lost"))
        }
    }

    impl DocumentSink for Broken {
        fn document(&mut self, _: &str, _: &str) -> Result<(), SinkError> {
            Err(SinkError("disk full".into()))
        }
    }

    let error = read_stream(Broken, job(), &ArchiveLimits::default(), &mut Kept::default()).unwrap_err();
    assert!(matches!(error, ReadError::Source(_)), "{error}");
    let text = archive(&[(config(JOB), "x")]);
    let error = read_slice(text.as_bytes(), job(), &ArchiveLimits::default(), &mut Broken).unwrap_err();
    assert_eq!(error.to_string(), "disk full");
}
