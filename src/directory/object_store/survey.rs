//! The present objects of many units, by few pages of listings.
//!
//! The units are sorted by their keys. A listing starts directly before the first of them, and each page shows all units up to its last
//! key. If the next unit lies behind that key, a new listing starts directly before it, and passes over what lies between. So there is
//! never more than one page for each unit, nor more than all pages of the folder.
//!
//! A page shows a unit completely only if the store lists keys in their order. Some list folder by folder: they have another order where
//! one name is the beginning of another. Ids have equal lengths, so the order is the same within one `applications/`. For many clusters
//! with few units each, the whole root is listed, and a unit that does not appear is looked for once more on its own. Keys that are out
//! of order end this, and all units are listed one by one.

use std::collections::{BTreeMap, HashMap};

use futures::stream::{self, StreamExt, TryStreamExt};

use super::Inner;
use super::page::{CONCURRENCY, Page};
use super::pages::Requests;
use super::version;
use crate::directory::error::DirectoryError;
use crate::directory::found::{FileKind, FoundFile};
use crate::directory::layout;
use crate::directory::objects::{FolderMarker, MarkerForm, UnitObjects};
use crate::ids::JobId;
use crate::names::FilePath;

/// End of the keys of markers, of `s3n` and EMR.
pub(super) const FOLDER_SUFFIX: &str = "_$folder$";
/// Number of clusters from which the whole root is listed, unless each has many units.
const ROOT_FROM: usize = 8;

/// The keys of a listing are not in order.
struct OutOfOrder;

/// What a listing covers.
enum Scope {
    /// All keys below a prefix.
    All(String),
    /// The names directly below the root.
    Level,
}

/// The objects of units, in the order of `units`: folders of applications and names of legacy job archives.
///
/// `may_be_missing`: the units were just deleted, and one that does not appear is not looked for.
pub(super) async fn survey(store: &Inner, units: &[FilePath], may_be_missing: bool) -> Result<Vec<UnitObjects>, DirectoryError> {
    let mut survey = Survey::new(store, units)?;
    let failed = |error: ::object_store::Error| store.failed("list before a deletion in", "", &error);
    let mut jobs = Vec::new();
    let mut clusters: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for index in survey.sorted() {
        match units[index].as_str().rsplit_once('/') {
            Some((applications, _)) => clusters.entry(applications).or_default().push(index),
            None => jobs.push(index),
        }
    }
    let count: usize = clusters.values().map(Vec::len).sum();
    let mut lists: Vec<(Scope, Vec<usize>)> = Vec::new();
    let whole_root = clusters.len() >= ROOT_FROM && count < clusters.len() * ROOT_FROM;
    if whole_root {
        let mut all: Vec<usize> = clusters.into_values().flatten().collect();
        all.sort_by(|left, right| units[*left].as_str().cmp(units[*right].as_str()));
        lists.push((Scope::All(String::new()), all));
    } else {
        lists.extend(clusters.into_iter().map(|(folder, indices)| (Scope::All(format!("{folder}/")), indices)));
    }
    if !jobs.is_empty() {
        lists.push((Scope::Level, jobs));
    }
    let requests = Requests::new();
    // Futures in a list: a closure over borrowed parts makes a future that cannot be sent between threads.
    let listings: Vec<_> = lists.iter().map(|(scope, indices)| survey.gallop(&requests, scope, indices)).collect();
    let found: Vec<Result<Vec<Sight>, OutOfOrder>> = stream::iter(listings).buffered(CONCURRENCY).try_collect().await.map_err(failed)?;
    let mut alone = Vec::new();
    for (found, (scope, indices)) in found.into_iter().zip(&lists) {
        match found {
            Ok(sights) => {
                for sight in sights {
                    survey.take(sight);
                }
                if whole_root && !may_be_missing && matches!(scope, Scope::All(_)) {
                    alone.extend(indices.iter().copied().filter(|index| survey.found[*index].is_empty()));
                }
            }
            Err(OutOfOrder) => alone.extend(indices),
        }
    }
    let listed: Vec<Vec<Sight>> =
        stream::iter(alone).map(|index| survey.alone(&requests, index)).buffered(CONCURRENCY).try_collect().await.map_err(failed)?;
    for sight in listed.into_iter().flatten() {
        survey.take(sight);
    }
    Ok(survey.finish())
}

