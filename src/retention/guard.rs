//! The guard against a fatal mistake: a cleanup that would remove too much of a directory is held until it is confirmed.

use std::hash::Hasher as _;

use fnv::FnvHasher;

use crate::index::UnitKey;

/// The part of a directory that the first cleanup with a limit, or with a stricter one, may delete by default.
pub const DEFAULT_FRACTION: f64 = 0.5;

/// Whether a cleanup removes more than `fraction` of a directory that holds `of` units. A fraction of 1 allows everything.
#[must_use]
pub fn exceeds(removed: usize, of: u64, fraction: f64) -> bool {
    // A cleanup that removes nothing is within any fraction, also of an empty directory.
    fraction < 1.0 && removed as f64 > fraction * of as f64
}

/// Digest of a set of units: equal sets have equal digests, in any order.
#[must_use]
pub fn plan_id<'key>(units: impl IntoIterator<Item = &'key UnitKey>) -> String {
    let mut names: Vec<String> = units.into_iter().map(name).collect();
    names.sort_unstable();
    names.dedup();
    digest(names.iter().map(String::as_str))
}

/// Digest of texts in their order: FNV-1a, 16 hex digits.
#[must_use]
pub fn digest<'text>(texts: impl IntoIterator<Item = &'text str>) -> String {
    let mut hasher = FnvHasher::default();
    for text in texts {
        hasher.write(text.as_bytes());
        hasher.write_u8(0);
    }
    format!("{:016x}", hasher.finish())
}

fn name(key: &UnitKey) -> String {
    match key {
        UnitKey::Application(key) => format!("{}\u{1}{}\u{1}{}", key.directory, key.cluster, key.id),
        UnitKey::LegacyJob(directory, job) => format!("{directory}\u{1}{job}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::{ApplicationId, JobId};
    use crate::names::{ClusterName, DirectoryUrl};

    fn keys(count: u8) -> Vec<UnitKey> {
        let (directory, cluster) = (DirectoryUrl::new("file:/archives"), ClusterName::new("prod-eu"));
        (0..count).map(|number| UnitKey::application(&directory, &cluster, ApplicationId::from_bytes([number; 16]))).collect()
    }

    #[test]
    fn a_cleanup_of_exactly_the_fraction_passes_and_one_more_is_held() {
        for (removed, of, fraction, held) in [
            (5, 10, 0.5, false),
            (6, 10, 0.5, true),
            (10, 10, 1.0, false),
            (1, 10, 0.0, true),
            (0, 10, 0.0, false),
            (0, 0, 0.5, false),
            (1, 0, 0.5, true),
        ] {
            assert_eq!(exceeds(removed, of, fraction), held, "{removed} of {of} at {fraction}");
        }
    }

    #[test]
    fn the_id_of_a_plan_depends_on_its_units_in_any_order() {
        let (forward, mut backward) = (keys(3), keys(3));
        backward.reverse();
        assert_eq!(plan_id(&forward), plan_id(&backward));
        assert_ne!(plan_id(&forward), plan_id(&keys(4)));
        assert_eq!(plan_id(&forward).len(), 16);
        let job = UnitKey::LegacyJob(DirectoryUrl::new("file:/archives"), JobId::from_bytes([1; 16]));
        assert_ne!(plan_id([&job]), plan_id(&forward[1..2]));
    }
}
