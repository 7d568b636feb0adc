//! Decides which units are in a part of the index: the one rule behind lists, counts, searches, documents, problems and removals.

use std::collections::HashMap;
use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension as _, params};

use crate::index::model::UnitKey;
use crate::index::model::texts::{KEY_END, TextKind, pieces};
use crate::index::query::folding::fold;
use crate::index::query::{Part, Selection};
use crate::index::sqlite::store::sqlite_error::SqliteError;
use crate::index::sqlite::store::values::unit_columns;
use crate::pack::unpack_text;

/// Jobs of the application of a unit, its flat jobs among them.
const JOBS: &str = "(SELECT id FROM jobs WHERE unit = ?1 UNION ALL SELECT id FROM jobs WHERE owner = ?1)";

/// Decides for the rows of one snapshot. Verdicts are remembered, so each unit, name and configuration is looked up once.
#[derive(Debug)]
pub(in crate::index::sqlite) struct Visibility {
    /// `None`: everything.
    selections: Option<Arc<[Selection]>>,
    by_directory: bool,
    /// Selections that a directory and a cluster meet, as bits, by row ids.
    places: HashMap<(i64, i64), u64>,
    /// Selections whose condition on names a name meets, as bits, by row id of the name.
    names: HashMap<i64, u64>,
    units: HashMap<i64, bool>,
    /// The values of the keys of the selections in a text.
    texts: HashMap<i64, Arc<Settings>>,
}

/// Whether a text is the configuration of a job itself, and its values of the keys, by the number of the selection.
type Settings = (bool, Vec<Option<String>>);

/// Selections beyond this number are decided without bits.
const BITS: usize = 64;

impl Visibility {
    /// Of a part of the index.
    pub(in crate::index::sqlite) fn of(part: &Part) -> Self {
        Self {
            selections: part.selections().cloned(),
            by_directory: part.is_by_directory(),
            places: HashMap::new(),
            names: HashMap::new(),
            units: HashMap::new(),
            texts: HashMap::new(),
        }
    }

    /// Whether all units are in it.
    pub(in crate::index::sqlite) fn is_everything(&self) -> bool {
        self.selections.is_none()
    }

    /// Whether the archive directory alone decides.
    pub(in crate::index::sqlite) fn is_by_directory(&self) -> bool {
        self.by_directory
    }

    /// Labels of the clusters that a unit must be in; `None`: units of any cluster can be in it, or there are too many clusters.
    pub(in crate::index::sqlite) fn clusters(&self, connection: &Connection, kind: i64) -> Result<Option<Vec<i64>>, SqliteError> {
        /// Maximum number of compared clusters.
        const MAX_CLUSTERS: i64 = 20_000;
        let Some(selections) = &self.selections else { return Ok(None) };
        // A legacy job archive has no cluster, so no label.
        if selections.iter().any(|selection| selection.has_cluster("")) {
            return Ok(None);
        }
        let labels: Vec<(i64, String)> = connection
            .prepare_cached("SELECT id, text FROM labels WHERE kind = ?1 LIMIT ?2")?
            .query_map(params![kind, MAX_CLUSTERS + 1], |row| Ok((row.get(0)?, row.get(1)?)))?
            .collect::<Result<_, _>>()?;
        if i64::try_from(labels.len()).unwrap_or(i64::MAX) > MAX_CLUSTERS {
            return Ok(None);
        }
        let visible = labels.into_iter().filter(|(_, text)| selections.iter().any(|selection| selection.has_cluster(text)));
        Ok(Some(visible.map(|(id, _)| id).collect()))
    }

    /// Whether a row of a narrow list is in it, from its directory, its cluster (a label), and its name (a row of `names`); `None`: its
    /// unit must be looked up.
    pub(in crate::index::sqlite) fn row(
        &mut self,
        connection: &Connection,
        directory: i64,
        cluster: i64,
        name: i64,
    ) -> Result<Option<bool>, SqliteError> {
        let Some(selections) = self.selections.clone() else { return Ok(Some(true)) };
        if selections.len() > BITS {
            return Ok(None);
        }
        let place = self.place(connection, &selections, directory, cluster)?;
        if place == 0 {
            return Ok(Some(false));
        }
        let has = |bits: u64, wanted: &dyn Fn(&Selection) -> bool| {
            selections.iter().enumerate().any(|(number, selection)| bits & (1 << number) != 0 && wanted(selection))
        };
        if has(place, &Selection::is_of_places) {
            return Ok(Some(true));
        }
        if has(place, &|selection| selection.configuration.is_none()) {
            let named = self.named(connection, &selections, name)?;
            if has(place & named, &|selection| selection.configuration.is_none()) {
                return Ok(Some(true));
            }
        }
        Ok(None)
    }

