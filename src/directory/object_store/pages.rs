//! Paged listings. Long ones run in parallel: by ranges of keys where the store lists from a key on, else by the first digit of the ids.

use std::borrow::Cow;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use ::object_store::list::{PaginatedListOptions, PaginatedListStore};
use ::object_store::path::Path;
use futures::stream::{self, BoxStream, StreamExt, TryStreamExt};
use tokio::sync::Semaphore;

use super::listing_body::Aside;
use super::page::{CONCURRENCY, Page};
use super::{Inner, ranges};

/// Objects of a page for stores without paged listings.
const PAGE: usize = 1000;
/// First digits of ids. Upper-case digits are rare, but are other prefixes.
const DIGITS: &str = "0123456789abcdefABCDEF";

/// Number of pages from which a listing is split: the last pages of all parts are at most 20 % more.
const SPLIT_FROM: usize = DIGITS.len() * 5;

/// The requests of one listing: their number, and a limit of requests in flight.
pub(super) struct Requests {
    limit: Semaphore,
    count: AtomicU64,
    unreadable: Mutex<Unreadable>,
}

/// Objects of a listing that cannot be read: the number and the first of each kind.
#[derive(Debug, Default)]
pub(super) struct Unreadable {
    pub(super) no_path: Option<String>,
    pub(super) frozen: Option<String>,
    pub(super) no_path_count: usize,
    pub(super) frozen_count: usize,
}

impl Requests {
    pub(super) fn new() -> Self {
        Self { limit: Semaphore::new(CONCURRENCY), count: AtomicU64::new(0), unreadable: Mutex::default() }
    }

    pub(super) fn count(&self) -> u64 {
        self.count.load(Ordering::Relaxed)
    }

    /// Records the keys of a page that are no readable objects.
    fn note(&self, aside: &Aside) {
        if aside.no_paths.is_empty() && aside.frozen.is_empty() {
            return;
        }
        let mut unreadable = self.unreadable.lock().unwrap_or_else(PoisonError::into_inner);
        unreadable.no_path_count += aside.no_paths.len();
        unreadable.frozen_count += aside.frozen.len();
        if unreadable.no_path.is_none() {
            unreadable.no_path = aside.no_paths.first().cloned();
        }
        if unreadable.frozen.is_none() {
            unreadable.frozen = aside.frozen.first().cloned();
        }
    }

    /// The keys so far that are no readable objects.
    pub(super) fn into_unreadable(self) -> Unreadable {
        self.unreadable.into_inner().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs one request as soon as the limit allows it.
    pub(super) async fn run<T>(&self, request: impl Future<Output = T>) -> T {
        // The semaphore is never closed. Without a permit the request would not wait.
        let _permit = self.limit.acquire().await.ok();
        self.count.fetch_add(1, Ordering::Relaxed);
        request.await
    }
}

pub(super) type Pages<'a> = BoxStream<'a, ::object_store::Result<Page>>;

/// The extent of a listing below a prefix.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Depth {
    /// Folders and objects directly below it.
    Level,
    /// All objects below it.
    All,
}

impl Inner {
    /// Lists below a prefix. With `by_digit`, names that do not begin with a hex digit may be omitted, so that
    /// a long listing can be split.
    pub(super) fn pages<'a>(&'a self, requests: &'a Requests, prefix: &Path, depth: Depth, by_digit: bool) -> Pages<'a> {
        let Some(paged) = &self.paged else {
            return self.plain_pages(requests, prefix.clone(), depth);
        };
        let prefix = if prefix.as_ref().is_empty() { String::new() } else { format!("{prefix}/") };
        let lane = move |lane: usize, prefix: String| lane_pages(paged, self.page_size, requests, lane, prefix, depth);
        if !by_digit {
            return lane(0, prefix);
        }
        // Only tests set a page size, and their listings are short.
        let split_from = self.page_size.map_or(SPLIT_FROM, |_| 1);
        let mut first = lane(0, prefix.clone());
        let start = async move { (first.next().await, first) };
        stream::once(start)
            .flat_map(move |(page, rest)| match page {
                Some(Ok(page)) if self.costs.lists_ranges() && !ranges::boundaries(&page, &prefix).is_empty() => {
                    let ends = ranges::boundaries(&page, &prefix);
                    let rest = self.until(rest, last_key(&page), ends.first().cloned());
                    let others = ends.iter().enumerate().map(|(number, start)| {
                        let pages = lane_after(paged, self.page_size, requests, number + 1, prefix.clone(), depth, Some(start.clone()));
                        self.until(pages, start.clone(), ends.get(number + 1).cloned())
                    });
                    let all: Vec<_> = std::iter::once(rest).chain(others).collect();
                    stream::iter([Ok(page)]).chain(stream::iter(all).flatten_unordered(CONCURRENCY)).boxed()
                }
                // The listing is long: it is repeated in parallel parts.
                Some(Ok(page)) if !self.costs.lists_ranges() && !page.last && estimated_pages(&page, &prefix) > split_from => {
                    drop(rest);
                    let lanes: Vec<_> =
                        DIGITS.chars().enumerate().map(|(number, digit)| lane(number, format!("{prefix}{digit}"))).collect();
                    stream::iter(lanes).flatten_unordered(CONCURRENCY).boxed()
                }
                page => stream::iter(page).chain(rest).boxed(),
            })
            .boxed()
    }

