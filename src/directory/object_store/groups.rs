//! Grouping of a flat listing by applications. Stores list in the order of keys, so that the files of one application are adjacent, but
//! may be on several pages. A store without this order is detected on its first page, and its objects are grouped at the end.

use std::collections::{BTreeMap, HashSet};

use crate::directory::found::{FoundApplication, FoundFile, Obstacle};
use crate::directory::layout;
use crate::ids::ApplicationId;
use crate::names::ClusterName;

/// An archive of the application with the folder `name`.
pub(super) struct Member {
    pub(super) id: ApplicationId,
    pub(super) name: String,
    pub(super) file: FoundFile,
}

/// An application with all its files, and obstacles for some of them.
pub(super) struct Whole {
    pub(super) application: FoundApplication,
    pub(super) obstacles: Vec<Obstacle>,
}

/// Applications of one cluster, grouped from the objects of its listing.
pub(super) struct Groups {
    cluster: ClusterName,
    lanes: BTreeMap<usize, Lane>,
    /// Number of applications.
    seen: HashSet<ApplicationId>,
    /// Names that are not in lower case. They are used at the end, unless another name has their id.
    held: Vec<Group>,
}

/// One of the parallel listings.
#[derive(Default)]
struct Lane {
    last_path: String,
    /// The last application so far: the next page may continue it.
    open: Option<Group>,
    /// All objects, if keys are out of order.
    scattered: Option<BTreeMap<String, Group>>,
}

struct Group {
    id: ApplicationId,
    name: String,
    files: Vec<FoundFile>,
}

impl From<Member> for Group {
    fn from(member: Member) -> Self {
        Self { id: member.id, name: member.name, files: vec![member.file] }
    }
}

impl Lane {
    /// Adds one page. Returns the applications that are complete now.
    fn push(&mut self, members: Vec<Member>) -> Vec<Group> {
        let paths = members.iter().map(|member| member.file.path.as_str());
        if !std::iter::once(self.last_path.as_str()).chain(paths).is_sorted() && self.scattered.is_none() {
            let open = self.open.take().into_iter().map(|group| (group.name.clone(), group));
            self.scattered = Some(open.collect());
        }
        if let Some(last) = members.last() {
            last.file.path.as_str().clone_into(&mut self.last_path);
        }
        let mut closed = Vec::new();
        for member in members {
            if let Some(scattered) = &mut self.scattered {
                match scattered.get_mut(&member.name) {
                    Some(group) => group.files.push(member.file),
                    None => {
                        scattered.insert(member.name.clone(), member.into());
                    }
                }
                continue;
            }
            match &mut self.open {
                Some(group) if group.name == member.name => group.files.push(member.file),
                open => closed.extend(open.replace(member.into())),
            }
        }
        closed
    }

    fn end(self) -> impl Iterator<Item = Group> {
        self.open.into_iter().chain(self.scattered.into_iter().flat_map(BTreeMap::into_values))
    }
}

impl Groups {
    pub(super) fn new(cluster: ClusterName) -> Self {
        Self { cluster, lanes: BTreeMap::new(), seen: HashSet::new(), held: Vec::new() }
    }

    /// Adds the archives of one page, in its order. Returns the applications that are complete now.
    pub(super) fn push(&mut self, lane: usize, members: Vec<Member>, last_of_lane: bool) -> Vec<Whole> {
        let mut closed = self.lanes.entry(lane).or_default().push(members);
        if last_of_lane && let Some(lane) = self.lanes.remove(&lane) {
            closed.extend(lane.end());
        }
        let mut wholes = Vec::with_capacity(closed.len());
        for group in closed {
            if layout::has_upper_case(&group.name) {
                self.held.push(group);
            } else {
                self.seen.insert(group.id);
                wholes.push(self.whole(group));
            }
        }
        wholes
    }

    /// Ends the listing: returns the applications in upper case, and obstacles for those whose id another name has.
    pub(super) fn finish(mut self) -> (Vec<Whole>, Vec<Obstacle>) {
        let mut held = std::mem::take(&mut self.held);
        held.sort_by(|left, right| left.name.cmp(&right.name));
        let mut wholes = Vec::new();
        let mut obstacles = Vec::new();
        let mut taken: BTreeMap<ApplicationId, String> = BTreeMap::new();
        for group in held {
            let other = taken.get(&group.id).cloned().or_else(|| self.seen.contains(&group.id).then(|| group.id.to_string()));
            if let Some(other) = other {
                obstacles.push(layout::ambiguous(&layout::application_folder(&self.cluster, &group.name), &other));
            } else {
                taken.insert(group.id, group.name.clone());
                wholes.push(self.whole(group));
            }
        }
        (wholes, obstacles)
    }

    fn whole(&self, group: Group) -> Whole {
        let Group { id, name, mut files } = group;
        let obstacles = layout::resolve_twins(&mut files);
        let folder = layout::application_folder(&self.cluster, &name);
        Whole { application: FoundApplication { cluster: self.cluster.clone(), id, folder, files: Some(files) }, obstacles }
    }
}
