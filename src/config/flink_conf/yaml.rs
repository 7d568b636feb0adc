//! `config.yaml`, as Flink 2 reads it.

use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::rc::Rc;

use serde_saphyr::granit_parser::{Event, Parser, ScalarStyle, ScanError};

use crate::config::options::is_read;
use crate::config::problem::ConfigProblem;
use crate::config::settings::{Origin, Setting, Value};

/// Maximum depth of nesting.
const MAX_DEPTH: usize = 64;
/// Maximum number of settings of one file. Only aliases of aliases reach it.
const MAX_SETTINGS: usize = 100_000;

/// A node of `config.yaml`.
#[derive(Debug)]
enum Node {
    /// The text as written, and whether it is the null of YAML.
    Scalar(String, bool),
    Sequence(Vec<Rc<Node>>),
    Mapping(Vec<(String, usize, Rc<Node>)>),
}

/// Reads the text of the file that messages call `shown`: mappings are flattened to dotted keys, of equal keys the later wins.
pub(super) fn settings(text: &str, shown: &Path, warnings: &mut Vec<String>, problems: &mut Vec<ConfigProblem>) -> Vec<Setting> {
    let root = match Builder::new(text).document() {
        Ok(Some(root)) => root,
        Ok(None) => return Vec::new(),
        Err(fault) => {
            problems.push(ConfigProblem { key: None, origin: Origin::File(shown.to_owned(), Some(fault.line)), message: fault.message });
            return Vec::new();
        }
    };
    let mut flattening = Flattening { shown, settings: Vec::new(), full: false, lines: HashMap::new(), warnings, problems };
    match &*root {
        Node::Mapping(_) => flattening.add("", 1, &root),
        Node::Scalar(_, true) => {}
        Node::Scalar(..) | Node::Sequence(_) => {
            flattening.refuse(None, 1, "must be a mapping of keys to values, with a colon and a space between them");
        }
    }
    flattening.settings
}

/// Conversion of nested mappings to settings with dotted keys.
struct Flattening<'a> {
    shown: &'a Path,
    settings: Vec<Setting>,
    /// Whether the maximum number of settings was exceeded.
    full: bool,
    /// Lines of the keys so far.
    lines: HashMap<String, usize>,
    warnings: &'a mut Vec<String>,
    problems: &'a mut Vec<ConfigProblem>,
}

impl Flattening<'_> {
    fn origin(&self, line: usize) -> Origin {
        Origin::File(self.shown.to_owned(), Some(line))
    }

    fn refuse(&mut self, key: Option<&str>, line: usize, message: &str) {
        let problem = ConfigProblem { key: key.map(str::to_owned), origin: self.origin(line), message: message.to_owned() };
        self.problems.push(problem);
    }

    /// Adds a warning about an option of this server that has no effect as written.
    fn warn(&mut self, key: &str, line: usize, message: &str) {
        if is_read(key) {
            self.warnings.push(format!("{}: {key} {message}", self.origin(line)));
        }
    }

    fn add(&mut self, key: &str, line: usize, node: &Node) {
        // Aliases of aliases can make the number of settings explode.
        if self.full {
            return;
        }
        match node {
            Node::Mapping(entries) => {
                let mut seen = HashSet::new();
                for (name, line, value) in entries {
                    let key = if key.is_empty() { name.clone() } else { format!("{key}.{name}") };
                    if !seen.insert(name) {
                        self.refuse(Some(&key), *line, "is set twice in this file; delete one of the lines");
                    }
                    self.add(&key, *line, value);
                }
            }
            Node::Scalar(_, true) => self.warn(key, line, "has no value and has no effect; Flink does not start with it"),
            Node::Scalar(text, false) => self.set(key, line, Value::Text(text.clone())),
            Node::Sequence(items) => match items.iter().map(|item| scalar(item)).collect() {
                Some(texts) => self.set(key, line, Value::List(texts)),
                // Lists of mappings are options of other components of Flink.
                None => self.warn(key, line, "is a list with elements that are not texts; it has no effect"),
            },
        }
    }

    fn set(&mut self, key: &str, line: usize, value: Value) {
        if self.settings.len() == MAX_SETTINGS {
            self.full = true;
            return self.refuse(None, line, &format!("contains more than {MAX_SETTINGS} settings"));
        }
        if let Some(earlier) = self.lines.insert(key.to_owned(), line)
            && earlier != line
        {
            self.warn(key, line, &format!("is also set in line {earlier}; this line wins, as in Flink"));
        }
        self.settings.push(Setting { key: key.to_owned(), value, origin: self.origin(line) });
    }
}

