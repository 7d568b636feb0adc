//! The documents: every link leads somewhere, every page can be reached, and the served ones are those of `docs/`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Component, Path, PathBuf};

use historyserver::problem::ProblemCode;

use crate::support::served::Served;

/// The limit on README.md: longer texts belong into `docs/`.
const MAX_README: u64 = 8_000;
/// The limit on all files of `docs-dist/`, which are part of the binary.
const MAX_SITE: u64 = 1 << 20;

fn project() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn files(folder: &Path, ending: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path, ending));
        } else if path.to_str().unwrap().ends_with(ending) {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// All documents of the repository.
fn documents() -> Vec<PathBuf> {
    let root = project();
    let mut documents: Vec<PathBuf> = std::fs::read_dir(&root).unwrap().map(|entry| entry.unwrap().path()).collect();
    documents.retain(|path| path.extension().is_some_and(|extension| extension == "md"));
    documents.push(root.join("web/README.md"));
    documents.extend(files(&root.join("docs"), ".md"));
    documents.extend(files(&root.join("examples"), ".md"));
    documents
}

/// The lines of a document that are not in a block of code.
fn prose(text: &str) -> Vec<&str> {
    let mut code = false;
    let outside = |line: &&str| {
        let fence = line.trim_start().starts_with("```");
        code ^= fence;
        !code && !fence
    };
    text.lines().filter(outside).collect()
}

/// The anchors of the headings of a document, as GitHub and mdBook make them.
fn anchors(text: &str) -> BTreeSet<String> {
    let headings = prose(text).into_iter().filter(|line| line.starts_with('#'));
    let anchor = |heading: &str| -> String {
        let title = heading.trim_start_matches('#').trim().to_lowercase();
        title.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_')).map(|c| if c == ' ' { '-' } else { c }).collect()
    };
    headings.map(anchor).collect()
}

/// The targets of the links and pictures of a document.
fn targets(text: &str) -> Vec<String> {
    let lines = prose(text).join("\n");
    lines.split("](").skip(1).filter_map(|rest| rest.split_once(')')).map(|(target, _)| target.to_owned()).collect()
}

#[test]
fn every_link_of_the_documents_leads_to_a_file_and_a_heading() {
    let mut checked = 0;
    let mut broken = Vec::new();
    for document in documents() {
        let text = std::fs::read_to_string(&document).unwrap();
        for target in targets(&text).into_iter().filter(|target| !target.contains("://")) {
            let (file, anchor) = target.split_once('#').map_or((target.as_str(), None), |(file, anchor)| (file, Some(anchor)));
            let path = if file.is_empty() { document.clone() } else { document.parent().unwrap().join(file) };
            let heading = anchor.is_none_or(|anchor| std::fs::read_to_string(&path).is_ok_and(|text| anchors(&text).contains(anchor)));
            if !path.exists() || !heading {
                broken.push(format!("{}: {target}", document.display()));
            }
            checked += 1;
        }
    }
    assert_eq!(broken, Vec::<String>::new());
    assert!(checked > 100, "only {checked} links were found");
}

#[test]
fn the_readme_is_short_and_the_summary_lists_every_document() {
    let readme = std::fs::metadata(project().join("README.md")).unwrap().len();
    assert!(readme <= MAX_README, "README.md has {readme} bytes: move something into docs/");
    let docs = project().join("docs");
    let summary = std::fs::read_to_string(docs.join("SUMMARY.md")).unwrap();
    let listed: BTreeSet<PathBuf> = targets(&summary).into_iter().map(PathBuf::from).collect();
    let mut found: BTreeSet<PathBuf> = files(&docs, ".md").iter().map(|path| path.strip_prefix(&docs).unwrap().to_owned()).collect();
    found.remove(Path::new("SUMMARY.md"));
    assert_eq!(listed, found);
}

/// The words between backticks outside of blocks of code.
fn quoted(text: &str) -> Vec<String> {
    prose(text).join("\n").split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

#[test]
fn the_source_files_that_documents_name_exist() {
    let root = project();
    let mut sources = files(&root.join("src"), ".rs");
    for folder in ["tests", "tools", "examples", "benches"] {
        sources.extend(files(&root.join(folder), ".rs"));
    }
    let named = |name: &str| sources.iter().any(|source| source.ends_with(name));
    let mut checked = 0;
    let mut unknown = Vec::new();
    for document in documents() {
        for name in quoted(&std::fs::read_to_string(&document).unwrap())
            .iter()
            .filter(|name| Path::new(name).extension().is_some_and(|extension| extension == "rs"))
        {
            if !named(name) {
                unknown.push(format!("{}: {name}", document.display()));
            }
            checked += 1;
        }
    }
    assert_eq!(unknown, Vec::<String>::new());
    assert!(checked > 50, "only {checked} names of files were found");
}

#[test]
fn the_architecture_lists_the_modules_in_their_order_and_few_words() {
    let root = project();
    let text = std::fs::read_to_string(root.join("ARCHITECTURE.md")).unwrap();
    let section = |title: &str| text.split(&format!("\n## {title}\n")).nth(1).unwrap().split("\n## ").next().unwrap().to_owned();
    let rows = |section: &str| -> Vec<String> {
        section.lines().filter_map(|line| line.strip_prefix("| ")?.split(" |").next()).map(str::to_owned).collect()
    };
    let first_cells = rows(&section("Modules")).join(", ");
    let listed: Vec<&str> = first_cells.split('`').skip(1).step_by(2).take_while(|module| !module.ends_with('/')).collect();
    let library = std::fs::read_to_string(root.join("src/lib.rs")).unwrap();
    let modules: Vec<&str> = library.lines().filter_map(|line| line.strip_prefix("pub mod ")?.strip_suffix(';')).chain(["main"]).collect();
    assert_eq!(listed, modules, "ARCHITECTURE.md lists the modules in their order");
    // Two rows are the head of the table.
    assert!(rows(&section("Words")).len() <= 32, "the glossary has more than 30 words");
}

#[test]
fn the_documents_explain_every_problem_once() {
    let text = std::fs::read_to_string(project().join("docs/troubleshooting.md")).unwrap();
    let section = text.split("\n## Problems\n").nth(1).unwrap();
    let rows: Vec<&str> = section.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next()).collect();
    let mut codes: Vec<&str> = ProblemCode::ALL.iter().map(|code| code.as_str()).collect();
    let mut explained = rows.clone();
    codes.sort_unstable();
    explained.sort_unstable();
    assert_eq!(explained, codes);
}

/// A relative link of a page, as an absolute path without its anchor.
fn resolved(page: &str, link: &str) -> String {
    let file = link.split('#').next().unwrap();
    if file.is_empty() {
        return page.to_owned();
    }
    let base = Path::new(page.rsplit_once('/').unwrap().0);
    let mut path = PathBuf::new();
    for component in base.join(file).components() {
        match component {
            Component::ParentDir => assert!(path.pop(), "{page}: {link} leads out of the server"),
            other => path.push(other),
        }
    }
    let slash = if file.ends_with('/') && path != Path::new("/") { "/" } else { "" };
    format!("{}{slash}", path.display())
}

/// The values of an attribute in a page.
fn attributes<'a>(html: &'a str, name: &str) -> Vec<&'a str> {
    html.split(&format!(" {name}=\"")).skip(1).filter_map(|rest| rest.split('"').next()).collect()
}

