//! A listing of the root in one piece, for directories with a cluster for each application: a request for each of their clusters would
//! cost many times the pages of all keys. Large foreign folders are passed over, and searched level by level.

use std::collections::{BTreeMap, HashSet};

use super::{Broken, Groups, Listing, Member, Page, RootJobs, Whole, search, version};
use crate::directory::found::{Extent, FileKind, Found, FoundFile, Hidden, Obstacle};
use crate::directory::layout;
use crate::directory::object_store::listing_body::Aside;
use crate::directory::object_store::pages::{Pages, disordered};
use crate::directory::object_store::ranges;
use crate::names::{ClusterName, FilePath, is_hidden};
use crate::problem::ProblemCode;

use futures::TryStreamExt;
use futures::future::try_join_all;

/// Number of folders in the root from which a listing in one piece is considered.
pub(super) const FLAT_FROM: usize = 64;
/// A listing in one piece must be this many times cheaper than one request for each folder.
const MUCH_CHEAPER: usize = 4;
/// Keys of a page.
const PAGE: usize = 1_000;
/// Maximum number of folders with ignored archives that one listing reports.
const MAX_REPORTED: usize = 16;

/// The end of a listing in one piece.
pub(super) struct Flat {
    /// Whether there is any object.
    pub(super) exists: bool,
    /// Whether there is any cluster with an application.
    pub(super) has_clusters: bool,
    /// Folders of the root that were passed over.
    pub(super) passed_over: Vec<String>,
    /// Whether the next listing should be in one piece, too.
    pub(super) was_cheap: bool,
}

/// The state between two pages of one range of keys.
struct Walk {
    with_root: bool,
    exists: bool,
    pages: usize,
    clusters: usize,
    last_key: String,
    /// The folder of the root that holds the last key, and whether an archive was found in it.
    folder: String,
    folder_has_archives: bool,
    current: Option<(ClusterName, Groups)>,
    root_jobs: RootJobs,
    /// Ignored archives, by the folder that is the reason.
    ignored: BTreeMap<String, Obstacle>,
    passed_over: Vec<String>,
}

impl Walk {
    /// A walk over the keys that follow `last_key`.
    fn new(with_root: bool, last_key: String) -> Self {
        Self {
            with_root,
            exists: false,
            pages: 0,
            clusters: 0,
            last_key,
            folder: String::new(),
            folder_has_archives: false,
            current: None,
            root_jobs: RootJobs::default(),
            ignored: BTreeMap::new(),
            passed_over: Vec::new(),
        }
    }

    /// Adds the findings of another range.
    fn add(&mut self, other: Self) {
        self.exists |= other.exists;
        self.pages += other.pages;
        self.clusters += other.clusters;
        self.root_jobs.held.extend(other.root_jobs.held);
        self.root_jobs.lower.extend(other.root_jobs.lower);
        self.ignored.extend(other.ignored);
        self.passed_over.extend(other.passed_over);
    }
}

