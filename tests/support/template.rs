//! A real archive, cut where an id, a name or a time stands in it.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::generator::MadeJob;

/// What is put in.
#[derive(Debug)]
pub(crate) struct Shape {
    /// In place of the ids, in their order: the application's first.
    pub(crate) ids: Vec<String>,
    /// Behind every name.
    pub(crate) suffix: String,
    /// Milliseconds added to every time.
    pub(crate) shift: i64,
}

#[derive(Debug, Clone)]
enum Slot {
    Id(usize),
    /// The end of a name: the suffix goes here, before a closing bracket if there is one.
    NameEnd,
    Time(i64),
}

/// One file.
#[derive(Debug)]
pub(crate) struct Text {
    text: String,
    /// Where something is put in: bytes that it replaces.
    slots: Vec<(usize, usize, Slot)>,
}

impl Text {
    /// Finds ids, names (as JSON text within JSON text) and times in a window.
    fn new(text: String, ids: &[String], names: &[String], window: (i64, i64)) -> Self {
        let mut slots = Vec::new();
        for (number, id) in ids.iter().enumerate() {
            slots.extend(text.match_indices(id.as_str()).map(|(at, id)| (at, at + id.len(), Slot::Id(number))));
        }
        for name in names {
            let pattern = format!("\\\"name\\\":\\\"{}\\\"", escaped_twice(name));
            // `SingleJobApplication(name)` is known by its job's name.
            let quote = 2 + usize::from(is_single(name));
            slots.extend(
                text.match_indices(&pattern).map(|(at, found)| (at + found.len() - quote, at + found.len() - quote, Slot::NameEnd)),
            );
        }
        let bytes = text.as_bytes();
        let mut at = 0;
        while at < bytes.len() {
            let word = bytes[at..].iter().take_while(|byte| byte.is_ascii_alphanumeric()).count();
            if word == 13
                && let Ok(time) = text[at..at + word].parse::<i64>()
                && (window.0..=window.1).contains(&time)
            {
                slots.push((at, at + word, Slot::Time(time)));
            }
            at += word.max(1);
        }
        slots.sort_by_key(|(at, ..)| *at);
        Self { text, slots }
    }

    /// The file with everything put in.
    pub(crate) fn render(&self, shape: &Shape) -> String {
        let mut made = String::with_capacity(self.text.len() + self.slots.len() * shape.suffix.len());
        let mut copied = 0;
        for (from, to, slot) in &self.slots {
            made.push_str(&self.text[copied..*from]);
            match slot {
                Slot::Id(id) => made.push_str(&shape.ids[*id]),
                Slot::NameEnd => made.push_str(&shape.suffix),
                Slot::Time(time) => made.push_str(&(time + shape.shift).to_string()),
            }
            copied = *to;
        }
        made.push_str(&self.text[copied..]);
        made
    }
}

fn is_single(name: &str) -> bool {
    name.starts_with("SingleJobApplication(") && name.ends_with(')')
}

/// Text of a string within a document within an archive, as Flink writes it: the outer text is in UTF-8, but for characters of four bytes.
fn escaped_twice(name: &str) -> String {
    let escape = |text: &str| {
        let quoted = Value::from(text).to_string();
        quoted[1..quoted.len() - 1].to_owned()
    };
    let mut escaped = String::new();
    for character in escape(&escape(name)).chars() {
        if character.len_utf8() < 4 {
            escaped.push(character);
        } else {
            escaped.extend(character.encode_utf16(&mut [0; 2]).iter().map(|unit| format!("\\u{unit:04X}")));
        }
    }
    escaped
}

/// A job archive.
#[derive(Debug)]
pub(crate) struct JobTemplate {
    /// Position among the ids.
    id: usize,
    /// Start, milliseconds since 1970.
    pub(crate) start: i64,
    end: i64,
    text: Text,
}

impl JobTemplate {
    /// The archive with everything put in.
    pub(crate) fn make(&self, shape: &Shape) -> MadeJob {
        MadeJob { id: shape.ids[self.id].clone(), end: self.end + shape.shift, archive: self.text.render(shape) }
    }
}

/// An application.
#[derive(Debug)]
pub(crate) struct Template {
    name: String,
    /// As its overview tells it.
    pub(crate) state: String,
    /// Start, milliseconds since 1970.
    pub(crate) start: i64,
    /// End, milliseconds since 1970.
    pub(crate) end: i64,
    ids: usize,
    /// `application-summary`.
    pub(crate) summary: Text,
    /// Job archives.
    pub(crate) jobs: Vec<JobTemplate>,
}

