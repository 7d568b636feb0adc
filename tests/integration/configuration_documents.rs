//! `historyserver.toml` and `docs/configuration.md` list the same options and defaults as the code.
//!
//! With `UPDATE_DOCUMENTS=1` in the environment, the documents are written instead of compared.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use historyserver::config::options::{self, Effect, Group, Kind, Spec};
use historyserver::config::{Config, Environment, Sources};

const WIDTH: usize = 120;

/// Options that `historyserver.toml` sets, so that it serves the sample archives of the repository.
const SET: &[(&str, &str, &str)] = &[
    (
        "historyserver.archive.fs.dir",
        "tests/fixtures/archives/flink-2.3.0, tests/fixtures/archives/flink-2.2.1, tests/fixtures/archives/flink-1.20.5",
        "Set here to the sample archives of the repository.",
    ),
    ("historyserver.data.dir", "historyserver-data", "Set here to a folder beside this file."),
];

fn project() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn title(group: Group) -> &'static str {
    match group {
        Group::Flink => "Options of Flink's HistoryServer",
        Group::Own => "Options of this server alone",
        Group::Core => "Options of Flink as a whole",
        Group::Security => "TLS, with Flink's option names",
        Group::Later => "Options of later versions of Flink: accepted, without effect",
    }
}

fn by_group() -> impl Iterator<Item = (Group, Vec<&'static Spec>)> {
    [Group::Flink, Group::Own, Group::Core, Group::Security, Group::Later]
        .into_iter()
        .map(|group| (group, options::ALL.iter().copied().filter(|option| option.group == group).collect()))
}

fn wrapped(text: &str) -> String {
    let mut lines = String::new();
    let mut line = String::from("#");
    for word in text.split_whitespace() {
        if line.chars().count() + 1 + word.chars().count() > WIDTH {
            writeln!(lines, "{line}").unwrap();
            line = String::from("#");
        }
        write!(line, " {word}").unwrap();
    }
    writeln!(lines, "{line}").unwrap();
    lines
}

fn toml_value(option: &Spec, default: &str) -> String {
    match option.kind {
        Kind::Switch | Kind::Integer(..) | Kind::Fraction => default.to_owned(),
        _ => format!("\"{default}\""),
    }
}

fn expected_toml() -> String {
    let mut text = String::from(
        "# Configuration of the Flink history server.\n#\n\
         # Every option is here, commented out at its default. Keys may be dotted, as here, or in tables. The same keys may be set\n\
         # in Flink's configuration directory (--config-dir), by environment variables (HISTORYSERVER__WEB__PORT) and by\n\
         # -D key=value; later ones override earlier ones. `historyserver check-config` prints all values and their sources.\n#\n\
         # Durations: `10 s`, `5 min`, `1 h`, `7 d`; a number without a unit is milliseconds.\n\
         # Memory sizes: `64 mb`, `10 gb`; 1 kb is 1024 bytes; a number without a unit is bytes.\n",
    );
    for (group, options) in by_group().filter(|(group, _)| *group != Group::Later) {
        writeln!(text, "\n# ---- {} ----", title(group)).unwrap();
        for option in options.into_iter().filter(|option| option.effect == Effect::Full) {
            let set = SET.iter().find(|(key, _, _)| *key == option.key);
            let note = set.map(|(_, _, note)| format!(" {note}")).unwrap_or_default();
            let default = option.default.unwrap_or("unset");
            let described = format!("{}{note}", option.description);
            writeln!(text).unwrap();
            text.push_str(&wrapped(&described));
            text.push_str(&wrapped(&format!("({}; default: {default})", option.kind.describe())));
            match (set, option.default) {
                (Some((key, value, _)), _) => writeln!(text, "{key} = \"{value}\"").unwrap(),
                (None, Some(default)) => writeln!(text, "#{} = {}", option.key, toml_value(option, default)).unwrap(),
                (None, None) => writeln!(text, "#{} =", option.key).unwrap(),
            }
        }
    }
    text
}

fn expected_table() -> String {
    let mut text = String::new();
    for (group, options) in by_group() {
        writeln!(text, "\n**{}**\n\n| Option | Type | Default | |\n| --- | --- | --- | --- |", title(group)).unwrap();
        for option in options {
            let default = option.default.map_or_else(|| "unset".to_owned(), |default| format!("`{default}`"));
            let none = if option.effect == Effect::None { " No effect." } else { "" };
            writeln!(text, "| `{}` | {} | {default} | {}{none} |", option.key, option.kind.describe(), option.description).unwrap();
        }
    }
    text
}

/// Compares a document with its expected text, or writes it with `UPDATE_DOCUMENTS=1`.
fn check_or_write(path: &Path, found: &str, expected: &str) {
    if std::env::var_os("UPDATE_DOCUMENTS").is_some() {
        std::fs::write(path, expected).unwrap();
        return;
    }
    for (number, (found, expected)) in found.lines().zip(expected.lines()).enumerate() {
        assert_eq!(found, expected, "{}, line {}: run the tests with UPDATE_DOCUMENTS=1", path.display(), number + 1);
    }
    assert_eq!(found, expected, "{}: run the tests with UPDATE_DOCUMENTS=1", path.display());
}

#[test]
fn the_configuration_file_of_the_repository_documents_every_option_and_its_default() {
    let path = project().join("historyserver.toml");
    check_or_write(&path, &std::fs::read_to_string(&path).unwrap_or_default(), &expected_toml());
}

#[test]
fn the_documentation_lists_every_option_and_its_default() {
    let path = project().join("docs/configuration.md");
    let found = std::fs::read_to_string(&path).unwrap();
    let (begin, end) = ("<!-- options: written by the tests -->\n", "<!-- end of options -->\n");
    let (before, rest) = found.split_once(begin).expect("docs/configuration.md has a place for the options");
    let (_, after) = rest.split_once(end).expect("the place for the options has an end");
    check_or_write(&path, &found, &format!("{before}{begin}{}\n{end}{after}", expected_table()));
}

#[test]
fn the_commented_defaults_change_nothing_when_they_are_set() {
    // Not read from the file, which another test may be writing.
    let text = expected_toml();
    let commented = text.lines().filter_map(|line| line.strip_prefix('#')).filter(|line| {
        let key = line.split(" =").next().unwrap_or_default();
        options::find(key).is_some() && !line.ends_with('=')
    });
    let commented: Vec<&str> = commented.collect();
    let with_default = options::ALL.iter().filter(|option| option.default.is_some()).count();
    assert_eq!(commented.len(), with_default);

    let load = |text: &str| {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("all.toml");
        std::fs::write(&file, text).unwrap();
        let sources = Sources { file: Some(file), ..Sources::default() };
        let environment = Environment { working_directory: project(), ..Environment::default() };
        Config::load(&sources, &environment).unwrap()
    };
    let plain = load(&text);
    let uncommented = load(&format!("{text}\n{}\n", commented.join("\n")));
    let mut config = uncommented.config;
    assert!(!config.web.address_is_default);
    config.web.address_is_default = true;
    assert_eq!(format!("{config:?}"), format!("{:?}", plain.config));
    assert_eq!(uncommented.warnings, Vec::<String>::new());
    assert_eq!(plain.config.archive.directories.len(), 3);
    assert_eq!(plain.config.data.dir, project().join("historyserver-data"));
    for directory in &plain.config.archive.directories {
        assert!(project().join(directory).is_dir(), "{directory}");
    }
}
