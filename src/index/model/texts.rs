//! Texts of applications and jobs that are searched. Pure: facts in, texts out.

use std::collections::HashSet;

use crate::archive::SensitiveKeys;
use crate::archive::facts::{ConfigurationEntry, ExceptionFacts, Facts};
use crate::index::query::search::words::{self, Parts};
use crate::index::query::{MatchField, SearchField};

/// Maximum bytes of a text. The rest is not searched.
const LONGEST: usize = 64 << 10;

/// Separates the pieces of a text: names, messages, lines, entries. A match never spans it.
const SEPARATOR: char = '\u{1e}';

/// Separates the key of a label or of an entry of a configuration from its value.
pub(in crate::index) const KEY_END: &str = ": ";

/// The kind of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(in crate::index) enum TextKind {
    Vertices,
    ExceptionClasses,
    ExceptionMessages,
    StackTraces,
    Configuration,
    ClusterConfiguration,
    FailureLabels,
}

/// All kinds, in the order in which matches are shown.
pub(in crate::index) const KINDS: [TextKind; 7] = [
    TextKind::Vertices,
    TextKind::ExceptionClasses,
    TextKind::ExceptionMessages,
    TextKind::FailureLabels,
    TextKind::StackTraces,
    TextKind::Configuration,
    TextKind::ClusterConfiguration,
];

impl TextKind {
    /// The number that is stored.
    pub(in crate::index) fn number(self) -> i64 {
        match self {
            Self::Vertices => 1,
            Self::ExceptionClasses => 2,
            Self::ExceptionMessages => 3,
            Self::StackTraces => 4,
            Self::Configuration => 5,
            Self::ClusterConfiguration => 6,
            Self::FailureLabels => 7,
        }
    }

    /// The inverse of [`TextKind::number`].
    pub(in crate::index) fn of_number(number: i64) -> Option<Self> {
        KINDS.into_iter().find(|kind| kind.number() == number)
    }

    /// Stands before each word in the index of words.
    pub(in crate::index) fn letter(self) -> char {
        match self {
            Self::Vertices => 'v',
            Self::ExceptionClasses => 'e',
            Self::ExceptionMessages => 'm',
            Self::StackTraces => 's',
            Self::Configuration => 'c',
            Self::ClusterConfiguration => 'k',
            Self::FailureLabels => 'l',
        }
    }

    /// The parts of words that can be found. In names, of which there are few, any part can be found.
    pub(in crate::index) fn parts(self) -> Parts {
        if self == Self::Vertices { Parts::Anywhere } else { Parts::Humps }
    }

    /// The search field that selects it.
    pub(in crate::index) fn field(self) -> SearchField {
        match self {
            Self::Vertices => SearchField::Vertex,
            Self::ExceptionClasses | Self::ExceptionMessages | Self::StackTraces | Self::FailureLabels => SearchField::Exception,
            Self::Configuration | Self::ClusterConfiguration => SearchField::Configuration,
        }
    }

    /// The field of a match in it.
    pub(in crate::index) fn match_field(self) -> MatchField {
        match self {
            Self::Vertices => MatchField::Vertex,
            Self::ExceptionClasses => MatchField::ExceptionClass,
            Self::ExceptionMessages => MatchField::ExceptionMessage,
            Self::StackTraces => MatchField::StackTrace,
            Self::Configuration => MatchField::Configuration,
            Self::ClusterConfiguration => MatchField::ClusterConfiguration,
            Self::FailureLabels => MatchField::FailureLabel,
        }
    }

    /// The key of a piece that is a label or an entry of a configuration.
    pub(in crate::index) fn key(self, piece: &str) -> Option<&str> {
        let has_keys = self == Self::FailureLabels || self.field() == SearchField::Configuration;
        if has_keys { piece.split_once(KEY_END).map(|(key, _)| key) } else { None }
    }
}

/// A text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::index) struct Text {
    pub(in crate::index) kind: TextKind,
    /// Its pieces.
    pub(in crate::index) content: String,
}