/// An object that belongs to a unit.
struct Sight {
    unit: usize,
    object: Object,
}

enum Object {
    Archive(FoundFile),
    Marker(FolderMarker),
    Other,
}

struct Survey<'a> {
    store: &'a Inner,
    units: &'a [FilePath],
    /// Keys of the units, and their numbers.
    keys: Vec<String>,
    numbers: HashMap<&'a str, usize>,
    found: Vec<UnitObjects>,
}

impl<'a> Survey<'a> {
    fn new(store: &'a Inner, units: &'a [FilePath]) -> Result<Self, DirectoryError> {
        let mut keys = Vec::with_capacity(units.len());
        for unit in units {
            layout::check_deletable(unit)?;
            keys.push(store.key(unit)?.to_string());
        }
        let numbers = units.iter().enumerate().map(|(number, unit)| (unit.as_str(), number)).collect();
        Ok(Self { store, units, keys, numbers, found: vec![UnitObjects::default(); units.len()] })
    }

    fn sorted(&self) -> Vec<usize> {
        let mut indices: Vec<usize> = (0..self.units.len()).collect();
        indices.sort_by(|left, right| self.keys[*left].cmp(&self.keys[*right]));
        indices
    }

    fn is_job(&self, unit: usize) -> bool {
        !self.units[unit].as_str().contains('/')
    }

    /// Lists until all units are seen, in the order of `indices`.
    async fn gallop(
        &self,
        requests: &Requests,
        scope: &Scope,
        indices: &[usize],
    ) -> ::object_store::Result<Result<Vec<Sight>, OutOfOrder>> {
        let below = match scope {
            Scope::All(folder) => folder.as_str(),
            Scope::Level => "",
        };
        let root = self.store.root.as_ref();
        let prefix = if root.is_empty() { below.to_owned() } else { format!("{root}/{below}") };
        let mut sights = Vec::new();
        let mut next = 0;
        let mut may_skip = true;
        while next < indices.len() {
            // A key without its last character lies directly before it. The key itself may be that of a marker.
            let mut before = self.keys[indices[next]].clone();
            before.pop();
            let mut last = String::new();
            let mut pages = match scope {
                Scope::All(_) => self.store.keys_after(requests, prefix.clone(), Some(before.clone())),
                Scope::Level => self.store.names_after(requests, prefix.clone(), Some(before.clone())),
            };
            loop {
                let Some(page) = pages.try_next().await? else {
                    next = indices.len();
                    break;
                };
                match self.take_page(&page, &mut last, &mut sights) {
                    // The store ignores where the listing is to start: it goes on page by page.
                    Ok(first) if first.as_ref().is_some_and(|first| *first <= before) => may_skip = false,
                    Ok(_) => {}
                    Err(out_of_order) => return Ok(Err(out_of_order)),
                }
                if page.last {
                    next = indices.len();
                    break;
                }
                while indices.get(next).is_some_and(|index| self.end(*index) <= last) {
                    next += 1;
                }
                let Some(index) = indices.get(next) else { break };
                if may_skip && self.keys[*index] > last {
                    break;
                }
            }
        }
        Ok(Ok(sights))
    }

    /// The key after which nothing of a unit follows.
    fn end(&self, unit: usize) -> String {
        let key = &self.keys[unit];
        if self.is_job(unit) { key.clone() } else { format!("{key}{FOLDER_SUFFIX}") }
    }

    /// Takes the objects of one page, after the key `last`, and moves `last` to its end. Returns its first key.
    fn take_page(&self, page: &Page, last: &mut String, sights: &mut Vec<Sight>) -> Result<Option<String>, OutOfOrder> {
        let objects: Vec<&str> = page.objects.iter().map(|object| object.location.as_ref()).collect();
        let sorted = |keys: &[&str]| keys.is_sorted() && keys.first().is_none_or(|first| *first >= last.as_str());
        let markers: Vec<&str> = page.aside.markers.iter().map(String::as_str).collect();
        let folders: Vec<String> = page.folders.iter().map(|folder| format!("{folder}/")).collect();
        let folders: Vec<&str> = folders.iter().map(String::as_str).collect();
        if !(sorted(&objects) && sorted(&markers) && sorted(&folders)) {
            return Err(OutOfOrder);
        }
        let ends = [&objects, &markers, &folders].into_iter();
        let first = ends.clone().filter_map(|keys| keys.first().copied()).min().map(str::to_owned);
        if let Some(end) = ends.filter_map(|keys| keys.last().copied()).max() {
            end.clone_into(last);
        }
        sights.extend(self.sights(page));
        Ok(first)
    }

