//! The two ends of an archive: cheap evidence that it is complete and belongs to its owner.

use super::entry_path::{DocumentKind, EntryPaths, Refused};
use super::envelope::{Entry, Field, walk};
use super::{ArchiveLimits, Owner};

/// Whether these first bytes contain complete entries under the owner's id, and none under another id.
pub(super) fn begins_well(head: &[u8], owner: Owner, limits: &ArchiveLimits) -> bool {
    let paths = EntryPaths::new(owner);
    let (mut own, mut foreign) = (0_u64, 0_u64);
    // The bytes end before the archive does, so an error is expected: the entries before it count.
    let _ = walk(head, limits, &mut |_, entry| {
        if let Entry::Object { path: Field::Text(path), json: Field::Text(_), .. } = entry {
            match paths.check(path) {
                Ok((DocumentKind::Details | DocumentKind::Below, _)) => own += 1,
                Err(Refused::Foreign) => foreign += 1,
                Ok(_) | Err(Refused::Unknown) => {}
            }
        }
        Ok(())
    });
    own > 0 && foreign == 0
}

/// Whether these last bytes close the envelope. Quotes within a document are escaped, so a truncated document never ends like this.
pub(super) fn ends_well(tail: &[u8]) -> bool {
    let mut rest = tail.trim_ascii_end();
    for close in [b"}", b"]", b"}"] {
        match rest.strip_suffix(close) {
            Some(before) => rest = before.trim_ascii_end(),
            None => return false,
        }
    }
    let Some(before) = rest.strip_suffix(b"\"") else { return false };
    let escapes = before.iter().rev().take_while(|byte| **byte == b'\\').count();
    escapes < before.len() && escapes.is_multiple_of(2)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::archive::{NoSink, read_slice};

    const JOB: &str = "0d6f4f6e8da5b7e7a3551550ff16c873";

    fn owner() -> Owner {
        Owner::Job(JOB.parse().unwrap())
    }

    /// An archive of one job, with braces and quotes in its documents.
    fn archive() -> String {
        let document = r#"{\"a\":[{\"b\":\"}]}\"}]}"#;
        let entry = |path: &str| format!(r#"{{"path":"/jobs/{path}","json":"{document}"}}"#);
        let overview =
            format!(r#"{{"path":"/jobs/overview","json":"{{\"jobs\":[{{\"jid\":\"{JOB}\",\"name\":\"n\",\"state\":\"FINISHED\"}}]}}"}}"#);
        format!(r#"{{"archive":[{overview},{},{}]}}"#, entry(JOB), entry(&format!("{JOB}/plan")))
    }

    fn whole(archive: &[u8], head: usize, tail: usize) -> bool {
        let head = &archive[..head.min(archive.len())];
        begins_well(head, owner(), &ArchiveLimits::default()) && ends_well(&archive[archive.len().saturating_sub(tail)..])
    }

    #[test]
    fn a_whole_archive_has_whole_ends() {
        let archive = archive();
        assert!(read_slice(archive.as_bytes(), owner(), &ArchiveLimits::default(), &mut NoSink).is_ok());
        assert!(whole(archive.as_bytes(), archive.len() - 20, 20));
        let spaced = format!("{} \n", archive.replace("\"}]}", "\" }\n ] } "));
        assert!(ends_well(spaced.as_bytes()));
    }

    #[test]
    fn no_cut_archive_has_whole_ends() {
        let archive = archive();
        for length in 0..archive.len() {
            assert!(!whole(&archive.as_bytes()[..length], length, 64), "cut after {length} bytes");
        }
    }

    #[test]
    fn the_archive_of_another_job_does_not_begin_well() {
        let archive = archive();
        let other = archive.replace(JOB, "1d6f4f6e8da5b7e7a3551550ff16c873");
        assert!(!whole(other.as_bytes(), other.len(), 64));
        // Nothing is known before the first path of the owner.
        assert!(!begins_well(&archive.as_bytes()[..60], owner(), &ArchiveLimits::default()));
        assert!(!begins_well(b"", owner(), &ArchiveLimits::default()));
        assert!(!begins_well(&[0xff; 64], owner(), &ArchiveLimits::default()));
    }

    #[test]
    fn bytes_that_end_as_a_document_may_are_not_the_end_of_an_archive() {
        for tail in [&b""[..], b"}]}", b"\"}]}", b"x\\\"}]}", b"1}]}", b"x\\\\\\\"}]}", b"\"]}", b"x\"}]"] {
            assert!(!ends_well(tail), "{:?}", String::from_utf8_lossy(tail));
        }
        for tail in [&b"x\"}]}"[..], b"x\\\\\"}]}", b"{\"path\":\"/\"}]}"] {
            assert!(ends_well(tail), "{:?}", String::from_utf8_lossy(tail));
        }
    }
}