impl Text {
    /// A text of these pieces, each once; `None` if there are none.
    pub(in crate::index) fn of<'p>(kind: TextKind, pieces: impl IntoIterator<Item = &'p str>) -> Option<Self> {
        let mut content = String::new();
        let mut seen = HashSet::new();
        for piece in pieces.into_iter().filter(|piece| !piece.is_empty()) {
            if !seen.insert(piece) {
                continue;
            }
            let left = LONGEST.saturating_sub(content.len() + 1);
            let end = (0..=left.min(piece.len())).rev().find(|end| piece.is_char_boundary(*end)).unwrap_or(0);
            if end == 0 {
                break;
            }
            if !content.is_empty() {
                content.push(SEPARATOR);
            }
            content.push_str(&piece[..end]);
        }
        (!content.is_empty()).then_some(Self { kind, content })
    }

    /// Texts of exceptions. Classes, messages and stack traces are kept apart, because many jobs fail at one place for different reasons.
    fn of_exceptions<'e>(exceptions: impl IntoIterator<Item = (&'e str, &'e str)>) -> Vec<Self> {
        let (mut classes, mut messages, mut frames) = (Vec::new(), Vec::new(), Vec::new());
        for (class, trace) in exceptions {
            classes.push(class);
            let mut message: Option<std::ops::Range<usize>> = None;
            let mut at = 0;
            for line in trace.split_inclusive('\n') {
                let place = at..at + line.trim_end().len();
                at += line.len();
                if let Some(frame) = frame(line) {
                    messages.extend(message.take().map(|place| &trace[place]));
                    frames.push(frame);
                } else {
                    message = Some(message.map_or(place.start, |before| before.start)..place.end);
                }
            }
            messages.extend(message.map(|place| &trace[place]));
        }
        let texts = [(TextKind::ExceptionClasses, classes), (TextKind::ExceptionMessages, messages), (TextKind::StackTraces, frames)];
        texts.into_iter().filter_map(|(kind, pieces)| Self::of(kind, pieces)).collect()
    }

    /// Kinds of the texts of one exception.
    pub(in crate::index) const KINDS_OF_EXCEPTIONS: [TextKind; 3] =
        [TextKind::ExceptionClasses, TextKind::ExceptionMessages, TextKind::StackTraces];

    /// Texts of one exception.
    pub(in crate::index) fn of_exception(exception: &ExceptionFacts) -> Vec<Self> {
        Self::of_exceptions([(exception.class.as_str(), exception.stack_trace.as_str())])
    }

    /// Texts of the facts of an application or a job.
    pub(in crate::index) fn of_facts(facts: &Facts) -> Vec<Self> {
        let own = facts.own_configuration.min(facts.configuration.len());
        let (own, cluster) = facts.configuration.split_at(own);
        let exceptions = facts.exceptions.iter().map(|exception| (exception.class.as_str(), exception.stack_trace.as_str()));
        let mut texts = Self::of_exceptions(exceptions);
        texts.extend(Self::of_labels(&facts.exceptions));
        texts.extend(Self::of(TextKind::Vertices, facts.vertices.iter().map(|vertex| vertex.name.as_str())));
        texts.extend(Self::of_configuration(TextKind::Configuration, own));
        texts.extend(Self::of_configuration(TextKind::ClusterConfiguration, cluster));
        texts
    }

    /// Labels that failure enrichers gave to exceptions.
    fn of_labels(exceptions: &[ExceptionFacts]) -> Option<Self> {
        let labels = exceptions.iter().flat_map(|exception| &exception.labels);
        let labels: Vec<String> = labels.map(|(key, value)| format!("{key}{KEY_END}{value}")).collect();
        Self::of(TextKind::FailureLabels, labels.iter().map(String::as_str))
    }

    /// Texts of a configuration. Sensitive values are masked, so no search finds them.
    fn of_configuration(kind: TextKind, entries: &[ConfigurationEntry]) -> Option<Self> {
        let sensitive = SensitiveKeys::default();
        // Not `format!`, which grows each of the hundreds of strings several times.
        let text = |entry: &ConfigurationEntry| [entry.key.as_str(), KEY_END, &sensitive.shown(&entry.key, &entry.value)].concat();
        let entries: Vec<String> = entries.iter().map(text).collect();
        Self::of(kind, entries.iter().map(String::as_str))
    }

    /// Every key of the index of words that finds this text, each once and after a blank.
    pub(in crate::index) fn keys(&self) -> String {
        let mut seen = HashSet::new();
        for place in words::words(&self.content) {
            words::keys(&self.content[place], self.kind.parts(), |key| {
                if !seen.contains(key) {
                    seen.insert(key.to_owned());
                }
            });
        }
        let mut keys = String::new();
        for key in seen {
            keys.push(' ');
            keys.push(self.kind.letter());
            keys.push_str(&key);
        }
        keys
    }
}

