//! Flink's own configuration directory: `config.yaml` (nested or flat), or `flink-conf.yaml` of earlier versions.

use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::rc::Rc;

use serde_saphyr::granit_parser::{Event, Parser, ScalarStyle, ScanError};

use super::layers::{Origin, Setting, Value, read_file};
use super::problem::ConfigProblem;

/// The file of Flink 2.
const STANDARD: &str = "config.yaml";
/// The file of Flink 1.
const LEGACY: &str = "flink-conf.yaml";
/// Deepest nesting of `config.yaml` that is followed.
const DEEPEST: usize = 64;
/// Most settings of one file: only aliases of aliases reach it.
const MOST_SETTINGS: usize = 100_000;

/// Reads the directory at `path`, which messages call `shown`.
pub(super) fn read(path: &Path, shown: &Path, warnings: &mut Vec<String>, problems: &mut Vec<ConfigProblem>) -> Vec<Setting> {
    let (standard, legacy) = (path.join(STANDARD).exists(), path.join(LEGACY).exists());
    if standard && legacy {
        warnings.push(format!("{} is not read, since {STANDARD} lies beside it", shown.join(LEGACY).display()));
    }
    if standard {
        let Some(text) = read_file(&path.join(STANDARD), &shown.join(STANDARD), problems) else { return Vec::new() };
        yaml(&text, &shown.join(STANDARD), problems)
    } else if legacy {
        let Some(text) = read_file(&path.join(LEGACY), &shown.join(LEGACY), problems) else { return Vec::new() };
        lines(&text, &shown.join(LEGACY), warnings)
    } else {
        problems.push(ConfigProblem {
            key: None,
            origin: Origin::File(shown.to_owned(), None),
            message: format!("is no configuration directory of Flink: it holds neither {STANDARD} nor {LEGACY}"),
        });
        Vec::new()
    }
}

/// Flink 1's `key: value` lines: everything after `#` is a comment, the first `: ` separates, the last of equal keys wins.
fn lines(text: &str, shown: &Path, warnings: &mut Vec<String>) -> Vec<Setting> {
    let mut settings = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let line = line.split('#').next().unwrap_or_default().trim();
        if line.is_empty() {
            continue;
        }
        let origin = Origin::File(shown.to_owned(), Some(number + 1));
        match line.split_once(": ").map(|(key, value)| (key.trim(), value.trim())) {
            Some((key, value)) if !key.is_empty() && !value.is_empty() => {
                settings.push(Setting { key: key.to_owned(), value: Value::Text(value.to_owned()), origin });
            }
            // The line itself is not quoted: it may hold a password.
            _ => warnings.push(format!("{origin}: the line is not of the form `key: value` and has no effect, as in Flink")),
        }
    }
    settings
}

/// A node of `config.yaml`.
#[derive(Debug)]
enum Node {
    /// The text as written, and whether it is the null of YAML.
    Scalar(String, bool),
    Sequence(Vec<Rc<Node>>),
    Mapping(Vec<(String, usize, Rc<Node>)>),
}

/// Flink 2's YAML: mappings are flattened to dotted keys.
fn yaml(text: &str, shown: &Path, problems: &mut Vec<ConfigProblem>) -> Vec<Setting> {
    let problem = |line: Option<usize>, message: String| ConfigProblem { key: None, origin: Origin::File(shown.to_owned(), line), message };
    let root = match Builder::new(text).document() {
        Ok(Some(root)) => root,
        Ok(None) => return Vec::new(),
        Err(fault) => {
            problems.push(problem(Some(fault.line), fault.message));
            return Vec::new();
        }
    };
    let mut settings = Vec::new();
    match &*root {
        Node::Mapping(_) => flatten("", 1, &root, shown, &mut settings, problems),
        Node::Scalar(_, true) => {}
        Node::Scalar(..) | Node::Sequence(_) => problems.push(problem(Some(1), "is not a mapping of keys to values".to_owned())),
    }
    settings
}