    fn sights(&self, page: &Page) -> impl Iterator<Item = Sight> {
        let objects = page.objects.iter().filter_map(|object| self.sight(object));
        objects.chain(page.aside.markers.iter().filter_map(|marker| self.slash(marker)))
    }

    /// The unit of an object, and its kind. `None`: it belongs to none of the units.
    fn sight(&self, object: &::object_store::ObjectMeta) -> Option<Sight> {
        let path = self.store.below(&object.location)?;
        let archive = |kind| FoundFile { path: FilePath::new(path), kind, version: version(object) };
        if let (Some(unit), Ok(job)) = (self.numbers.get(path), JobId::from_name(path.as_bytes())) {
            return Some(Sight { unit: *unit, object: Object::Archive(archive(FileKind::Job(job))) });
        }
        if object.size == 0 {
            let (folder, form) = match path.strip_suffix(FOLDER_SUFFIX) {
                Some(folder) => (folder, MarkerForm::Suffix),
                None => (path, MarkerForm::Plain),
            };
            if let Some(marker) = self.marker(folder, form) {
                return Some(marker);
            }
        }
        let (unit, rest) = self.unit_above(path)?;
        Some(Sight { unit, object: layout::kind_below_application(rest).map_or(Object::Other, |kind| Object::Archive(archive(kind))) })
    }

    /// The marker of a folder, if it is that of an application or of its `jobs`.
    fn marker(&self, folder: &str, form: MarkerForm) -> Option<Sight> {
        let of_unit = self.numbers.get(folder);
        let of_jobs = || self.numbers.get(folder.strip_suffix(layout::JOBS)?.strip_suffix('/')?);
        let unit = *of_unit.or_else(of_jobs).filter(|unit| !self.is_job(**unit))?;
        Some(Sight { unit, object: Object::Marker(FolderMarker { folder: FilePath::new(folder), form }) })
    }

    /// An object whose key ends with a slash, which is the marker of a folder.
    fn slash(&self, key: &str) -> Option<Sight> {
        let folder = self.store.below_text(key.strip_suffix('/')?)?;
        let other = || Some(Sight { unit: self.unit_above(folder)?.0, object: Object::Other });
        // What cannot be deleted stays, and does not count.
        let is_marker = self.store.deletion.has_slashes();
        let marker = self.marker(folder, MarkerForm::Slash);
        if is_marker { marker.or_else(other) } else { None }
    }

    /// The application in whose folder a path lies, and the path below that folder. A cluster's name may have slashes, so an application
    /// may lie below the folder of another.
    fn unit_above<'path>(&self, path: &'path str) -> Option<(usize, &'path str)> {
        let slashes = path.rmatch_indices('/');
        slashes.into_iter().find_map(|(at, _)| {
            let unit = *self.numbers.get(&path[..at])?;
            Some((unit, &path[at + 1..]))
        })
    }

    /// Lists one unit.
    async fn alone(&self, requests: &Requests, unit: usize) -> ::object_store::Result<Vec<Sight>> {
        let mut sights = Vec::new();
        // One character less than the key: see `Inner::listed_object`.
        let mut prefix = self.keys[unit].clone();
        prefix.pop();
        let mut pages = self.store.keys_after(requests, prefix, None);
        while let Some(page) = pages.try_next().await? {
            sights.extend(self.sights(&page).filter(|sight| sight.unit == unit));
        }
        Ok(sights)
    }

    fn take(&mut self, Sight { unit, object }: Sight) {
        let found = &mut self.found[unit];
        match object {
            // A page may be listed twice.
            Object::Archive(file) if found.archives.contains(&file) => {}
            Object::Archive(file) => found.archives.push(file),
            Object::Marker(marker) if found.markers.contains(&marker) => {}
            Object::Marker(marker) => found.markers.push(marker),
            Object::Other => found.has_others = true,
        }
    }

    fn finish(self) -> Vec<UnitObjects> {
        let mut found = self.found;
        for objects in &mut found {
            layout::resolve_twins(&mut objects.archives);
        }
        found
    }
}