/// The pieces of a content.
pub(in crate::index) fn pieces(content: &str) -> impl Iterator<Item = &str> {
    content.split(SEPARATOR)
}

/// The frame in a line of a stack trace; empty for a line that only counts further frames.
fn frame(line: &str) -> Option<&str> {
    let told = line.trim();
    if let Some(frame) = told.strip_prefix("at ").filter(|_| line.starts_with(['\t', ' '])) {
        return Some(frame);
    }
    (told.starts_with("... ") && told.ends_with(" more")).then_some("")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(exceptions: &[(&str, &str)]) -> Vec<(TextKind, Vec<String>)> {
        let found = Text::of_exceptions(exceptions.iter().copied());
        found.iter().map(|text| (text.kind, pieces(&text.content).map(str::to_owned).collect())).collect()
    }

    #[test]
    fn exceptions_have_texts_of_class_message_and_frame() {
        let trace =
            "a.B: over\ntwo lines\n\tat a.B.c(B.java:1)\n\tat a.B.d(B.java:2)\nCaused by: x.Y: why\n\tat a.B.c(B.java:1)\n\t... 12 more\n";
        let owned = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
        assert_eq!(
            texts(&[("a.B", trace), ("a.B", "a.B: over\ntwo lines")]),
            [
                (TextKind::ExceptionClasses, owned(&["a.B"])),
                (TextKind::ExceptionMessages, owned(&["a.B: over\ntwo lines", "Caused by: x.Y: why"])),
                (TextKind::StackTraces, owned(&["a.B.c(B.java:1)", "a.B.d(B.java:2)"])),
            ]
        );
        assert_eq!(texts(&[("", "")]), []);
    }

    #[test]
    fn a_text_is_cut_between_characters() {
        let long = "é".repeat(LONGEST);
        let text = Text::of(TextKind::Vertices, ["a", &long, "b"]).unwrap();
        assert!(text.content.len() <= LONGEST && text.content.len() >= LONGEST - 4, "{}", text.content.len());
        assert!(Text::of(TextKind::Vertices, ["", ""]).is_none());
    }

    #[test]
    fn entries_have_keys() {
        let entry = |key: &str, value: &str| ConfigurationEntry { key: key.to_owned(), value: value.to_owned() };
        let text = Text::of_configuration(TextKind::Configuration, &[entry("a.b", "c: d"), entry("e", "")]).unwrap();
        let keys: Vec<_> = pieces(&text.content).map(|piece| TextKind::Configuration.key(piece)).collect();
        assert_eq!(keys, [Some("a.b"), Some("e")]);
        assert_eq!(TextKind::Vertices.key("Source: x"), None);
    }

    #[test]
    fn keys_have_the_letter_of_their_kind() {
        let keys = Text::of(TextKind::ExceptionClasses, ["a.JobException"]).unwrap().keys();
        let mut keys: Vec<&str> = keys.split_whitespace().collect();
        keys.sort_unstable();
        assert_eq!(keys, ["ea", "eexception", "ejobexception"]);
        assert!(KINDS.iter().all(|kind| TextKind::of_number(kind.number()) == Some(*kind)));
    }
}