    fn place(&mut self, connection: &Connection, selections: &[Selection], directory: i64, cluster: i64) -> Result<u64, SqliteError> {
        if let Some(known) = self.places.get(&(directory, cluster)) {
            return Ok(*known);
        }
        let url: Option<String> =
            connection.prepare_cached("SELECT url FROM directories WHERE id = ?1")?.query_row([directory], |row| row.get(0)).optional()?;
        let text: Option<String> =
            connection.prepare_cached("SELECT text FROM labels WHERE id = ?1")?.query_row([cluster], |row| row.get(0)).optional()?;
        let (url, text) = (url.unwrap_or_default(), text.unwrap_or_default());
        let met = bits(selections, |selection| selection.is_in(&url) && selection.has_cluster(&text));
        self.places.insert((directory, cluster), met);
        Ok(met)
    }

    fn named(&mut self, connection: &Connection, selections: &[Selection], name: i64) -> Result<u64, SqliteError> {
        if let Some(known) = self.names.get(&name) {
            return Ok(*known);
        }
        let folded: Option<String> =
            connection.prepare_cached("SELECT folded FROM names WHERE id = ?1")?.query_row([name], |row| row.get(0)).optional()?;
        let met = folded.map_or(0, |folded| bits(selections, |selection| selection.has_name(&folded)));
        self.names.insert(name, met);
        Ok(met)
    }

    /// Whether the unit of a job is in it.
    pub(in crate::index::sqlite) fn job(&mut self, connection: &Connection, job: i64) -> Result<bool, SqliteError> {
        if self.is_everything() {
            return Ok(true);
        }
        let unit: Option<i64> = connection
            .prepare_cached("SELECT coalesce(owner, unit) FROM jobs WHERE id = ?1")?
            .query_row([job], |row| row.get(0))
            .optional()?;
        unit.map_or(Ok(false), |unit| self.unit(connection, unit))
    }