impl Listing<'_> {
    /// Lists all keys below the root. `folders` is the number of folders of the root if its level was listed before; its objects are
    /// sent already then, and the first page shows whether the listing is worth it: `None` if not.
    pub(super) async fn flat(&self, folders: Option<usize>) -> Result<Option<Flat>, Broken> {
        let root = self.store.root.as_ref();
        let prefix = if root.is_empty() { String::new() } else { format!("{root}/") };
        let mut pages = self.store.keys_after(&self.requests, prefix.clone(), None);
        let mut walk = Walk::new(folders.is_none(), String::new());
        let mut ends = Vec::new();
        if let Some(page) = pages.try_next().await? {
            if folders.is_some_and(|folders| !is_worth_it(&page, &prefix, folders)) {
                return Ok(None);
            }
            if self.store.costs.lists_ranges() {
                ends = ranges::boundaries(&page, &prefix);
            }
            // All of the first page may be one folder: the second shows whether it is large.
            self.take_page(&mut walk, page).await?;
        }
        let first = self.walk(walk, pages, &prefix, ends.first());
        let others = ends.iter().enumerate().map(|(number, start)| {
            let pages = self.store.keys_after(&self.requests, prefix.clone(), Some(start.clone()));
            self.walk(Walk::new(folders.is_none(), start.clone()), pages, &prefix, ends.get(number + 1))
        });
        let walks = try_join_all(std::iter::once(first).chain(others)).await?;
        let mut all = Walk::new(folders.is_none(), String::new());
        all.exists = folders.is_some();
        for walk in walks {
            all.add(walk);
        }
        self.send_root_jobs(all.root_jobs).await?;
        if all.clusters > 0 {
            self.send_obstacles(all.ignored.into_values().take(MAX_REPORTED).collect()).await?;
        }
        let was_cheap = all.clusters > MUCH_CHEAPER * (all.pages + all.passed_over.len());
        Ok(Some(Flat { exists: all.exists, has_clusters: all.clusters > 0, passed_over: all.passed_over, was_cheap }))
    }

    /// Takes the pages of one range of keys, which ends with `end`. No folder of the root is in two ranges.
    async fn walk(&self, mut walk: Walk, mut pages: Pages<'_>, prefix: &str, end: Option<&String>) -> Result<Walk, Broken> {
        while let Some(mut page) = pages.try_next().await? {
            let is_over = end.is_some_and(|end| ranges::cut(&mut page, end));
            let last = page.last || is_over;
            let is_foreign = self.take_page(&mut walk, page).await?;
            if last {
                break;
            }
            if is_foreign && !walk.passed_over.contains(&walk.folder) {
                walk.passed_over.push(walk.folder.clone());
                let start = format!("{prefix}{}/~", walk.folder);
                walk.last_key.clone_from(&start);
                pages = self.store.keys_after(&self.requests, prefix.to_owned(), Some(start));
            }
        }
        let (mut wholes, mut obstacles) = (Vec::new(), Vec::new());
        end_cluster(&mut walk.current, &mut wholes, &mut obstacles);
        self.send_wanted(wholes).await?;
        self.send_obstacles(obstacles).await?;
        Ok(walk)
    }

    /// Takes one page. Returns whether all of it is in one folder without any archive.
    async fn take_page(&self, walk: &mut Walk, page: Page) -> Result<bool, Broken> {
        walk.pages += 1;
        walk.exists |= !(page.objects.is_empty() && page.aside == Aside::default());
        let (mut wholes, mut obstacles, mut jobs) = (Vec::new(), Vec::new(), Vec::new());
        let mut is_one_folder = walk.pages > 1;
        for object in &page.objects {
            let key = object.location.as_ref();
            if key <= walk.last_key.as_str() {
                self.store.costs.refuse_flat();
                return Err(Broken::Store(disordered()));
            }
            key.clone_into(&mut walk.last_key);
            let Some(path) = self.store.below(&object.location) else { continue };
            let Some((folder, _)) = path.split_once('/') else {
                is_one_folder = false;
                if walk.with_root {
                    self.root_object(object, path, &mut walk.root_jobs, &mut jobs);
                }
                continue;
            };
            if walk.folder != folder {
                is_one_folder = false;
                folder.clone_into(&mut walk.folder);
                walk.folder_has_archives = false;
            }
            let Some((cluster, member)) = member(path, object) else {
                self.note_ignored(walk, path);
                continue;
            };
            walk.folder_has_archives = true;
            if walk.current.as_ref().is_none_or(|(current, _)| *current != cluster) {
                end_cluster(&mut walk.current, &mut wholes, &mut obstacles);
                self.search.note_cluster(&cluster);
                walk.clusters += 1;
                walk.current = Some((cluster.clone(), Groups::new(cluster)));
            }
            if let Some((_, groups)) = &mut walk.current {
                wholes.extend(groups.push(0, vec![member], false));
            }
        }
        self.send_wanted(wholes).await?;
        self.send_obstacles(obstacles).await?;
        if !jobs.is_empty() {
            self.send(Found::LegacyJobs(jobs)).await?;
        }
        Ok(is_one_folder && !walk.folder_has_archives && !page.objects.is_empty() && !self.search.knows_below(&walk.folder))
    }

    /// Sends applications; in a quick scan only the wanted ones with their files, as if the others had not been listed.
    async fn send_wanted(&self, mut wholes: Vec<Whole>) -> Result<(), Broken> {
        if let Extent::Quick(wants_files) = self.extent {
            for Whole { application, .. } in &mut wholes {
                if !wants_files(&application.cluster, &application.id) {
                    application.files = None;
                }
            }
        }
        self.send_wholes(wholes).await
    }

    /// Notes an archive below a hidden name, or below too many folders, in a full scan.
    fn note_ignored(&self, walk: &mut Walk, path: &str) {
        if !matches!(self.extent, Extent::Full) || walk.ignored.len() >= MAX_REPORTED || !search::is_like_an_archive(path) {
            return;
        }
        let parts: Vec<&str> = path.split('/').collect();
        let hidden = parts.iter().position(|part| is_hidden(part.as_bytes()));
        let (end, code) = match hidden {
            Some(at) if at <= layout::MAX_SEGMENTS => (at + 1, ProblemCode::HiddenFolder),
            None if parts.len() > layout::MAX_SEGMENTS + 1 => (layout::MAX_SEGMENTS + 1, ProblemCode::SearchLimited),
            _ => return,
        };
        let folder = parts[..end].join("/");
        let reason = if code == ProblemCode::HiddenFolder { layout::hidden_archives(&folder) } else { layout::too_deep(&folder) };
        let obstacle = Obstacle { hides: Hidden::Nothing, path: FilePath::new(folder.as_str()), code, reason };
        walk.ignored.insert(folder, obstacle);
    }
}

/// Whether the first page promises that all keys take far fewer pages than there are folders.
fn is_worth_it(page: &Page, prefix: &str, folders: usize) -> bool {
    let names = page.objects.iter().filter_map(|object| object.location.as_ref().strip_prefix(prefix)?.split_once('/'));
    let seen = names.map(|(folder, _)| folder).collect::<HashSet<_>>().len().max(1);
    let keys = folders.saturating_mul(page.objects.len()) / seen;
    keys / PAGE * MUCH_CHEAPER < folders
}

/// The cluster and the archive of an object; `None` for other objects.
fn member(path: &str, object: &::object_store::ObjectMeta) -> Option<(ClusterName, Member)> {
    let folder = match path.strip_suffix(layout::SUMMARY) {
        Some(folder) => folder.strip_suffix('/')?,
        None => path.rsplit_once('/')?.0.strip_suffix(layout::JOBS)?.strip_suffix('/')?,
    };
    let kind: FileKind = layout::kind_below_application(path.strip_prefix(folder)?.strip_prefix('/')?)?;
    let (cluster, id) = layout::application_of(&FilePath::new(folder))?;
    let file = FoundFile { path: FilePath::new(path), kind, version: version(object) };
    Some((cluster, Member { id, name: layout::file_name(folder).to_owned(), file }))
}

fn end_cluster(current: &mut Option<(ClusterName, Groups)>, wholes: &mut Vec<Whole>, obstacles: &mut Vec<Obstacle>) {
    if let Some((_, mut groups)) = current.take() {
        wholes.extend(groups.push(0, Vec::new(), true));
        let (held, ambiguous) = groups.finish();
        wholes.extend(held);
        obstacles.extend(ambiguous);
    }
}
