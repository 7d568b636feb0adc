//! Ranges of keys that are listed in parallel, in stores that list from a key on by themselves.
//!
//! Ids are random, so the hex digits at the begin of a name are spread evenly. A range ends with the first key above it, so each range
//! costs at most one page more than a listing in one piece.

use ::object_store::path::Path;

use super::page::{CONCURRENCY, Page};

/// Pages of each range, at least: the last pages of all ranges are at most 20 % more.
const PAGES_OF_A_RANGE: u64 = 5;

/// Pages of the longest listing that is believed. Names that all begin with the same digits promise more.
const MAX_PAGES: u64 = 100_000;

/// The keys between the ranges of a listing below `prefix`, from its first page: none if it is not worth it. The first range continues
/// after the page; the others begin after these keys. Names between two keys belong to one range, whatever they are.
pub(super) fn boundaries(first: &Page, prefix: &str) -> Vec<String> {
    if first.last || !(is_ordered(&first.folders) && is_ordered(first.objects.iter().map(|object| &object.location))) {
        return Vec::new();
    }
    let shares: Option<Vec<u32>> = keys(first).map(|key| share(key, prefix)).collect();
    // Names that are no ids say nothing about those that follow.
    let Some(reached) = shares.and_then(|shares| shares.into_iter().max()) else { return Vec::new() };
    let estimated_pages = u64::from(u32::MAX) / (u64::from(reached) + 1);
    if estimated_pages > MAX_PAGES {
        return Vec::new();
    }
    let ranges = (estimated_pages / PAGES_OF_A_RANGE).min(CONCURRENCY as u64);
    let left = u64::from(u32::MAX) - u64::from(reached);
    (1..ranges).map(|number| format!("{prefix}{:08x}", u64::from(reached) + left * number / ranges)).collect()
}

/// Removes what is above a range that ends with a key. Returns whether the range has ended.
pub(super) fn cut(page: &mut Page, end: &str) -> bool {
    let before = (page.folders.len(), page.objects.len());
    page.folders.retain(|folder| *format!("{folder}/") < *end);
    page.objects.retain(|object| object.location.as_ref() <= end);
    before != (page.folders.len(), page.objects.len())
}

/// Whether a page follows a key, and its keys are in order.
pub(super) fn follows(page: &Page, last: &str) -> bool {
    let objects = || page.objects.iter().map(|object| &object.location);
    // The keys in a folder follow the key without a slash.
    page.folders.iter().all(|folder| folder.as_ref() >= last)
        && objects().all(|object| object.as_ref() > last)
        && is_ordered(&page.folders)
        && is_ordered(objects())
}

fn keys(page: &Page) -> impl Iterator<Item = &str> {
    page.folders.iter().chain(page.objects.iter().map(|object| &object.location)).map(Path::as_ref)
}

fn is_ordered<'p>(keys: impl IntoIterator<Item = &'p Path>) -> bool {
    keys.into_iter().is_sorted()
}

/// The position of a name among all ids, as a part of 2³².
fn share(key: &str, prefix: &str) -> Option<u32> {
    let digits = key.strip_prefix(prefix)?.get(..8)?;
    // `from_str_radix` takes a sign, too.
    digits.bytes().all(|digit| digit.is_ascii_hexdigit()).then(|| u32::from_str_radix(digits, 16).ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(folders: &[&str], last: bool) -> Page {
        Page { folders: folders.iter().map(|folder| Path::from(*folder)).collect(), last, ..Page::default() }
    }

    #[test]
    fn a_listing_is_split_when_the_last_pages_of_its_ranges_are_few() {
        let id = |digits: &str| format!("a/applications/{digits:0<32}");
        // A hundredth of all ids in the first page.
        let hundred = page(&[&id("0000"), &id("028f5c28")], false);
        let ends = boundaries(&hundred, "a/applications/");
        assert_eq!(ends.len() + 1, CONCURRENCY);
        assert!(ends.is_sorted() && ends[0].as_str() > id("028f5c28").as_str() && ends.iter().all(|end| end.len() == 23), "{ends:?}");
        let twenty = page(&[&id("0cccccc0")], false);
        assert_eq!(boundaries(&twenty, "a/applications/").len() + 1, 4);
        for (folders, last) in [
            (&["a/applications/1"][..], false),
            (&[&*id("0001")], true),
            (&[&*id("5")], false),
            (&[&*id("0000000001"), &*id("0000000002")], false),
            (&[&*id("0001"), "a/applications/z"], false),
            (&["a/applications/+000000"], false),
        ] {
            assert_eq!(boundaries(&page(folders, last), "a/applications/"), Vec::<String>::new(), "{folders:?}");
        }
        let disordered = page(&[&id("0002"), &id("0001")], false);
        assert!(boundaries(&disordered, "a/applications/").is_empty());
    }

    #[test]
    fn every_name_is_in_one_range() {
        let names = ["a/11", "a/11111111", "a/111111110", "a/A", "a/z"];
        let mut below = page(&names, false);
        assert!(cut(&mut below, "a/11111111"));
        let kept: Vec<&str> = below.folders.iter().map(Path::as_ref).collect();
        // The keys in the folder `11111111` follow the key without a slash.
        assert_eq!(kept, ["a/11"]);
        assert!(!cut(&mut below, "a/2"));
        assert!(follows(&page(&names[1..2], false), "a/1111111") && !follows(&page(&names, false), "a/12"));
    }
}
