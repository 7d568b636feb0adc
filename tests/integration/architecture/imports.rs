//! The imports between source files: paths in `use` declarations and in code, resolved to the file that defines the item.
//!
//! A re-export is followed to its origin, so that `pub use` alone is no import. Macros and method calls are not resolved.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::sources::Source;

/// A path, segment by segment.
type Path = Vec<String>;

/// A file, read for its imports.
struct File {
    /// Path of its module in the crate.
    module: Path,
    /// The paths of names that `use` declarations bring into its scope.
    bindings: BTreeMap<String, Path>,
    /// Names that are only re-exported, unless the code uses them, too.
    reexports: BTreeSet<String>,
    /// Modules whose names are all imported.
    globs: Vec<Path>,
    /// Paths in code outside `use` declarations.
    paths: Vec<Path>,
}

/// Imports between files.
pub(super) struct Imports {
    files: BTreeMap<Path, (String, File)>,
}

impl Imports {
    /// Reads the imports of all sources.
    pub(super) fn read(sources: &[Source]) -> Self {
        let files = sources.iter().map(|source| (module_of(&source.path), (source.path.clone(), File::read(source))));
        Self { files: files.collect() }
    }

    /// The files that each file imports. A file may use its parent's items, as it may in the language: this is no import between files.
    pub(super) fn edges(&self) -> BTreeMap<&str, BTreeSet<&str>> {
        self.files.values().map(|(path, file)| (path.as_str(), self.imported_by(path, file))).collect()
    }

    fn imported_by(&self, own: &str, file: &File) -> BTreeSet<&str> {
        let imports = file.bindings.iter().filter(|(name, _)| !file.reexports.contains(*name)).map(|(_, path)| path);
        let paths = imports.chain(&file.paths);
        let mut imported: BTreeSet<&str> = paths.filter_map(|path| self.defining_file(file, path, true, 0)).collect();
        imported.extend(file.globs.iter().filter_map(|path| self.defining_file(file, path, false, 0)));
        imported.retain(|path| *path != own && !is_above(path, own));
        imported
    }

    /// The file that defines the item at `path`, which is written in `file`. The import of a module alone is none (`items_only`).
    fn defining_file(&self, file: &File, path: &[String], items_only: bool, depth: usize) -> Option<&str> {
        if depth > 16 {
            return None;
        }
        let absolute = self.absolute(file, path, depth)?;
        let known = (0..=absolute.len()).rev().find(|length| self.files.contains_key(&absolute[..*length]))?;
        let (owner, found) = &self.files[&absolute[..known]];
        let Some(item) = absolute.get(known) else { return (!items_only).then_some(owner.as_str()) };
        if let Some(origin) = found.bindings.get(item) {
            let rest = absolute[known + 1..].iter();
            let origin: Path = origin.iter().chain(rest).cloned().collect();
            if let Some(defining) = self.defining_file(found, &origin, items_only, depth + 1) {
                return Some(defining);
            }
        }
        Some(owner)
    }

    /// A path from the root of the crate on; `None` for paths of other crates and for local names.
    fn absolute(&self, file: &File, path: &[String], depth: usize) -> Option<Path> {
        let mut module = file.module.clone();
        let mut rest = path;
        match path.first()?.as_str() {
            "crate" | "historyserver" => {
                module.clear();
                rest = &path[1..];
            }
            "self" => rest = &path[1..],
            "super" => {
                while rest.first().is_some_and(|segment| segment == "super") {
                    module.pop()?;
                    rest = &rest[1..];
                }
            }
            first => {
                let mut child = module.clone();
                child.push(first.to_owned());
                if !self.files.contains_key(&child) {
                    let bound = file.bindings.get(first).filter(|bound| bound.first().is_some_and(|segment| segment != first))?;
                    let whole: Path = bound.iter().chain(&path[1..]).cloned().collect();
                    return if depth > 16 { None } else { self.absolute(file, &whole, depth + 1) };
                }
            }
        }
        module.extend(rest.iter().cloned());
        Some(module)
    }
}

impl File {
    fn read(source: &Source) -> Self {
        let text: Vec<&str> = source.lines.iter().map(|(_, line)| line.as_str()).collect();
        let tokens = tokens(&text.join("\n"));
        let mut file = Self {
            module: module_of(&source.path),
            bindings: BTreeMap::new(),
            reexports: BTreeSet::new(),
            globs: Vec::new(),
            paths: Vec::new(),
        };
        let mut words = BTreeSet::new();
        let mut at = 0;
        while at < tokens.len() {
            if tokens[at] == "use" {
                let public = at > 0 && matches!(tokens[at - 1].as_str(), "pub" | ")");
                let end = at + tokens[at..].iter().position(|token| token == ";").unwrap();
                file.import(&tokens[at + 1..end], &[], public);
                at = end + 1;
            } else if is_name(&tokens[at]) {
                let mut path = vec![tokens[at].clone()];
                while tokens.get(at + 1).is_some_and(|token| token == "::") && tokens.get(at + 2).is_some_and(|token| is_name(token)) {
                    path.push(tokens[at + 2].clone());
                    at += 2;
                }
                words.insert(path[0].clone());
                if path.len() > 1 {
                    file.paths.push(path);
                }
                at += 1;
            } else {
                at += 1;
            }
        }
        file.reexports.retain(|name| !words.contains(name));
        file
    }