#[tokio::test]
async fn the_server_serves_the_documents_and_every_link_in_them_works() {
    let server = Served::over(&[]).await;
    let without_slash = server.get("/docs").await;
    assert!(without_slash.url().path().ends_with("/docs/"), "{} after a redirect", without_slash.url());

    let mut pages: BTreeMap<String, String> = BTreeMap::new();
    let mut seen = BTreeSet::from(["/docs/".to_owned()]);
    let mut links: Vec<(String, String)> = Vec::new();
    let mut next = vec!["/docs/".to_owned()];
    while let Some(path) = next.pop() {
        let answer = server.get(&path).await;
        assert_eq!(answer.status(), 200, "{path}");
        let policy = answer.headers()["content-security-policy"].to_str().unwrap().to_owned();
        assert!(policy.contains("default-src 'self'") && !policy.contains("unsafe"), "{policy}");
        if !path.starts_with("/docs/") || !answer.headers()["content-type"].to_str().unwrap().starts_with("text/html") {
            continue;
        }
        let html = answer.text().await.unwrap();
        assert!(!html.contains("<script") && !html.contains("<style") && !html.contains(" style="), "{path} has what the policy refuses");
        for link in attributes(&html, "href").into_iter().chain(attributes(&html, "src")) {
            // An absolute link of the text, such as that of Flink.
            if link.contains("://") {
                continue;
            }
            let target = resolved(&path, link);
            links.push((target.clone(), link.to_owned()));
            if seen.insert(target.clone()) {
                next.push(target);
            }
        }
        pages.insert(path, html);
    }
    for (target, link) in links {
        let Some((_, anchor)) = link.split_once('#') else { continue };
        assert!(attributes(&pages[&target], "id").contains(&anchor), "{target} has no {link}");
    }
    assert_eq!(server.get("/docs/nothing.html").await.status(), 404);
    server.stop().await;

    let site = project().join("docs-dist");
    let built: BTreeSet<String> =
        files(&site, "").iter().map(|path| format!("/docs/{}", path.strip_prefix(&site).unwrap().display())).collect();
    let reached: BTreeSet<String> = seen.into_iter().filter(|path| path.starts_with("/docs/") && path != "/docs/").collect();
    assert_eq!(reached, built, "run tools/build-docs.sh");
    let bytes: u64 = files(&site, "").iter().map(|path| std::fs::metadata(path).unwrap().len()).sum();
    assert!(bytes <= MAX_SITE, "{bytes} bytes");
}
