//! Names of the files in a download, and text as it stands in an envelope.

use crate::directory::FileKind;
use crate::index::UnitKey;

/// Where a file lies in the download: as in its archive directory. The name of a cluster is any name of a folder, or of folders in
/// folders, so that it is made harmless; ids are harmless.
pub(super) fn of(unit: &UnitKey, kind: FileKind) -> String {
    match (unit, kind) {
        (UnitKey::Application(key), FileKind::Summary) => {
            format!("{}/applications/{}/application-summary", folders(key.cluster.as_str()), key.id)
        }
        (UnitKey::Application(key), FileKind::Job(job)) => format!("{}/applications/{}/jobs/{job}", folders(key.cluster.as_str()), key.id),
        (UnitKey::LegacyJob(_, job), _) => job.to_string(),
    }
}

/// The folders of a cluster.
fn folders(cluster: &str) -> String {
    cluster.split('/').map(folder).collect::<Vec<_>>().join("/")
}

/// A name that stays one folder wherever it is unpacked.
fn folder(name: &str) -> String {
    let name: String =
        name.chars().map(|character| if character.is_control() || r#"/\:*?"<>|"#.contains(character) { '_' } else { character }).collect();
    if name.is_empty() || name.chars().all(|character| character == '.') { "_".repeat(name.len().max(1)) } else { name }
}

/// Writes text as it stands in a JSON string. All that must be escaped is ASCII, so that text may be cut anywhere.
pub(super) fn escape(text: &[u8], escaped: &mut Vec<u8>) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    for &byte in text {
        match byte {
            b'"' | b'\\' => escaped.extend_from_slice(&[b'\\', byte]),
            b'\n' => escaped.extend_from_slice(b"\\n"),
            b'\r' => escaped.extend_from_slice(b"\\r"),
            b'\t' => escaped.extend_from_slice(b"\\t"),
            0..0x20 => {
                escaped.extend_from_slice(b"\\u00");
                escaped.extend_from_slice(&[DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]]);
            }
            _ => escaped.push(byte),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::names::{ClusterName, DirectoryUrl};

    #[test]
    fn a_cluster_of_any_name_stays_within_the_download() {
        let id = "0d6f4f6e8da5b7e7a3551550ff16c873";
        for (cluster, folder) in [
            ("prod-eu", "prod-eu"),
            ("..", "__"),
            (".", "_"),
            ("../../etc", "__/__/etc"),
            ("/root", "_/root"),
            ("team a/prod ü #1", "team a/prod ü #1"),
            ("C:\\x", "C__x"),
            ("a\u{1b}[2J\n", "a_[2J_"),
            ("größe", "größe"),
        ] {
            let unit = UnitKey::application(&DirectoryUrl::new("file:///a"), &ClusterName::new(cluster), id.parse().unwrap());
            assert_eq!(of(&unit, FileKind::Summary), format!("{folder}/applications/{id}/application-summary"));
            assert_eq!(of(&unit, FileKind::Job(id.parse().unwrap())), format!("{folder}/applications/{id}/jobs/{id}"));
        }
    }

    #[test]
    fn escaped_text_is_what_it_was_wherever_it_is_cut() {
        let text: String = (0..0x80_u8).map(char::from).chain("größe 漢字 \u{1f600}".chars()).collect();
        for cut in 0..text.len() {
            let mut escaped = b"\"".to_vec();
            escape(&text.as_bytes()[..cut], &mut escaped);
            escape(&text.as_bytes()[cut..], &mut escaped);
            escaped.push(b'"');
            assert_eq!(serde_json::from_slice::<String>(&escaped).unwrap(), text);
        }
    }
}
