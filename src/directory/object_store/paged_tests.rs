//! Listings of many pages, in parallel and out of order: they find what a listing in one piece finds.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use ::object_store::list::{PaginatedListOptions, PaginatedListResult, PaginatedListStore};
use ::object_store::memory::InMemory;
use ::object_store::path::Path;
use ::object_store::{ListResult, ObjectMeta, ObjectStore, ObjectStoreExt};
use async_trait::async_trait;

use super::costs::Costs;
use super::{Inner, Redaction, Store, literal};
use crate::directory::found::{Extent, Found, FoundApplication, FoundFile, Obstacle};
use crate::ids::{ApplicationId, JobId};
use crate::names::{ClusterName, DirectoryUrl};

/// Lists keys page by page, as S3 does; `scattered` stores do not keep to any order.
struct Paged {
    objects: Vec<ObjectMeta>,
    scattered: bool,
    prefixes: Mutex<BTreeSet<String>>,
    requests: AtomicU64,
}

#[async_trait]
impl PaginatedListStore for Paged {
    async fn list_paginated(&self, prefix: Option<&str>, options: PaginatedListOptions) -> ::object_store::Result<PaginatedListResult> {
        self.requests.fetch_add(1, Ordering::Relaxed);
        let prefix = prefix.unwrap_or_default();
        self.prefixes.lock().unwrap().insert(prefix.to_owned());
        let mut folders: BTreeSet<String> = BTreeSet::new();
        // Folders and objects count alike, in one order.
        let mut answers: Vec<Result<ObjectMeta, String>> = Vec::new();
        for object in &self.objects {
            let Some(rest) = object.location.as_ref().strip_prefix(prefix) else { continue };
            match rest.split_once('/').filter(|_| options.delimiter.is_some()) {
                Some((folder, _)) => {
                    if folders.insert(folder.to_owned()) {
                        answers.push(Err(format!("{prefix}{folder}/")));
                    }
                }
                None => answers.push(Ok(object.clone())),
            }
        }
        if self.scattered {
            answers = (0..answers.len()).map(|index| answers[index * 7919 % answers.len()].clone()).collect();
        }
        let start: usize = options.page_token.map_or(0, |token| token.parse().unwrap());
        let end = (start + options.max_keys.unwrap_or(1000)).min(answers.len());
        let mut result = ListResult { common_prefixes: vec![], objects: vec![], extensions: http::Extensions::default() };
        for answer in &answers[start..end] {
            match answer {
                Ok(object) => result.objects.push(object.clone()),
                Err(folder) => result.common_prefixes.push(Path::parse(folder).unwrap()),
            }
        }
        Ok(PaginatedListResult { result, page_token: (end < answers.len()).then(|| end.to_string()) })
    }
}

#[derive(Debug, Default, PartialEq)]
struct Everything {
    applications: BTreeMap<(ClusterName, ApplicationId), FoundApplication>,
    legacy: BTreeMap<JobId, FoundFile>,
    obstacles: BTreeMap<String, Obstacle>,
}

async fn everything(store: &Store, extent: &Extent) -> Everything {
    let (sender, mut receiver) = tokio::sync::mpsc::channel(2);
    let gather = async {
        let mut found = Everything::default();
        while let Some(piece) = receiver.recv().await {
            match piece {
                Found::Applications(applications) => {
                    for mut application in applications {
                        if let Some(files) = &mut application.files {
                            files.sort_by(|left, right| left.path.cmp(&right.path));
                        }
                        let twice = found.applications.insert((application.cluster.clone(), application.id), application);
                        assert_eq!(twice, None);
                    }
                }
                Found::LegacyJobs(files) => found.legacy.extend(files.into_iter().map(|file| match file.kind {
                    crate::directory::FileKind::Job(job) => (job, file),
                    crate::directory::FileKind::Summary => panic!("{file:?}"),
                })),
                Found::Obstacle(obstacle) => {
                    found.obstacles.insert(obstacle.path.to_string(), obstacle);
                }
            }
        }
        found
    };
    let (listed, found) = tokio::join!(store.list(extent, &[], sender), gather);
    assert!(listed.unwrap().exists);
    found
}

