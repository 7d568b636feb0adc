//! `historyserver.toml`: dotted keys or tables, flattened to dotted keys with their lines.

use std::path::Path;

use toml::de::{DeTable, DeValue};

use super::options;
use super::problem::ConfigProblem;
use super::settings::{Origin, Setting, Value};
use super::text_file;

/// Reads the file at `path`, which messages call `shown`.
pub(super) fn read(path: &Path, shown: &Path, problems: &mut Vec<ConfigProblem>) -> Vec<Setting> {
    let Some(text) = text_file::read(path, shown, problems) else { return Vec::new() };
    let (table, errors) = DeTable::parse_recoverable(&text);
    for error in &errors {
        problems.push(ConfigProblem {
            key: None,
            origin: Origin::File(shown.to_owned(), error.span().map(|span| line_at(&text, span.start))),
            message: format!("is not valid TOML: {}", error.message().trim()),
        });
    }
    if !errors.is_empty() {
        return Vec::new();
    }
    let mut reader = Reader { text: &text, shown, settings: Vec::new(), problems };
    reader.table("", table.get_ref());
    let mut settings = reader.settings;
    settings.sort_by_key(|setting| match setting.origin {
        Origin::File(_, line) => line,
        _ => None,
    });
    settings
}

struct Reader<'a> {
    text: &'a str,
    shown: &'a Path,
    settings: Vec<Setting>,
    problems: &'a mut Vec<ConfigProblem>,
}

impl Reader<'_> {
    fn table(&mut self, prefix: &str, table: &DeTable<'_>) {
        for (name, value) in table {
            let key = if prefix.is_empty() { name.get_ref().to_string() } else { format!("{prefix}.{}", name.get_ref()) };
            let origin = Origin::File(self.shown.to_owned(), Some(line_at(self.text, name.span().start)));
            match value.get_ref() {
                DeValue::Table(inner) => self.table(&key, inner),
                DeValue::Array(items) if key == options::SECURITY_RULES.key => {
                    let rules: Vec<serde_json::Value> = items.iter().map(|item| json(item.get_ref())).collect();
                    self.set(key, Value::Text(serde_json::Value::Array(rules).to_string()), origin);
                }
                DeValue::Array(items) => {
                    let texts: Option<Vec<String>> = items.iter().map(|item| self.scalar(item.get_ref(), item.span())).collect();
                    match texts {
                        Some(texts) => self.set(key, Value::List(texts), origin),
                        None => self.problems.push(ConfigProblem {
                            key: Some(key),
                            origin,
                            message: "a list may contain only texts, numbers and switches".to_owned(),
                        }),
                    }
                }
                other => {
                    if let Some(text) = self.scalar(other, value.span()) {
                        self.set(key, Value::Text(text), origin);
                    }
                }
            }
        }
    }

    /// TOML accepts the same key in two spellings, `a.b` and `"a.b"`.
    fn set(&mut self, key: String, value: Value, origin: Origin) {
        if self.settings.iter().any(|setting| setting.key == key) {
            self.problems.push(ConfigProblem {
                key: Some(key),
                origin,
                message: "is set twice in this file; delete one of the lines".to_owned(),
            });
        } else {
            self.settings.push(Setting { key, value, origin });
        }
    }

    /// The value of a text; anything else as written.
    fn scalar(&self, value: &DeValue<'_>, span: std::ops::Range<usize>) -> Option<String> {
        match value {
            DeValue::String(text) => Some(text.to_string()),
            DeValue::Integer(_) | DeValue::Float(_) => self.text.get(span).map(|text| text.replace('_', "")),
            DeValue::Boolean(_) | DeValue::Datetime(_) => self.text.get(span).map(str::to_owned),
            DeValue::Array(_) | DeValue::Table(_) => None,
        }
    }
}

/// The value as JSON: tables of rules are read from JSON in every layer. A number or a time is a text, which no rule takes.
fn json(value: &DeValue<'_>) -> serde_json::Value {
    match value {
        DeValue::String(text) => serde_json::Value::String(text.to_string()),
        DeValue::Boolean(switch) => serde_json::Value::Bool(*switch),
        DeValue::Array(items) => serde_json::Value::Array(items.iter().map(|item| json(item.get_ref())).collect()),
        DeValue::Table(table) => {
            let members = table.iter().map(|(name, value)| (name.get_ref().to_string(), json(value.get_ref())));
            serde_json::Value::Object(members.collect())
        }
        DeValue::Integer(number) => serde_json::Value::String(number.to_string()),
        DeValue::Float(number) => serde_json::Value::String(number.to_string()),
        DeValue::Datetime(time) => serde_json::Value::String(time.to_string()),
    }
}

/// The line, from 1, of a byte position.
fn line_at(text: &str, position: usize) -> usize {
    text.as_bytes().iter().take(position).filter(|byte| **byte == b'\n').count() + 1
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> (Vec<Setting>, Vec<ConfigProblem>) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("historyserver.toml");
        std::fs::write(&path, text).unwrap();
        let mut problems = Vec::new();
        let settings = read(&path, Path::new("historyserver.toml"), &mut problems);
        (settings, problems)
    }

    #[test]
    fn dotted_keys_and_tables_are_the_same() {
        let (dotted, problems) = parse("historyserver.web.port = 8_083\nhistoryserver.archive.clean-expired-jobs = true\n");
        assert_eq!(problems, []);
        let (tables, problems) = parse("[historyserver.web]\nport = 8083\n[historyserver]\n\"archive.clean-expired-jobs\" = true\n");
        assert_eq!(problems, []);
        let plain = |settings: Vec<Setting>| settings.into_iter().map(|setting| (setting.key, setting.value)).collect::<Vec<_>>();
        assert_eq!(plain(dotted), plain(tables));
    }

    #[test]
    fn every_fault_of_the_file_is_named_with_its_line() {
        let (settings, problems) = parse("a = 1\nb = \nc = [[1]]\nd = = 2\n");
        assert_eq!(settings, []);
        let lines: Vec<_> = problems.iter().map(|problem| problem.origin.to_string()).collect();
        assert!(lines.contains(&"historyserver.toml, line 2".to_owned()), "{lines:?}");
        assert!(lines.contains(&"historyserver.toml, line 4".to_owned()), "{lines:?}");
    }

    #[test]
    fn rules_are_an_array_of_tables() {
        let (settings, problems) = parse(
            "[[historyserver.security.rules]]\ngroups = [\"a\"]\nmay = [\"view\"]\nconfiguration = { key = \"k\", value = \"v\" }\n\
             [[historyserver.security.rules]]\neveryone = true\nmay = [\"download\"]\n",
        );
        assert_eq!(problems, []);
        assert_eq!(settings.len(), 1);
        let rules = crate::access::rights::parse(&settings[0].value.text(",")).unwrap();
        assert_eq!((rules.len(), rules[1].who.everyone), (2, true));
    }

    #[test]
    fn a_key_set_in_two_spellings_is_refused() {
        let (_, problems) = parse("a.b = 1\n\"a.b\" = 2\n");
        assert_eq!(problems.len(), 1);
    }
}
