//! Quick scan and full scan of a root in an object store: first the root level, then each folder and each cluster.

mod flat;

use std::collections::{HashSet, VecDeque};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use ::object_store::ObjectMeta;
use futures::stream::{self, FuturesUnordered, StreamExt, TryStreamExt};
use tokio::sync::mpsc::Sender;

use super::Inner;
use super::groups::{Groups, Member, Whole};
use super::listing_body::Aside;
use super::page::{CONCURRENCY, Page};
use super::pages::{Depth, Requests, Unreadable};
use super::search::{self, Search, Work};
use super::version;
use crate::directory::error::{DirectoryError, DirectoryErrorKind};
use crate::directory::found::{Extent, FileKind, Found, FoundApplication, FoundFile, Hidden, Listed, Obstacle, WantsFiles};
use crate::directory::{layout, level};
use crate::ids::{ApplicationId, JobId};
use crate::names::{ClusterName, FilePath};
use crate::problem::ProblemCode;

/// Number of applications of a cluster whose files are listed one by one in any case.
const ALONE: usize = 2;
/// Files of an application, as far as the cost of a listing is estimated.
const FILES: usize = 3;
/// Objects of a page.
const PAGE: usize = 1_000;
/// Number of applications whose files are listed before they are sent.
const DETAILED_AT_ONCE: usize = 64;
/// Maximum number of characters of a key in a message.
const MAX_SHOWN: usize = 200;
/// Number of clusters that cannot be listed from which the store counts as unavailable.
const GIVE_UP_AFTER: usize = 16;
/// A listing of a folder that fails after this time has waited for the store.
const LONG_WAIT: Duration = Duration::from_secs(5);
/// Time limit for the first answer about a folder whose last listing waited in vain: it must not delay the other folders again.
const FIRST_ANSWER: Duration = Duration::from_secs(2);

/// Lists the directory. See [`crate::directory::Directory::list`].
pub(super) async fn list(store: &Inner, extent: &Extent, known: &[ClusterName], found: Sender<Found>) -> Result<Listed, DirectoryError> {
    let search = Search::new(extent, known);
    let listing = Listing { store, extent, found, search, requests: Requests::new(), failures: AtomicUsize::new(0) };
    let (exists, works) = listing.begin().await?;
    let mut waiting: VecDeque<Work> = works.into();
    let mut running = FuturesUnordered::new();
    loop {
        while running.len() < CONCURRENCY {
            let Some(work) = waiting.pop_front() else { break };
            running.push(listing.run(work));
        }
        match running.next().await {
            Some(more) => waiting.extend(more?),
            None => break,
        }
    }
    drop(running);
    let Listing { search, requests, found, .. } = listing;
    let (sights, skipped) = search.finish();
    if let Some(skipped) = skipped {
        let (path, reason) = (FilePath::new(skipped.as_str()), layout::too_many(&skipped));
        let obstacle = Obstacle { hides: Hidden::Nothing, path, code: ProblemCode::SearchLimited, reason };
        found.send(Found::Obstacle(obstacle)).await.map_err(|_| DirectoryError::receiver_closed())?;
    }
    let url = store.url.as_str();
    let doubt = if exists { level::likely_other(url, &sights) } else { Some(level::missing(url, "")) };
    let count = requests.count();
    if matches!(extent, Extent::Full) {
        for obstacle in unreadable(url, &requests.into_unreadable()) {
            found.send(Found::Obstacle(obstacle)).await.map_err(|_| DirectoryError::receiver_closed())?;
        }
    }
    Ok(Listed { exists, doubt, requests: count })
}

/// The problems of objects that cannot be read, one for each reason.
fn unreadable(url: &str, found: &Unreadable) -> Vec<Obstacle> {
    let mut obstacles = Vec::new();
    let mut add = |code, key: &Option<String>, reason: &dyn Fn(&str) -> String| {
        if let Some(key) = key {
            let shown: String = key.chars().take(MAX_SHOWN).flat_map(char::escape_debug).collect();
            obstacles.push(Obstacle { hides: Hidden::Nothing, path: FilePath::new(shown.clone()), code, reason: reason(&shown) });
        }
    };
    add(ProblemCode::NameUndecodable, &found.no_path, &|key| {
        format!(
            "{} objects in the bucket of {url} have keys that are no paths, such as \"{key}\": they are ignored. Keys must not begin with a \
             slash, and must not contain empty parts, \".\" or \"..\" as a part, or control characters; rename or remove these objects",
            found.no_path_count
        )
    });
    add(ProblemCode::FetchFailed, &found.frozen, &|key| {
        format!(
            "{} objects in {url} are in an archive storage class, such as \"{key}\": they cannot be read before they are restored; restore \
             them, and exclude the archive directory from the lifecycle rule that moves them",
            found.frozen_count
        )
    });
    obstacles
}