fn flatten(key: &str, line: usize, node: &Node, shown: &Path, settings: &mut Vec<Setting>, problems: &mut Vec<ConfigProblem>) {
    if settings.len() >= MOST_SETTINGS {
        return;
    }
    let origin = || Origin::File(shown.to_owned(), Some(line));
    match node {
        Node::Mapping(entries) => {
            let mut seen = HashSet::new();
            for (name, line, value) in entries {
                let key = if key.is_empty() { name.clone() } else { format!("{key}.{name}") };
                if !seen.insert(name) {
                    problems.push(ConfigProblem {
                        key: Some(key.clone()),
                        origin: Origin::File(shown.to_owned(), Some(*line)),
                        message: "is set twice in this file".to_owned(),
                    });
                }
                flatten(&key, *line, value, shown, settings, problems);
            }
        }
        Node::Scalar(_, true) => {}
        Node::Scalar(text, false) => settings.push(Setting { key: key.to_owned(), value: Value::Text(text.clone()), origin: origin() }),
        Node::Sequence(items) => {
            let texts: Option<Vec<String>> = items.iter().map(|item| scalar(item)).collect();
            // Lists of mappings are options of other parts of Flink.
            if let Some(texts) = texts {
                settings.push(Setting { key: key.to_owned(), value: Value::List(texts), origin: origin() });
            }
        }
    }
}

fn scalar(node: &Node) -> Option<String> {
    match node {
        Node::Scalar(text, _) => Some(text.clone()),
        Node::Sequence(_) | Node::Mapping(_) => None,
    }
}

/// What is wrong with a YAML text.
struct Fault {
    line: usize,
    message: String,
}

impl From<ScanError> for Fault {
    fn from(error: ScanError) -> Self {
        Self { line: error.marker().line(), message: format!("is not valid YAML: {}", error.info()) }
    }
}

/// Builds nodes from the events of the parser: scalars keep their text as written, which typed readers lose.
struct Builder<'a> {
    parser: Parser<'a, serde_saphyr::granit_parser::StrInput<'a>>,
    anchors: HashMap<usize, Rc<Node>>,
}

impl<'a> Builder<'a> {
    fn new(text: &'a str) -> Self {
        Self { parser: Parser::new_from_str(text), anchors: HashMap::new() }
    }

    /// The next event that is not a comment, with its line.
    fn next(&mut self) -> Result<Option<(Event<'a>, usize)>, Fault> {
        for event in self.parser.by_ref() {
            let (event, span) = event?;
            if !matches!(event, Event::Comment(..) | Event::Anchor(..)) {
                return Ok(Some((event, span.start.line())));
            }
        }
        Ok(None)
    }

    /// The first document, if there is one.
    fn document(mut self) -> Result<Option<Rc<Node>>, Fault> {
        let mut root = None;
        while let Some((event, line)) = self.next()? {
            match event {
                Event::DocumentStart(..) if root.is_some() => {
                    return Err(Fault { line, message: "holds more than one YAML document".to_owned() });
                }
                Event::StreamStart | Event::DocumentStart(..) | Event::DocumentEnd | Event::StreamEnd => {}
                other => root = Some(self.node(other, line, 0)?),
            }
        }
        Ok(root)
    }

