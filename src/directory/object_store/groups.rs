//! From a flat listing to applications: objects of one application stand together, but not always on one page.

use std::collections::{BTreeMap, HashSet};

use crate::directory::found::{ClusterName, FilePath, FoundApplication, FoundFile, Obstacle};
use crate::directory::layout;
use crate::ids::ApplicationId;

/// Applications of one cluster, put together from the objects of its listing.
pub(super) struct Groups {
    cluster: ClusterName,
    /// The application at the end of each lane: the next page may go on with it.
    open: BTreeMap<usize, Group>,
    /// Applications found.
    seen: HashSet<ApplicationId>,
    /// Spelled otherwise than in lower case: taken at the end, if nothing else has their id.
    held: Vec<Group>,
    /// Applications that were taken for whole and came again, in a store that does not list in order.
    scattered: HashSet<ApplicationId>,
}

struct Group {
    id: ApplicationId,
    name: String,
    files: Vec<FoundFile>,
}

impl Groups {
    pub(super) fn new(cluster: ClusterName) -> Self {
        Self { cluster, open: BTreeMap::new(), seen: HashSet::new(), held: Vec::new(), scattered: HashSet::new() }
    }

    /// Takes in one archive file of the folder `name`. Returns the application that is whole by that.
    pub(super) fn push(&mut self, lane: usize, id: ApplicationId, name: &str, file: FoundFile) -> Option<Whole> {
        match self.open.get_mut(&lane) {
            Some(group) if group.name == name => {
                group.files.push(file);
                None
            }
            _ => {
                let before = self.open.insert(lane, Group { id, name: name.to_owned(), files: vec![file] });
                before.and_then(|group| self.close(group))
            }
        }
    }

    /// A lane has ended: so has its last application.
    pub(super) fn end_lane(&mut self, lane: usize) -> Option<Whole> {
        let group = self.open.remove(&lane)?;
        self.close(group)
    }

    fn close(&mut self, group: Group) -> Option<Whole> {
        if layout::has_upper_case(&group.name) {
            self.held.push(group);
            return None;
        }
        if self.seen.insert(group.id) {
            return Some(self.whole(group));
        }
        self.scattered.insert(group.id);
        None
    }

    fn whole(&self, group: Group) -> Whole {
        let Group { id, name, mut files } = group;
        let obstacles = layout::resolve_twins(&mut files);
        let folder = layout::application_folder(&self.cluster, &name);
        Whole { application: FoundApplication { cluster: self.cluster.clone(), id, folder, files: Some(files) }, obstacles }
    }

    /// Ends the listing: the applications in upper case, obstacles for those whose id is taken, and folders to be listed again.
    pub(super) fn finish(mut self) -> (Vec<Whole>, Vec<Obstacle>, Vec<(ApplicationId, FilePath)>) {
        let mut wholes = Vec::new();
        let mut obstacles = Vec::new();
        let mut by_name: BTreeMap<String, Group> = BTreeMap::new();
        for group in std::mem::take(&mut self.held) {
            match by_name.get_mut(&group.name) {
                Some(before) => before.files.extend(group.files),
                None => {
                    by_name.insert(group.name.clone(), group);
                }
            }
        }
        let mut taken: BTreeMap<ApplicationId, String> = BTreeMap::new();
        for (name, group) in by_name {
            let other = taken.get(&group.id).cloned().or_else(|| self.seen.contains(&group.id).then(|| group.id.to_string()));
            if let Some(other) = other {
                obstacles.push(layout::ambiguous(&layout::application_folder(&self.cluster, &name), &other));
            } else {
                taken.insert(group.id, name);
                wholes.push(self.whole(group));
            }
        }
        let again = self.scattered.iter().map(|id| (*id, layout::application_folder(&self.cluster, &id.to_string()))).collect();
        (wholes, obstacles, again)
    }
}

/// An application with all its files, and what is wrong with some of them.
pub(super) struct Whole {
    pub(super) application: FoundApplication,
    pub(super) obstacles: Vec<Obstacle>,
}
