//! The source files below `src/`, without comments and without their unit tests.

use std::path::{Path, PathBuf};

/// One source file.
pub(super) struct Source {
    /// Path below `src/`, with `/`.
    pub(super) path: String,
    /// Numbered lines of code.
    pub(super) lines: Vec<(usize, String)>,
}

impl Source {
    /// A source file with this text.
    pub(super) fn new(path: impl Into<String>, text: &str) -> Self {
        Self { path: path.into(), lines: code(text) }
    }

    /// Whether the file is one of these modules, or below one: `archive` is `archive.rs` and `archive/`.
    pub(super) fn is_in(&self, modules: &[&str]) -> bool {
        modules.iter().any(|module| self.path == format!("{module}.rs") || self.path.starts_with(&format!("{module}/")))
    }

    /// The module of the crate that the file belongs to: `archive` of `archive/text.rs`.
    pub(super) fn module(&self) -> &str {
        self.path.split(['/', '.']).next().unwrap()
    }
}

/// All source files, sorted by path. Files of unit tests are left out.
pub(super) fn sources() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    collect(&root, &mut files);
    files.sort();
    let sources: Vec<Source> = files
        .into_iter()
        .map(|file| {
            let path = file.strip_prefix(&root).unwrap().to_str().unwrap().replace('\\', "/");
            Source::new(path, &std::fs::read_to_string(&file).unwrap())
        })
        .filter(|source| !source.path.ends_with("tests.rs") && !source.path.contains("/tests/"))
        .collect();
    assert!(sources.len() > 100, "only {} source files were found below {}", sources.len(), root.display());
    sources
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
}

/// Numbered lines of code: without comments, and up to the module of unit tests, which ends a file.
fn code(text: &str) -> Vec<(usize, String)> {
    let mut lines = Vec::new();
    let mut tests = false;
    for (number, line) in text.lines().enumerate() {
        if line.starts_with("#[cfg(test)]") {
            tests = true;
        } else if tests && line.starts_with("mod ") && line.ends_with('{') {
            break;
        } else if !line.trim().is_empty() && !line.starts_with("#[") {
            tests = false;
        }
        lines.push((number + 1, without_comment(line).to_owned()));
    }
    lines
}

/// The line up to a comment. The `//` of a URL in a text follows a colon.
fn without_comment(line: &str) -> &str {
    let starts = |position: &usize| line[..*position].chars().next_back().is_none_or(char::is_whitespace);
    let comment = line.match_indices("//").map(|(position, _)| position).find(starts);
    &line[..comment.unwrap_or(line.len())]
}

/// Whether `word` stands in `line` as a path of its own, not as the end or the beginning of a longer name. A word that ends with `::`
/// is the beginning of a path.
fn contains_word(line: &str, word: &str) -> bool {
    let inside = |character: char| character.is_alphanumeric() || character == '_';
    line.match_indices(word).any(|(position, _)| {
        let before = line[..position].chars().next_back();
        let after = line[position + word.len()..].chars().next();
        !before.is_some_and(inside) && (word.ends_with("::") || !after.is_some_and(inside))
    })
}

/// Every place in `sources` that contains one of `words`.
pub(super) fn places<'a>(sources: impl Iterator<Item = &'a Source>, words: &[&str]) -> Vec<String> {
    let mut places = Vec::new();
    for source in sources {
        for (number, line) in &source.lines {
            for word in words.iter().filter(|word| contains_word(line, word)) {
                places.push(format!("src/{}:{number} names {word}", source.path));
            }
        }
    }
    places
}

#[test]
fn comments_and_unit_tests_are_no_code() {
    let text = "use std::fs; // std::net\n#[cfg(test)]\nuse tempfile;\nfn f() {}\n#[cfg(test)]\nmod tests {\n    use std::env;\n}\n";
    let source = Source::new("archive/entry.rs", text);
    assert!(source.is_in(&["archive"]) && !source.is_in(&["arch", "pack"]) && source.module() == "archive");
    assert_eq!(
        places([source].iter(), &["std::fs", "std::net", "std::env", "fs"]),
        ["src/archive/entry.rs:1 names std::fs", "src/archive/entry.rs:1 names fs"]
    );
    assert!(!contains_word("tokio_util::x", "tokio"));
    assert!(
        contains_word("std::fs::read(path)", "fs::")
            && contains_word("fs::read(path)", "fs::")
            && !contains_word("vfs::read(path)", "fs::")
    );
}