    /// Reads a tree of imports below `prefix`: `a::b`, `a::{b, c as d}`, `a::*`.
    fn import(&mut self, tree: &[String], prefix: &[String], public: bool) {
        let mut path = prefix.to_vec();
        for (position, token) in tree.iter().enumerate() {
            match token.as_str() {
                "::" => {}
                "{" => {
                    for branch in branches(&tree[position + 1..tree.len() - 1]) {
                        self.import(branch, &path, public);
                    }
                    return;
                }
                "*" => {
                    self.globs.push(path);
                    return;
                }
                "as" => return self.bind(tree[position + 1].clone(), path, public),
                "self" if !path.is_empty() => {}
                segment => path.push(segment.to_owned()),
            }
        }
        if let Some(name) = path.last().cloned() {
            self.bind(name, path, public);
        }
    }

    fn bind(&mut self, name: String, path: Path, public: bool) {
        if public {
            self.reexports.insert(name.clone());
        }
        self.bindings.insert(name, path);
    }
}

/// Splits the content of braces at its own commas.
fn branches(tokens: &[String]) -> Vec<&[String]> {
    let mut depth = 0_usize;
    let split = tokens.split(move |token| {
        match token.as_str() {
            "{" => depth += 1,
            "}" => depth -= 1,
            _ => {}
        }
        depth == 0 && token == ","
    });
    split.filter(|branch| !branch.is_empty()).collect()
}

fn is_name(token: &str) -> bool {
    token.starts_with(|character: char| character.is_alphabetic() || character == '_')
}

/// Names, `::` and single characters of code. The content of strings is skipped.
fn tokens(text: &str) -> Vec<String> {
    let mut tokens = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let length = if let Some(raw) = rest.strip_prefix("r#\"") {
            rest = raw.split_once("\"#").map_or("", |(_, after)| after);
            continue;
        } else if rest.starts_with("'\"'") {
            3
        } else if is_name(rest) {
            rest.find(|character: char| !character.is_alphanumeric() && character != '_').unwrap_or(rest.len())
        } else if rest.starts_with("::") {
            2
        } else if first == '"' {
            rest = after_string(&rest[1..]);
            continue;
        } else {
            first.len_utf8()
        };
        if !first.is_whitespace() {
            tokens.push(rest[..length].to_owned());
        }
        rest = &rest[length..];
    }
    tokens
}

/// The text after the end of a string that has begun.
fn after_string(text: &str) -> &str {
    let mut escaped = false;
    for (position, character) in text.char_indices() {
        match character {
            '"' if !escaped => return &text[position + 1..],
            '\\' => escaped = !escaped,
            _ => escaped = false,
        }
    }
    ""
}

/// Whether the file is the parent module of another, or above it.
fn is_above(parent: &str, file: &str) -> bool {
    file.strip_prefix(parent.trim_end_matches(".rs")).is_some_and(|rest| rest.starts_with('/'))
}

/// Path of the module that a file is: `["archive", "text"]` of `archive/text.rs`.
fn module_of(path: &str) -> Path {
    match path.trim_end_matches(".rs") {
        "lib" => Vec::new(),
        module => module.split('/').map(str::to_owned).collect(),
    }
}

/// A shortest circle of imports for each set of files that import each other, as `a.rs -> b.rs -> a.rs`.
pub(super) fn circles(edges: &BTreeMap<&str, BTreeSet<&str>>) -> Vec<String> {
    let mut circles = Vec::new();
    let mut covered = BTreeSet::new();
    for file in edges.keys() {
        if let Some(circle) = shortest_circle(edges, file).filter(|circle| !circle.iter().any(|each| covered.contains(each))) {
            covered.extend(circle.iter().copied());
            circles.push(circle.join(" -> "));
        }
    }
    circles
}

/// The shortest way along imports from a file back to it.
fn shortest_circle<'a>(edges: &BTreeMap<&'a str, BTreeSet<&'a str>>, file: &'a str) -> Option<Vec<&'a str>> {
    let mut ways = VecDeque::from([vec![file]]);
    let mut reached = BTreeSet::new();
    while let Some(way) = ways.pop_front() {
        for next in edges.get(way[way.len() - 1]).into_iter().flatten() {
            let longer = [&way[..], &[next]].concat();
            if *next == file {
                return Some(longer);
            }
            if reached.insert(*next) {
                ways.push_back(longer);
            }
        }
    }
    None
}

#[test]
fn imports_are_resolved_to_the_file_that_defines_the_item() {
    let sources = [
        Source::new("lib.rs", "pub mod a;\npub mod b;"),
        Source::new("a.rs", "mod inner;\npub use inner::Thing;\npub struct Own;\nfn f() { g(\"crate::b::X\") }"),
        Source::new("a/inner.rs", "use super::Own;\npub struct Thing;"),
        Source::new("b.rs", "use crate::a;\nuse crate::a::{self as other, Thing as T};\nfn f() { a::Own; other::inner::Thing }"),
    ];
    let imports = Imports::read(&sources);
    let edges = imports.edges();
    let of = |file: &str| edges[file].iter().copied().collect::<Vec<_>>();
    assert_eq!(of("a.rs"), Vec::<&str>::new(), "a re-export is no import, and a string no path");
    assert_eq!(of("a/inner.rs"), Vec::<&str>::new(), "a file may use its parent");
    assert_eq!(of("b.rs"), ["a.rs", "a/inner.rs"]);
    assert_eq!(circles(&edges), Vec::<String>::new());
}

#[test]
fn files_that_import_each_other_are_a_circle() {
    let sources = [
        Source::new("a.rs", "mod inner;\nuse crate::b::Thing;\npub struct Own;\nfn f() { inner::g() }"),
        Source::new("a/inner.rs", "use super::Own;\npub fn g() {}"),
        Source::new("b.rs", "use crate::c::Other;\npub struct Thing;"),
        Source::new("c.rs", "use crate::a::Own;\npub struct Other;"),
    ];
    assert_eq!(circles(&Imports::read(&sources).edges()), ["a.rs -> b.rs -> c.rs -> a.rs"]);
}