struct Listing<'a> {
    store: &'a Inner,
    extent: &'a Extent,
    found: Sender<Found>,
    search: Search,
    requests: Requests,
    failures: AtomicUsize,
}

/// Legacy job archives of the root: ids in lower case, and files with other names, which are used unless their id is taken.
#[derive(Default)]
struct RootJobs {
    held: Vec<(JobId, FoundFile)>,
    lower: HashSet<JobId>,
}

/// The reason why the listing of a cluster ended early.
enum Broken {
    /// The store failed, which concerns only this cluster.
    Store(::object_store::Error),
    /// The receiver is closed, which ends the whole listing.
    Stopped(DirectoryError),
}

impl From<::object_store::Error> for Broken {
    fn from(error: ::object_store::Error) -> Self {
        Self::Store(error)
    }
}

impl Listing<'_> {
    async fn send(&self, piece: Found) -> Result<(), Broken> {
        self.found.send(piece).await.map_err(|_| Broken::Stopped(DirectoryError::receiver_closed()))
    }

    async fn send_applications(&self, applications: Vec<FoundApplication>) -> Result<(), Broken> {
        if applications.is_empty() { Ok(()) } else { self.send(Found::Applications(applications)).await }
    }

    async fn send_obstacles(&self, obstacles: Vec<Obstacle>) -> Result<(), Broken> {
        for obstacle in obstacles {
            self.send(Found::Obstacle(obstacle)).await?;
        }
        Ok(())
    }

    /// Lists the root, or everything in one piece if that is cheaper. Returns whether any object exists, and the next steps.
    async fn begin(&self) -> Result<(bool, Vec<Work>), DirectoryError> {
        self.try_begin().await.map_err(|broken| match broken {
            Broken::Stopped(error) => error,
            Broken::Store(error) => self.store.failed("list the archive directory", "", &error),
        })
    }

    async fn try_begin(&self) -> Result<(bool, Vec<Work>), Broken> {
        let costs = &self.store.costs;
        let mut level = None;
        if !costs.prefers_flat() {
            let (exists, folders) = self.root().await?;
            if folders.len() < flat::FLAT_FROM || self.store.paged.is_none() || !costs.may_be_flat() {
                return Ok((exists, self.search.begin(folders)));
            }
            level = Some(folders);
        }
        match (self.flat(level.as_ref().map(Vec::len)).await?, level) {
            // Without a cluster, the level of the root is probably the wrong one: the search finds that out.
            (Some(flat), Some(folders)) if !flat.has_clusters => Ok((flat.exists, self.search.begin(folders))),
            (Some(flat), _) => {
                costs.note_flat(flat.was_cheap);
                Ok((flat.exists, Search::passed_over(flat.passed_over)))
            }
            (None, folders) => Ok((true, self.search.begin(folders.unwrap_or_default()))),
        }
    }

    /// Lists the level of the root and sends its legacy job archives. Returns whether any object exists, and the folders.
    async fn root(&self) -> Result<(bool, Vec<String>), Broken> {
        let mut exists = false;
        let mut folders = Vec::new();
        let mut root_jobs = RootJobs::default();
        let mut pages = self.store.pages(&self.requests, &self.store.root, Depth::Level, false);
        while let Some(page) = pages.try_next().await? {
            exists |= !(page.folders.is_empty() && page.objects.is_empty() && page.aside == Aside::default());
            for folder in &page.folders {
                folders.extend(self.store.below(folder).map(str::to_owned));
            }
            let mut jobs = Vec::new();
            for object in &page.objects {
                if let Some(name) = self.store.below(&object.location) {
                    self.root_object(object, name, &mut root_jobs, &mut jobs);
                }
            }
            jobs.sort_by_key(|file| std::cmp::Reverse(file.version.modified));
            if !jobs.is_empty() {
                self.send(Found::LegacyJobs(jobs)).await?;
            }
        }
        self.send_root_jobs(root_jobs).await?;
        Ok((exists, folders))
    }

    /// Takes an object of the root: a legacy job archive is added to `jobs`, or held until all names are known.
    fn root_object(&self, object: &ObjectMeta, name: &str, root_jobs: &mut RootJobs, jobs: &mut Vec<FoundFile>) {
        let job = JobId::from_name(name.as_bytes());
        self.search.note_root(name, job.is_ok());
        let Ok(job) = job else { return };
        let file = FoundFile { path: FilePath::new(name), kind: FileKind::Job(job), version: version(object) };
        if layout::has_upper_case(name) {
            root_jobs.held.push((job, file));
        } else {
            root_jobs.lower.insert(job);
            jobs.push(file);
        }
    }

    /// Sends the legacy job archives whose names are not in lower case, unless another name has their id.
    async fn send_root_jobs(&self, RootJobs { held, lower }: RootJobs) -> Result<(), Broken> {
        let (taken, free): (Vec<_>, Vec<_>) = held.into_iter().partition(|(job, _)| lower.contains(job));
        for (job, file) in taken {
            self.send(Found::Obstacle(layout::ambiguous(&file.path, &job.to_string()))).await?;
        }
        let mut free: Vec<FoundFile> = free.into_iter().map(|(_, file)| file).collect();
        self.send_obstacles(layout::resolve_twins(&mut free)).await?;
        if free.is_empty() { Ok(()) } else { self.send(Found::LegacyJobs(free)).await }
    }

    /// Runs one step of the listing, and returns the following steps. A failure hides only one folder, unless the store is unavailable.
    async fn run(&self, work: Work) -> Result<Vec<Work>, DirectoryError> {
        let (hides, folder) = match &work {
            Work::Cluster(cluster) => (Hidden::Cluster(cluster.clone()), FilePath::new(format!("{cluster}/{}", layout::APPLICATIONS))),
            // Known clusters are listed separately.
            Work::Search(path) | Work::Hidden(path) | Work::Deep(path) => (Hidden::Nothing, FilePath::new(path.as_str())),
        };
        let costs = &self.store.costs;
        let of_cluster = FilePath::new(format!("{folder}/{}", layout::APPLICATIONS));
        if (costs.is_unresponsive(&folder) || costs.is_unresponsive(&of_cluster))
            && let Err(error) = self.first_answer(&folder).await
        {
            self.obstacle(hides, folder, &error).await?;
            return Ok(Vec::new());
        }
        let started = Instant::now();
        let result = match work {
            Work::Cluster(cluster) => self.cluster(&cluster, &folder).await,
            Work::Search(path) => self.folder(&path).await,
            Work::Hidden(path) => self.probe(&path, ProblemCode::HiddenFolder).await,
            Work::Deep(path) => self.probe(&path, ProblemCode::SearchLimited).await,
        };
        costs.note_answer(&folder, !(matches!(result, Err(Broken::Store(_))) && started.elapsed() >= LONG_WAIT));
        let error = match result {
            Ok(more) => return Ok(more),
            Err(Broken::Stopped(error)) => return Err(error),
            Err(Broken::Store(error)) => self.store.failed("list", folder.as_str(), &error),
        };
        if error.kind == DirectoryErrorKind::Unavailable && self.failures.fetch_add(1, Ordering::Relaxed) + 1 >= GIVE_UP_AFTER {
            return Err(error);
        }
        self.obstacle(hides, folder, &error).await?;
        Ok(Vec::new())
    }

    /// Waits for a first answer about a folder, but not for long.
    async fn first_answer(&self, folder: &FilePath) -> Result<(), DirectoryError> {
        let key = self.store.key(folder)?;
        let mut pages = self.store.pages(&self.requests, &key, Depth::Level, false);
        match tokio::time::timeout(FIRST_ANSWER, pages.try_next()).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(error)) => Err(self.store.failed("list", folder.as_str(), &error)),
            Err(_elapsed) => Err(DirectoryError::unavailable(format!(
                "cannot list {}/{folder}: the store does not answer for this folder, while it answers for others; the folder is tried again at \
                 each refresh",
                self.store.url
            ))),
        }
    }

    /// Lists one cluster.
    async fn cluster(&self, cluster: &ClusterName, folder: &FilePath) -> Result<Vec<Work>, Broken> {
        let any = match self.extent {
            Extent::Full => self.full_scan(cluster, folder).await?,
            Extent::Quick(wants_files) => self.quick_scan(cluster, folder, wants_files.as_ref()).await?,
        };
        if any {
            self.search.note_cluster(cluster);
        }
        Ok(Vec::new())
    }

    /// Lists one level, for clusters in it.
    async fn folder(&self, path: &str) -> Result<Vec<Work>, Broken> {
        let key = self.store.key(&FilePath::new(path)).map_err(Broken::Stopped)?;
        let mut works = Vec::new();
        let mut pages = self.store.pages(&self.requests, &key, Depth::Level, false);
        let mut is_first = true;
        loop {
            if !self.search.may_ask(path, is_first) {
                // Folders directly in the root are always listed.
                works.extend(self.search.unless_begun(path));
                return Ok(works);
            }
            let Some(page) = pages.try_next().await? else { return Ok(works) };
            let folders = page.folders.iter().filter_map(|folder| self.store.below(folder));
            works.extend(self.search.page(path, folders, &page.objects, |object| self.store.below(&object.location)));
            // The first page shows whether the folder belongs to a cluster.
            if page.last || path == layout::APPLICATIONS {
                return Ok(works);
            }
            is_first = false;
        }
    }

    /// Reports archives below a folder that is not listed, if its first page contains some.
    async fn probe(&self, path: &str, code: ProblemCode) -> Result<Vec<Work>, Broken> {
        let key = self.store.key(&FilePath::new(path)).map_err(Broken::Stopped)?;
        let page = self.store.pages(&self.requests, &key, Depth::All, false).try_next().await?;
        let mut objects = page.iter().flat_map(|page| &page.objects);
        if objects.any(|object| search::is_like_an_archive(object.location.as_ref())) {
            let reason = if code == ProblemCode::HiddenFolder { layout::hidden_archives(path) } else { layout::too_deep(path) };
            let path = FilePath::new(path);
            self.send(Found::Obstacle(Obstacle { hides: Hidden::Nothing, path, code, reason })).await?;
        }
        Ok(Vec::new())
    }

    async fn obstacle(&self, hides: Hidden, path: FilePath, error: &DirectoryError) -> Result<(), DirectoryError> {
        let code = match error.kind {
            DirectoryErrorKind::Denied => ProblemCode::PermissionDenied,
            _ => ProblemCode::ListingFailed,
        };
        let obstacle = Obstacle { hides, path, code, reason: error.message.clone() };
        self.found.send(Found::Obstacle(obstacle)).await.map_err(|_| DirectoryError::receiver_closed())
    }

    /// Lists every archive below the cluster, page by page. Returns whether there is any.
    async fn full_scan(&self, cluster: &ClusterName, folder: &FilePath) -> Result<bool, Broken> {
        let key = self.store.key(folder).map_err(Broken::Stopped)?;
        let mut groups = Groups::new(cluster.clone());
        let mut any = false;
        let mut pages = self.store.pages(&self.requests, &key, Depth::All, true);
        while let Some(page) = pages.try_next().await? {
            let members: Vec<Member> = page.objects.iter().filter_map(|object| self.member(folder, object)).collect();
            any |= !members.is_empty();
            let wholes = groups.push(page.lane, members, page.last);
            self.send_wholes(wholes).await?;
        }
        let (wholes, obstacles) = groups.finish();
        self.send_wholes(wholes).await?;
        self.send_obstacles(obstacles).await?;
        Ok(any)
    }

    /// The archive of an object below the `applications` of a cluster; `None` for other objects.
    fn member(&self, folder: &FilePath, object: &ObjectMeta) -> Option<Member> {
        let path = self.store.below(&object.location)?;
        let (name, rest) = path.strip_prefix(folder.as_str())?.strip_prefix('/')?.split_once('/')?;
        let id = ApplicationId::from_name(name.as_bytes()).ok()?;
        let kind = layout::kind_below_application(rest)?;
        Some(Member { id, name: name.to_owned(), file: FoundFile { path: FilePath::new(path), kind, version: version(object) } })
    }

    async fn send_wholes(&self, wholes: Vec<Whole>) -> Result<(), Broken> {
        let mut applications = Vec::with_capacity(wholes.len());
        for whole in wholes {
            self.send_obstacles(whole.obstacles).await?;
            applications.push(whole.application);
        }
        // Keys are in the order of ids, which is arbitrary, so the newest of a page is sent first.
        applications.sort_by_cached_key(|application| {
            std::cmp::Reverse(application.files.iter().flatten().map(|file| file.version.modified).max())
        });
        self.send_applications(applications).await
    }

    /// Lists the names of the cluster's applications, and the wanted files. Returns whether there is any application.
    async fn quick_scan(&self, cluster: &ClusterName, folder: &FilePath, wants_files: &WantsFiles) -> Result<bool, Broken> {
        let key = self.store.key(folder).map_err(Broken::Stopped)?;
        let mut seen: HashSet<ApplicationId> = HashSet::new();
        let mut held: Vec<(ApplicationId, FilePath)> = Vec::new();
        let mut wanted = Vec::new();
        let mut pages = self.store.pages(&self.requests, &key, Depth::Level, true);
        while let Some(page) = pages.try_next().await? {
            let mut names = Vec::new();
            for path in page.folders.iter().filter_map(|folder| self.store.below(folder)) {
                let name = layout::file_name(path);
                let Ok(id) = ApplicationId::from_name(name.as_bytes()) else { continue };
                if layout::has_upper_case(name) {
                    held.push((id, FilePath::new(path)));
                } else if seen.insert(id) {
                    names.push((id, FilePath::new(path)));
                }
            }
            wanted.extend(self.names(cluster, names, wants_files).await?);
        }
        held.sort_by(|left, right| left.1.cmp(&right.1));
        held.dedup();
        let mut names: Vec<(ApplicationId, FilePath)> = Vec::new();
        for (id, folder) in held {
            if seen.insert(id) {
                names.push((id, folder));
            } else {
                let other = names
                    .iter()
                    .find(|name| name.0 == id)
                    .map_or_else(|| id.to_string(), |name| layout::file_name(name.1.as_str()).to_owned());
                self.send(Found::Obstacle(layout::ambiguous(&folder, &other))).await?;
            }
        }
        wanted.extend(self.names(cluster, names, wants_files).await?);
        if self.store.paged.is_some() && wanted.len() > ALONE + seen.len() * FILES / PAGE {
            self.details_together(cluster, folder, wanted).await?;
        } else {
            self.details(cluster, wanted).await?;
        }
        Ok(!seen.is_empty())
    }

    /// Sends the names of the applications whose files are not wanted, and returns the others.
    async fn names(
        &self,
        cluster: &ClusterName,
        names: Vec<(ApplicationId, FilePath)>,
        wants_files: &WantsFiles,
    ) -> Result<Vec<(ApplicationId, FilePath)>, Broken> {
        let (wanted, others): (Vec<_>, Vec<_>) = names.into_iter().partition(|(id, _)| wants_files(cluster, id));
        let others = others.into_iter().map(|(id, folder)| FoundApplication { cluster: cluster.clone(), id, folder, files: None });
        self.send_applications(others.collect()).await?;
        Ok(wanted)
    }

    /// Sends applications with their files from one listing of their cluster, which is cheaper than one for each.
    async fn details_together(
        &self,
        cluster: &ClusterName,
        folder: &FilePath,
        wanted: Vec<(ApplicationId, FilePath)>,
    ) -> Result<(), Broken> {
        let key = self.store.key(folder).map_err(Broken::Stopped)?;
        let wanted: HashSet<FilePath> = wanted.into_iter().map(|(_, folder)| folder).collect();
        let mut groups = Groups::new(cluster.clone());
        let mut pages = self.store.pages(&self.requests, &key, Depth::All, true);
        while let Some(page) = pages.try_next().await? {
            let members = page.objects.iter().filter_map(|object| self.member(folder, object));
            let members = members.filter(|member| wanted.contains(&layout::application_folder(cluster, &member.name)));
            let wholes = groups.push(page.lane, members.collect(), page.last);
            self.send_wholes(wholes).await?;
        }
        let (wholes, obstacles) = groups.finish();
        self.send_wholes(wholes).await?;
        self.send_obstacles(obstacles).await
    }

    /// Sends applications with their files. A failure hides only one application.
    async fn details(&self, cluster: &ClusterName, folders: Vec<(ApplicationId, FilePath)>) -> Result<(), Broken> {
        let mut answers = stream::iter(folders)
            .map(|(id, folder)| async move {
                let files = match self.store.key(&folder) {
                    Ok(key) => self.requests.run(self.store.files_below(&folder, &key)).await,
                    Err(error) => return (id, folder, Err(error)),
                };
                let files = files.map_err(|error| self.store.failed("list", folder.as_str(), &error));
                (id, folder, files)
            })
            .buffer_unordered(CONCURRENCY)
            .ready_chunks(DETAILED_AT_ONCE);
        while let Some(answers) = answers.next().await {
            let mut applications = Vec::with_capacity(answers.len());
            for (id, folder, files) in answers {
                match files {
                    // Only other objects, or the marker of a folder.
                    Ok(files) if files.is_empty() => {}
                    Ok(files) => applications.push(FoundApplication { cluster: cluster.clone(), id, folder, files: Some(files) }),
                    Err(error) => {
                        self.obstacle(Hidden::Application(cluster.clone(), id), folder, &error).await.map_err(Broken::Stopped)?;
                    }
                }
            }
            self.send_applications(applications).await?;
        }
        Ok(())
    }
}