    /// The pages of one range: what follows the key `last`, up to `end`.
    pub(super) fn until<'a>(&'a self, pages: Pages<'a>, last: String, end: Option<String>) -> Pages<'a> {
        stream::try_unfold((Some(pages), last, end), move |(pages, mut last, end)| async move {
            let Some(mut pages) = pages else { return Ok(None) };
            let Some(mut page) = pages.try_next().await? else { return Ok(None) };
            if !ranges::follows(&page, &last) {
                self.costs.refuse_flat();
                return Err(disordered());
            }
            last = std::cmp::max(last, last_key(&page));
            page.last |= end.as_deref().is_some_and(|end| ranges::cut(&mut page, end));
            let rest = (!page.last).then_some(pages);
            Ok(Some((page, (rest, last, end))))
        })
        .boxed()
    }

    /// Lists all keys below a prefix that follow another key, in their order.
    pub(super) fn keys_after<'a>(&'a self, requests: &'a Requests, prefix: String, after: Option<String>) -> Pages<'a> {
        match &self.paged {
            Some(paged) => lane_after(paged, self.page_size, requests, 0, prefix, Depth::All, after),
            None => stream::empty().boxed(),
        }
    }

    /// Lists the names directly below a prefix that follow a key, in their order.
    pub(super) fn names_after<'a>(&'a self, requests: &'a Requests, prefix: String, after: Option<String>) -> Pages<'a> {
        match &self.paged {
            Some(paged) => lane_after(paged, self.page_size, requests, 0, prefix, Depth::Level, after),
            None => stream::empty().boxed(),
        }
    }

    /// Lists the keys that begin with a text, in a store with paged listings.
    pub(super) fn keys_from<'a>(&'a self, requests: &'a Requests, start: String) -> Pages<'a> {
        match &self.paged {
            Some(paged) => lane_pages(paged, Some(2), requests, 0, start, Depth::All),
            None => stream::empty().boxed(),
        }
    }

    fn plain_pages<'a>(&'a self, requests: &'a Requests, prefix: Path, depth: Depth) -> Pages<'a> {
        let prefix = Some(prefix).filter(|prefix| !prefix.as_ref().is_empty());
        match depth {
            Depth::Level => stream::once(async move {
                let level = requests.run(self.store.list_with_delimiter(prefix.as_ref())).await?;
                Ok(Page { last: true, folders: level.common_prefixes, objects: level.objects, ..Page::default() })
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

/// The last key of a page.
fn last_key(page: &Page) -> String {
    let keys = page.folders.iter().chain(page.objects.iter().map(|object| &object.location));
    keys.max().map(ToString::to_string).unwrap_or_default()
}

/// The error of a store whose listings are not as those of others.
pub(super) fn disordered() -> ::object_store::Error {
    let message = "the store does not list keys in their order, or ignores the start of a listing; the next listing goes folder by folder";
    ::object_store::Error::Generic { store: "listing", source: message.into() }
}

/// The number of pages of a whole listing, from the position of the last name of its first page among all ids.
fn estimated_pages(page: &Page, prefix: &str) -> usize {
    let keys = page.folders.iter().chain(page.objects.iter().map(|object| &object.location));
    let last = keys.filter_map(|key| key.as_ref().strip_prefix(prefix)).max();
    let share = last.and_then(|name| name.get(..4)).and_then(|digits| u16::from_str_radix(digits, 16).ok());
    share.map_or(0, |share| 65_536 / (usize::from(share) + 1))
}

fn lane_pages<'a>(
    paged: &'a Arc<dyn PaginatedListStore>,
    page_size: Option<usize>,
    requests: &'a Requests,
    lane: usize,
    prefix: String,
    depth: Depth,
) -> Pages<'a> {
    lane_after(paged, page_size, requests, lane, prefix, depth, None)
}

fn lane_after<'a>(
    paged: &'a Arc<dyn PaginatedListStore>,
    page_size: Option<usize>,
    requests: &'a Requests,
    lane: usize,
    prefix: String,
    depth: Depth,
    after: Option<String>,
) -> Pages<'a> {
    /// Position of a lane: before its first page, at a token, or after its last page.
    enum Position {
        Start,
        At(String),
        End,
    }
    stream::try_unfold((Position::Start, prefix), move |(position, prefix)| {
        let after = after.clone();
        async move {
            let token = match position {
                Position::Start => None,
                Position::At(token) => Some(token),
                Position::End => return Ok(None),
            };
            let options = PaginatedListOptions {
                delimiter: (depth == Depth::Level).then_some(Cow::Borrowed("/")),
                max_keys: page_size,
                offset: after.filter(|_| token.is_none()),
                page_token: token,
                ..PaginatedListOptions::default()
            };
            let asked = options.page_token.clone();
            let wanted = Some(prefix.as_str()).filter(|prefix| !prefix.is_empty());
            let answer = requests.run(paged.list_paginated(wanted, options)).await?;
            let token = answer.page_token.filter(|token| !token.is_empty());
            if token.is_some() && token == asked {
                let message = "the store answers the token of a page with the same token, so that its listing has no end";
                return Err(::object_store::Error::Generic { store: "listing", source: message.into() });
            }
            let mut result = answer.result;
            let aside = result.extensions.remove::<Aside>().unwrap_or_default();
            requests.note(&aside);
            let page = Page { lane, last: token.is_none(), folders: result.common_prefixes, objects: result.objects, aside };
            Ok(Some((page, (token.map_or(Position::End, Position::At), prefix))))
        }
    })
    .boxed()
}