impl Template {
    /// Bytes of all its files.
    pub(crate) fn bytes(&self) -> u64 {
        (self.summary.text.len() + self.jobs.iter().map(|job| job.text.text.len()).sum::<usize>()) as u64
    }

    /// Number of ids to be put in.
    pub(crate) fn ids(&self) -> usize {
        self.ids
    }

    /// The name that it is given.
    pub(crate) fn name(&self, shape: &Shape) -> String {
        if is_single(&self.name) {
            format!("{}{})", &self.name[..self.name.len() - 1], shape.suffix)
        } else {
            format!("{}{}", self.name, shape.suffix)
        }
    }
}

/// A file, and the object that its overview entry holds.
fn read_archive(file: &Path, overview: &str, list: &str) -> io::Result<(String, Value)> {
    let invalid = || io::Error::other(format!("{} is not an archive of Flink's", file.display()));
    let text = fs::read_to_string(file)?;
    let archive: Value = serde_json::from_str(&text)?;
    let entries = archive["archive"].as_array().ok_or_else(invalid)?;
    let entry = entries.iter().find(|entry| entry["path"] == overview).ok_or_else(invalid)?;
    let document: Value = serde_json::from_str(entry["json"].as_str().ok_or_else(invalid)?)?;
    let object = document[list].get(0).cloned().ok_or_else(invalid)?;
    Ok((text, object))
}

fn names_in(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut found: Vec<PathBuf> = fs::read_dir(folder)?.map(|entry| entry.map(|entry| entry.path())).collect::<io::Result<_>>()?;
    found.sort();
    Ok(found)
}

fn time(object: &Value, name: &str) -> i64 {
    object[name].as_i64().unwrap_or(0)
}

/// Times so near to a run belong to it.
fn window(object: &Value) -> (i64, i64) {
    (time(object, "start-time") - 3_600_000, time(object, "end-time") + 3_600_000)
}

fn text_of(object: &Value, name: &str) -> String {
    object[name].as_str().unwrap_or_default().to_owned()
}

/// All applications of an archive directory.
pub(crate) fn archives_in(directory: &Path) -> io::Result<Vec<Template>> {
    let mut templates = Vec::new();
    for cluster in names_in(directory)? {
        let applications = cluster.join("applications");
        if !applications.is_dir() {
            continue;
        }
        for folder in names_in(&applications)? {
            templates.push(application(&folder)?);
        }
    }
    Ok(templates)
}

fn application(folder: &Path) -> io::Result<Template> {
    let (summary, overview) = read_archive(&folder.join("application-summary"), "/applications/overview", "applications")?;
    let mut jobs = Vec::new();
    if folder.join("jobs").is_dir() {
        for file in names_in(&folder.join("jobs"))? {
            jobs.push(read_archive(&file, "/jobs/overview", "jobs")?);
        }
    }
    let mut ids = vec![text_of(&overview, "id")];
    let mut names = vec![text_of(&overview, "name")];
    for (_, job) in &jobs {
        let (id, name) = (text_of(job, "jid"), text_of(job, "name"));
        if !ids.contains(&id) {
            ids.push(id);
        }
        if !names.contains(&name) {
            names.push(name);
        }
    }
    let window = window(&overview);
    let jobs = jobs.into_iter().map(|(text, job)| JobTemplate {
        id: ids.iter().position(|id| *id == job["jid"]).unwrap_or(0),
        start: time(&job, "start-time"),
        end: time(&job, "end-time"),
        text: Text::new(text, &ids, &names, window),
    });
    let jobs = jobs.collect();
    Ok(Template {
        name: text_of(&overview, "name"),
        state: text_of(&overview, "status"),
        start: time(&overview, "start-time"),
        end: time(&overview, "end-time"),
        ids: ids.len(),
        summary: Text::new(summary, &ids, &names, window),
        jobs,
    })
}

/// All flat job archives of a directory.
pub(crate) fn legacy_jobs_in(directory: &Path) -> io::Result<Vec<JobTemplate>> {
    let files = names_in(directory)?.into_iter().filter(|path| path.is_file());
    let templates = files.map(|file| {
        let (text, job) = read_archive(&file, "/jobs/overview", "jobs")?;
        let (ids, names) = ([text_of(&job, "jid")], [text_of(&job, "name")]);
        let (start, end) = (time(&job, "start-time"), time(&job, "end-time"));
        Ok(JobTemplate { id: 0, start, end, text: Text::new(text, &ids, &names, window(&job)) })
    });
    templates.collect()
}
