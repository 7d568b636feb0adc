//! `flink-conf.yaml` of Flink 1: `key: value` lines. Everything after `#` is a comment, the first `: ` separates, the last of
//! equal keys wins. Lines that Flink drops or reads in a surprising way give a warning with their number.

use std::collections::HashMap;
use std::path::Path;

use crate::config::options::is_read;
use crate::config::settings::{Origin, Setting, Value};

/// Reads the lines of the file that messages call `shown`.
pub(super) fn lines(text: &str, shown: &Path, warnings: &mut Vec<String>) -> Vec<Setting> {
    let mut settings: Vec<Setting> = Vec::new();
    let mut seen: HashMap<String, usize> = HashMap::new();
    for (number, whole) in (1..).zip(text.lines()) {
        let (line, comment) = whole.split_once('#').map_or((whole, None), |(line, comment)| (line, Some(comment)));
        if line.trim().is_empty() {
            continue;
        }
        let origin = Origin::File(shown.to_owned(), Some(number));
        // Warnings do not quote values, which may be passwords.
        let (key, value) = match line.split_once(": ").map(|(key, value)| (key.trim(), value.trim())) {
            Some((key, value)) if !key.is_empty() && !value.is_empty() => (key, value),
            Some((_, "")) => {
                warnings.push(format!("{origin}: the line has no value and has no effect, as in Flink"));
                continue;
            }
            _ => {
                warnings.push(format!("{origin}: the line must have the form `key: value`; it has no effect, as in Flink"));
                continue;
            }
        };
        if is_read(key) {
            if comment.is_some() && !line.ends_with(char::is_whitespace) {
                warnings.push(format!("{origin}: the value of {key} ends at the `#`, which begins a comment, as in Flink"));
            }
            if is_quoted(value) {
                warnings.push(format!("{origin}: the quotes are part of the value of {key}, as in Flink; leave them out"));
            }
            if let Some(earlier) = seen.insert(key.to_owned(), number) {
                warnings.push(format!("{origin}: {key} is also set in line {earlier}; this line wins, as in Flink"));
            }
        }
        settings.push(Setting { key: key.to_owned(), value: Value::Text(value.to_owned()), origin });
    }
    settings
}

fn is_quoted(value: &str) -> bool {
    value.len() > 1 && ['"', '\''].iter().any(|quote| value.starts_with(*quote) && value.ends_with(*quote))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> (Vec<(String, String)>, Vec<String>) {
        let mut warnings = Vec::new();
        let settings = lines(text, Path::new("flink-conf.yaml"), &mut warnings);
        (settings.into_iter().map(|setting| (setting.key, setting.value.text(","))).collect(), warnings)
    }

    #[test]
    fn lines_are_read_as_flink_1_reads_them() {
        let text = "# comment\nhistoryserver.web.port: 8083 # comment\r\n\t \n  spaced.key :  s3://a: b  \n";
        let (settings, warnings) = read(text);
        let expected = [("historyserver.web.port", "8083"), ("spaced.key", "s3://a: b")];
        assert_eq!(settings, expected.map(|(key, value)| (key.to_owned(), value.to_owned())));
        assert_eq!(warnings, Vec::<String>::new());
    }

    #[test]
    fn lines_that_are_dropped_or_cut_give_a_warning_without_the_value() {
        for (text, part) in [
            ("a: 1\nkey:value\n", "flink-conf.yaml, line 2: the line must have the form `key: value`"),
            ("key:\tvalue\n", "line 1: the line must have the form"),
            ("key = value\n", "line 1: the line must have the form"),
            (": value\n", "line 1: the line must have the form"),
            ("historyserver.web.address: \n", "line 1: the line has no value"),
            ("s3.secret-key: hunter2#more\n", "line 1: the value of s3.secret-key ends at the `#`"),
            ("historyserver.archive.fs.dir: \"/a\"\n", "line 1: the quotes are part of the value"),
            (
                "historyserver.web.port: 1\nhistoryserver.web.port: 2\n",
                "line 2: historyserver.web.port is also set in line 1; this line wins",
            ),
        ] {
            let (_, warnings) = read(text);
            assert_eq!(warnings.len(), 1, "{text}: {warnings:?}");
            assert!(warnings[0].contains(part), "{text}: {warnings:?}");
            assert!(!warnings[0].contains("hunter2"), "{warnings:?}");
        }
        // Settings of other components of Flink give no warning.
        assert_eq!(read("env.java.opts: \"-Dx\"\ntaskmanager.x: 1\ntaskmanager.x: 2\n").1, Vec::<String>::new());
    }
}