    /// The node that begins with `event`.
    fn node(&mut self, event: Event<'a>, line: usize, depth: usize) -> Result<Rc<Node>, Fault> {
        if depth > DEEPEST {
            return Err(Fault { line, message: format!("is nested more than {DEEPEST} levels deep") });
        }
        let unfinished = || Fault { line, message: "is not valid YAML: it ends too soon".to_owned() };
        let (node, anchor) = match event {
            Event::Scalar(text, style, anchor, _) => {
                let null = style == ScalarStyle::Plain && matches!(&*text, "" | "~" | "null" | "Null" | "NULL");
                (Node::Scalar(text.into_owned(), null), anchor)
            }
            Event::SequenceStart(_, anchor, _) => {
                let mut items = Vec::new();
                loop {
                    match self.next()?.ok_or_else(unfinished)? {
                        (Event::SequenceEnd, _) => break (Node::Sequence(items), anchor),
                        (event, line) => items.push(self.node(event, line, depth + 1)?),
                    }
                }
            }
            Event::MappingStart(_, anchor, _) => {
                let mut entries = Vec::new();
                loop {
                    let (event, line) = self.next()?.ok_or_else(unfinished)?;
                    if matches!(event, Event::MappingEnd) {
                        break (Node::Mapping(entries), anchor);
                    }
                    let name = self.node(event, line, depth + 1)?;
                    let name = scalar(&name).ok_or_else(|| Fault { line, message: "has a key that is not a text".to_owned() })?;
                    let (event, value_line) = self.next()?.ok_or_else(unfinished)?;
                    entries.push((name, line, self.node(event, value_line, depth + 1)?));
                }
            }
            Event::Alias(anchor) => {
                return self
                    .anchors
                    .get(&anchor)
                    .cloned()
                    .ok_or_else(|| Fault { line, message: "has an alias inside its own anchor".to_owned() });
            }
            _ => return Err(unfinished()),
        };
        let node = Rc::new(node);
        if anchor != 0 {
            self.anchors.insert(anchor, Rc::clone(&node));
        }
        Ok(node)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse_yaml(text: &str) -> (Vec<(String, Value, String)>, Vec<String>) {
        let mut problems = Vec::new();
        let settings = yaml(text, Path::new("config.yaml"), &mut problems);
        let settings = settings.into_iter().map(|setting| (setting.key, setting.value, setting.origin.to_string())).collect();
        (settings, problems.iter().map(ToString::to_string).collect())
    }

    fn text(key: &str, value: &str, line: usize) -> (String, Value, String) {
        (key.to_owned(), Value::Text(value.to_owned()), format!("config.yaml, line {line}"))
    }

    #[test]
    fn nested_and_flat_yaml_are_the_same_and_scalars_stay_as_written() {
        let nested = "# comment\nhistoryserver:\n  web:\n    port: 08082 # comment\n    address: \"0.0.0.0\"\n  archive.retained-ttl: 1 h\nother: {a: yes, b: 1e3, c: ~}\n";
        let (settings, problems) = parse_yaml(nested);
        assert_eq!(problems, Vec::<String>::new());
        assert_eq!(
            settings,
            [
                text("historyserver.web.port", "08082", 4),
                text("historyserver.web.address", "0.0.0.0", 5),
                text("historyserver.archive.retained-ttl", "1 h", 6),
                text("other.a", "yes", 7),
                text("other.b", "1e3", 7),
            ]
        );
        let (flat, _) = parse_yaml("historyserver.web.port: 08082\n");
        assert_eq!(flat, [text("historyserver.web.port", "08082", 1)]);
    }

    #[test]
    fn yaml_lists_aliases_and_empty_files_are_read() {
        let (settings, problems) = parse_yaml("a: &x [file:///a, 's3://b']\nb: *x\n");
        assert_eq!(problems, Vec::<String>::new());
        let list = Value::List(vec!["file:///a".to_owned(), "s3://b".to_owned()]);
        assert_eq!(settings.iter().map(|(_, value, _)| value.clone()).collect::<Vec<_>>(), [list.clone(), list]);
        assert_eq!(parse_yaml("# nothing\n"), (vec![], vec![]));
        assert_eq!(parse_yaml(""), (vec![], vec![]));
    }

    #[test]
    fn broken_yaml_is_named_with_its_line() {
        for (text, line) in [("a: [1\nb: 2\n", "line"), ("a: 1\na: 2\n", "line 2"), ("- 1\n", "line 1"), ("a: 1\n---\nb: 2\n", "line 2")] {
            let (_, problems) = parse_yaml(text);
            assert_eq!(problems.len(), 1, "{text}");
            assert!(problems[0].contains(line), "{problems:?}");
        }
        let deep = "[".repeat(5_000);
        assert_eq!(parse_yaml(&deep).1.len(), 1);
    }

    #[test]
    fn lines_are_read_as_flink_1_reads_them() {
        let mut warnings = Vec::new();
        let text = "# comment\nhistoryserver.web.port: 8083 # comment\nkey:value\nempty:\n  spaced.key :  s3://a: b  \n";
        let settings = lines(text, Path::new("flink-conf.yaml"), &mut warnings);
        let plain: Vec<_> = settings.iter().map(|setting| (setting.key.as_str(), setting.value.text(","))).collect();
        assert_eq!(plain, [("historyserver.web.port", "8083".to_owned()), ("spaced.key", "s3://a: b".to_owned())]);
        assert_eq!(warnings.len(), 2);
        assert!(warnings[0].starts_with("flink-conf.yaml, line 3"));
    }
}
