//! Listings page by page; long ones in parallel, by the first digit of the ids.

use std::borrow::Cow;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use ::object_store::ObjectMeta;
use ::object_store::list::{PaginatedListOptions, PaginatedListStore};
use ::object_store::path::Path;
use futures::stream::{self, BoxStream, StreamExt, TryStreamExt};
use tokio::sync::Semaphore;

use super::Inner;

/// Requests that one listing has under way at a time.
pub(super) const CONCURRENCY: usize = 16;
/// Objects of a page where the store does not page itself.
const PAGE: usize = 1000;
/// First digits of ids. Upper case is rare, but is another prefix.
const DIGITS: &str = "0123456789abcdefABCDEF";

/// Requests of one listing: their number, and how many go on at a time.
pub(super) struct Requests {
    limit: Semaphore,
    count: AtomicU64,
}

impl Requests {
    pub(super) fn new() -> Self {
        Self { limit: Semaphore::new(CONCURRENCY), count: AtomicU64::new(0) }
    }

    pub(super) fn count(&self) -> u64 {
        self.count.load(Ordering::Relaxed)
    }

    /// Runs one request when it is its turn.
    pub(super) async fn run<T>(&self, request: impl Future<Output = T>) -> T {
        // The semaphore is never closed; without a permit the request would merely not wait.
        let _permit = self.limit.acquire().await.ok();
        self.count.fetch_add(1, Ordering::Relaxed);
        request.await
    }
}

/// One page of a listing.
#[derive(Debug, Default)]
pub(super) struct Page {
    /// Which of the parallel listings it is of. Objects of one listing arrive in the order of that listing.
    pub(super) lane: usize,
    /// Whether it is the last of its lane.
    pub(super) last: bool,
    /// Folders, in a listing of one level.
    pub(super) folders: Vec<Path>,
    /// Objects.
    pub(super) objects: Vec<ObjectMeta>,
}

pub(super) type Pages<'a> = BoxStream<'a, ::object_store::Result<Page>>;

/// What of a prefix is listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Depth {
    /// Its folders and the objects directly in it.
    Level,
    /// All objects below it.
    All,
}

impl Inner {
    /// Lists below a prefix. `by_digit`: what is not named by a hex digit may be left out, so that a long listing can be split.
    pub(super) fn pages<'a>(&'a self, requests: &'a Requests, prefix: &Path, depth: Depth, by_digit: bool) -> Pages<'a> {
        let Some(paged) = &self.paged else {
            return self.plain_pages(requests, prefix.clone(), depth);
        };
        let prefix = if prefix.as_ref().is_empty() { String::new() } else { format!("{prefix}/") };
        let lane = move |lane: usize, prefix: String| lane_pages(paged, self.page_size, requests, lane, prefix, depth);
        if !by_digit {
            return lane(0, prefix);
        }
        let mut first = lane(0, prefix.clone());
        let start = async move { (first.next().await, first) };
        stream::once(start)
            .flat_map(move |(page, rest)| match page {
                // The whole listing is longer than a page: it is made again, in parts.
                Some(Ok(page)) if !page.last => {
                    drop(rest);
                    let lanes: Vec<_> =
                        DIGITS.chars().enumerate().map(|(number, digit)| lane(number, format!("{prefix}{digit}"))).collect();
                    stream::iter(lanes).flatten_unordered(CONCURRENCY).boxed()
                }
                page => stream::iter(page).boxed(),
            })
            .boxed()
    }

    fn plain_pages<'a>(&'a self, requests: &'a Requests, prefix: Path, depth: Depth) -> Pages<'a> {
        let prefix = Some(prefix).filter(|prefix| !prefix.as_ref().is_empty());
        match depth {
            Depth::Level => stream::once(async move {
                let level = requests.run(self.store.list_with_delimiter(prefix.as_ref())).await?;
                Ok(Page { lane: 0, last: true, folders: level.common_prefixes, objects: level.objects })
            })
            .boxed(),
            Depth::All => {
                let start = requests.run(async move { self.store.list(prefix.as_ref()) });
                let pages = stream::once(start)
                    .flatten()
                    .try_ready_chunks(PAGE)
                    .map_ok(|objects| Page { objects, ..Page::default() })
                    .map_err(|error| error.1);
                let end = stream::iter([Ok(Page { last: true, ..Page::default() })]);
                pages.chain(end).boxed()
            }
        }
    }
}

fn lane_pages<'a>(
    paged: &'a Arc<dyn PaginatedListStore>,
    page_size: Option<usize>,
    requests: &'a Requests,
    lane: usize,
    prefix: String,
    depth: Depth,
) -> Pages<'a> {
    /// Where a lane is: before its first page, at a token, behind its last.
    enum Position {
        Start,
        At(String),
        End,
    }
    stream::try_unfold((Position::Start, prefix), move |(position, prefix)| async move {
        let token = match position {
            Position::Start => None,
            Position::At(token) => Some(token),
            Position::End => return Ok(None),
        };
        let options = PaginatedListOptions {
            delimiter: (depth == Depth::Level).then_some(Cow::Borrowed("/")),
            max_keys: page_size,
            page_token: token,
            ..PaginatedListOptions::default()
        };
        let wanted = Some(prefix.as_str()).filter(|prefix| !prefix.is_empty());
        let answer = requests.run(paged.list_paginated(wanted, options)).await?;
        let token = answer.page_token.filter(|token| !token.is_empty());
        let page = Page { lane, last: token.is_none(), folders: answer.result.common_prefixes, objects: answer.result.objects };
        Ok(Some((page, (token.map_or(Position::End, Position::At), prefix))))
    })
    .boxed()
}