fn scalar(node: &Node) -> Option<String> {
    match node {
        Node::Scalar(text, _) => Some(text.clone()),
        Node::Sequence(_) | Node::Mapping(_) => None,
    }
}

/// A fault of a YAML text.
struct Fault {
    line: usize,
    message: String,
}

impl From<ScanError> for Fault {
    fn from(error: ScanError) -> Self {
        Self { line: error.marker().line(), message: format!("is not valid YAML: {}", error.info()) }
    }
}

/// Builds nodes from the events of the parser. Scalars keep their text as written, which a typed reader would lose.
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
                    return Err(Fault { line, message: "contains more than one YAML document".to_owned() });
                }
                Event::StreamStart | Event::DocumentStart(..) | Event::DocumentEnd | Event::StreamEnd => {}
                other => root = Some(self.node(other, line, 0)?),
            }
        }
        Ok(root)
    }

    /// The node that begins with `event`.
    fn node(&mut self, event: Event<'a>, line: usize, depth: usize) -> Result<Rc<Node>, Fault> {
        if depth > MAX_DEPTH {
            return Err(Fault { line, message: format!("is nested more than {MAX_DEPTH} levels deep") });
        }
        let unfinished = || Fault { line, message: "is not valid YAML: it ends unexpectedly".to_owned() };
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
        let (mut warnings, mut problems) = (Vec::new(), Vec::new());
        let settings = settings(text, Path::new("config.yaml"), &mut warnings, &mut problems);
        assert_eq!(warnings, Vec::<String>::new());
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
    fn options_without_effect_give_a_warning_with_their_line() {
        for (text, part) in [
            ("a: 1\nhistoryserver.web.address:\n", "line 2: historyserver.web.address has no value"),
            ("historyserver:\n  web.port: ~\n", "line 2: historyserver.web.port has no value"),
            ("historyserver.archive.fs.dir: [{a: 1}]\n", "line 1: historyserver.archive.fs.dir is a list with elements that are not texts"),
            ("historyserver.web.port: 1\nhistoryserver:\n  web.port: 2\n", "line 3: historyserver.web.port is also set in line 1"),
        ] {
            let (mut warnings, mut problems) = (Vec::new(), Vec::new());
            settings(text, Path::new("config.yaml"), &mut warnings, &mut problems);
            assert_eq!((warnings.len(), problems.len()), (1, 0), "{text}: {warnings:?} {problems:?}");
            assert!(warnings[0].contains(part), "{text}: {warnings:?}");
        }
        // Settings of other components of Flink give no warning.
        assert_eq!(parse_yaml("env.java.opts:\npipeline.x: [{a: 1}]\n").0, []);
    }

    #[test]
    fn more_settings_than_a_file_can_have_are_one_problem() {
        let doubled = (0..20).map(|number| {
            let earlier = if number == 0 { "a".to_owned() } else { format!("b{}", number - 1) };
            format!("b{number}: &b{number} {{l: *{earlier}, r: *{earlier}}}\n")
        });
        let text: String = std::iter::once("a: &a {x: 1, y: 1}\n".to_owned()).chain(doubled).collect();
        let (settings, problems) = parse_yaml(&text);
        assert_eq!((settings.len(), problems.len()), (MAX_SETTINGS, 1), "{problems:?}");
    }
}