/// Two clusters, 40 applications with up to 4 files, twins, foreign objects, legacy jobs.
async fn filled() -> Arc<InMemory> {
    let memory = Arc::new(InMemory::new());
    let id = |number: u128| format!("{:032x}", number.wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835));
    let mut keys = Vec::new();
    for number in 1..=40_u128 {
        let folder = format!("root/c{}/applications/{}", number % 2, id(number));
        keys.push(format!("{folder}/application-summary"));
        keys.extend((0..number % 4).map(|job| format!("{folder}/jobs/{}", id(job + 1))));
        keys.push(format!("{folder}/jobs/foreign"));
        keys.push(format!("root/{}", id(number + 100)));
    }
    keys.push(format!("root/c0/applications/{}/jobs/{}", id(2).to_uppercase(), id(1)));
    keys.push(format!("root/c0/applications/{}/jobs/{}", id(1000).to_uppercase(), id(1)));
    keys.push(format!("root/c0/applications/{}/jobs/{}", id(1000).to_uppercase(), id(2)));
    keys.push(format!("root/{}", id(101).to_uppercase()));
    keys.push("root/foreign/tree".to_owned());
    for key in keys {
        memory.put(&Path::parse(key).unwrap(), "{}".into()).await.unwrap();
    }
    memory
}

async fn paged(memory: &Arc<InMemory>, page_size: usize, scattered: bool) -> (Store, Arc<Paged>) {
    use futures::TryStreamExt;
    let objects: Vec<ObjectMeta> = memory.list(None).try_collect().await.unwrap();
    let paged = Arc::new(Paged { objects, scattered, prefixes: Mutex::default(), requests: AtomicU64::new(0) });
    let store = Store::assemble(Inner {
        url: DirectoryUrl::new("memory://paged"),
        store: Arc::clone(memory) as Arc<dyn ObjectStore>,
        paged: Some(Arc::clone(&paged) as Arc<dyn PaginatedListStore>),
        page_size: Some(page_size),
        deletion: super::bulk::Deletion::Single,
        costs: Costs::default(),
        hdfs: None,
        root: literal("root"),
        redaction: Redaction::default(),
        traffic: Arc::default(),
    });
    (store, paged)
}

fn some() -> Extent {
    Extent::Quick(Arc::new(|_, id| id.as_bytes()[0] < 0x80))
}

#[tokio::test]
async fn pages_of_any_size_give_the_same_listing() {
    let memory = filled().await;
    let plain = Store::new(DirectoryUrl::new("memory://paged"), Arc::clone(&memory) as Arc<dyn ObjectStore>, None, "root");
    let (whole, quick) = (everything(&plain, &Extent::Full).await, everything(&plain, &some()).await);
    assert_eq!((whole.applications.len(), whole.legacy.len(), whole.obstacles.len()), (41, 40, 2));
    for (page_size, scattered) in [(1, false), (2, false), (3, false), (7, false), (50, false), (1000, false), (20, true), (1000, true)] {
        let (store, _) = paged(&memory, page_size, scattered).await;
        assert_eq!(everything(&store, &Extent::Full).await, whole, "{page_size} {scattered}");
        assert_eq!(everything(&store, &some()).await, quick, "{page_size} {scattered}");
    }
}

#[tokio::test]
async fn only_a_listing_longer_than_a_page_is_split() {
    let memory = filled().await;
    let (store, asked) = paged(&memory, 1000, false).await;
    everything(&store, &Extent::Full).await;
    let prefixes: Vec<_> = asked.prefixes.lock().unwrap().iter().cloned().collect();
    assert_eq!(prefixes, ["root/", "root/c0/", "root/c0/applications/", "root/c1/", "root/c1/applications/", "root/foreign/"]);
    assert_eq!(asked.requests.load(Ordering::Relaxed), 6);

    let (store, asked) = paged(&memory, 30, false).await;
    everything(&store, &Extent::Full).await;
    assert!(asked.prefixes.lock().unwrap().contains("root/c1/applications/f"));
    assert!(!asked.prefixes.lock().unwrap().contains("root/foreign/f"));
}