    /// Whether a unit is in it. A flat job is if its application is.
    pub(in crate::index::sqlite) fn unit(&mut self, connection: &Connection, unit: i64) -> Result<bool, SqliteError> {
        let Some(selections) = self.selections.clone() else { return Ok(true) };
        if let Some(known) = self.units.get(&unit) {
            return Ok(*known);
        }
        let found: Option<(i64, String, String)> = connection
            .prepare_cached(
                "SELECT u.id, d.url, u.cluster FROM units u JOIN directories d ON d.id = u.directory
                 WHERE u.id = coalesce((SELECT owner FROM jobs WHERE unit = ?1 AND owner IS NOT NULL LIMIT 1), ?1)",
            )?
            .query_row([unit], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
            .optional()?;
        let visible = match found {
            Some((group, url, cluster)) => self.group(connection, &selections, group, &url, &cluster)?,
            None => false,
        };
        self.units.insert(unit, visible);
        Ok(visible)
    }

    fn group(
        &mut self,
        connection: &Connection,
        selections: &[Selection],
        group: i64,
        url: &str,
        cluster: &str,
    ) -> Result<bool, SqliteError> {
        let (mut names, mut settings): (Option<Vec<String>>, Option<Vec<Arc<Settings>>>) = (None, None);
        for (number, selection) in selections.iter().enumerate() {
            if !selection.is_in(url) || !selection.has_cluster(cluster) {
                continue;
            }
            if selection.names.is_some() {
                if names.is_none() {
                    names = Some(names_of(connection, group)?);
                }
                if !names.iter().flatten().any(|name| selection.has_name(name)) {
                    continue;
                }
            }
            if let Some(wanted) = &selection.configuration {
                if settings.is_none() {
                    settings = Some(self.settings_of(connection, selections, group)?);
                }
                let values = |own: bool| {
                    let of_kind = settings.iter().flatten().filter(move |settings| settings.0 == own);
                    of_kind.filter_map(move |settings| settings.1.get(number)?.as_deref())
                };
                let own: Vec<&str> = values(true).collect();
                let values = if own.is_empty() { values(false).collect() } else { own };
                if !values.iter().any(|value| wanted.values.iter().any(|pattern| pattern.matches(value))) {
                    continue;
                }
            }
            return Ok(true);
        }
        Ok(false)
    }

    /// The configurations of an application and its jobs, as far as selections name their keys.
    fn settings_of(&mut self, connection: &Connection, selections: &[Selection], group: i64) -> Result<Vec<Arc<Settings>>, SqliteError> {
        let sql = format!("SELECT text FROM application_texts WHERE application = ?1 UNION SELECT text FROM job_texts WHERE job IN {JOBS}");
        let texts: Vec<i64> = connection.prepare_cached(&sql)?.query_map([group], |row| row.get(0))?.collect::<Result<_, _>>()?;
        let mut found = Vec::new();
        for text in texts {
            let settings = if let Some(known) = self.texts.get(&text) {
                Arc::clone(known)
            } else {
                let read = Arc::new(read_settings(connection, selections, text)?);
                self.texts.insert(text, Arc::clone(&read));
                read
            };
            found.push(settings);
        }
        Ok(found)
    }

    /// Whether a unit is in it that may have left the index. `name`: as it was when it left.
    pub(in crate::index::sqlite) fn key(
        &mut self,
        connection: &Connection,
        part: &Part,
        key: &UnitKey,
        name: Option<&str>,
    ) -> Result<bool, SqliteError> {
        if self.is_everything() {
            return Ok(true);
        }
        let (cluster, id) = unit_columns(key);
        let unit: Option<i64> = connection
            .prepare_cached(
                "SELECT u.id FROM directories d JOIN units u ON u.directory = d.id WHERE d.url = ?1 AND u.cluster = ?2 AND u.name = ?3",
            )?
            .query_row(params![key.directory().as_str(), cluster, id], |row| row.get(0))
            .optional()?;
        match unit {
            Some(unit) => self.unit(connection, unit),
            None => Ok(part.has_unknown(key.directory().as_str(), Some(cluster), name)),
        }
    }
}

fn bits(selections: &[Selection], meets: impl Fn(&Selection) -> bool) -> u64 {
    selections.iter().enumerate().fold(0, |bits, (number, selection)| bits | (u64::from(meets(selection)) << number))
}

/// The folded names of an application and its jobs.
fn names_of(connection: &Connection, group: i64) -> Result<Vec<String>, SqliteError> {
    let sql = format!(
        "SELECT name FROM applications WHERE unit = ?1 AND name IS NOT NULL UNION SELECT name FROM jobs WHERE id IN {JOBS} AND name IS NOT NULL"
    );
    let mut query = connection.prepare_cached(&sql)?;
    let names = query.query_map([group], |row| row.get::<_, String>(0))?;
    Ok(names.map(|name| name.map(|name| fold(&name))).collect::<Result<_, _>>()?)
}

/// The values that a text has of the keys of the selections. A text that is no configuration has none.
fn read_settings(connection: &Connection, selections: &[Selection], text: i64) -> Result<Settings, SqliteError> {
    let (own, cluster) = (TextKind::Configuration.number(), TextKind::ClusterConfiguration.number());
    let found: Option<(i64, Vec<u8>)> = connection
        .prepare_cached("SELECT kind, content FROM texts WHERE id = ?1 AND kind IN (?2, ?3)")?
        .query_row(params![text, own, cluster], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    let Some((kind, content)) = found else { return Ok((false, Vec::new())) };
    let content = unpack_text(&content)?;
    let value_of = |key: &str| {
        let value = |piece: &str| piece.strip_prefix(key)?.strip_prefix(KEY_END).map(str::to_owned);
        pieces(&content).find_map(value)
    };
    let values = selections.iter().map(|selection| value_of(&selection.configuration.as_ref()?.key)).collect();
    Ok((kind == own, values))
}
