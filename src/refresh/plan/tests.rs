use proptest::prelude::*;

use super::*;
use crate::directory::{FileVersion, Obstacle};
use crate::names::FilePath;
use crate::problem::ProblemCode;

mod retaining;

const NOW: Timestamp = Timestamp::from_millis(1_795_000_000_000);
const OLD: Timestamp = Timestamp::from_millis(NOW.as_millis() - 60 * 60 * 1_000);
const RULES: Rules = Rules { forget_gone_applications: false, forget_gone_legacy_jobs: false, empty_grace: Duration::from_hours(1) };

fn directory() -> DirectoryUrl {
    DirectoryUrl::new("file:/archives")
}

fn cluster() -> ClusterName {
    ClusterName::new("prod-eu")
}

fn application(number: u8) -> ApplicationId {
    ApplicationId::from_bytes([number; 16])
}

fn job(number: u8) -> JobId {
    JobId::from_bytes([number; 16])
}

fn key(number: u8) -> UnitKey {
    UnitKey::application(&directory(), &cluster(), application(number))
}

fn file(kind: FileKind, size: u64, modified: Timestamp) -> FoundFile {
    let path = match kind {
        FileKind::Summary => FilePath::new("prod-eu/applications/x/application-summary"),
        FileKind::Job(job) => FilePath::new(format!("prod-eu/applications/x/jobs/{job}")),
    };
    FoundFile { path, kind, version: FileVersion { size, modified, etag: None } }
}

fn found(number: u8, files: Vec<FoundFile>) -> Found {
    let folder = FilePath::new(format!("prod-eu/applications/{}", application(number)));
    Found::Applications(vec![FoundApplication { cluster: cluster(), id: application(number), folder, files: Some(files) }])
}

fn known_file(file: &FoundFile) -> KnownFile {
    KnownFile {
        kind: file.kind,
        tried: file.version.fingerprint(),
        size: file.version.size,
        modified: file.version.modified,
        parsed: true,
        racy: false,
        gone: false,
        attempts: 0,
        fault: None,
        tried_at: Timestamp::EPOCH,
        next_attempt: None,
    }
}

fn unit(files: &[FoundFile]) -> KnownUnit {
    let complete = files.iter().any(|file| file.kind == FileKind::Summary);
    KnownUnit { files: files.iter().map(known_file).collect(), complete, gone_since: None, expired_at: None }
}

fn knowing(units: impl IntoIterator<Item = (u8, KnownUnit)>) -> KnownDirectory {
    let applications = units.into_iter().map(|(number, unit)| ((cluster(), application(number)), unit)).collect();
    KnownDirectory { applications, held_archives: true, ..KnownDirectory::default() }
}

fn plan(known: &KnownDirectory, found: &[Found], now: Timestamp, rules: &Rules) -> (Vec<Task>, Plan) {
    let probed = Probed::new();
    let mut planner = Planner::new(directory(), known, &probed, Judging { by_age: true, ..Judging::default() }, now);
    let tasks = found.iter().flat_map(|piece| planner.take(piece)).collect();
    (tasks, planner.finish(rules))
}

#[test]
fn only_files_that_are_new_or_changed_are_fetched() {
    let summary = file(FileKind::Summary, 10, OLD);
    let first = file(FileKind::Job(job(1)), 20, OLD);
    let known = knowing([(1, unit(&[summary.clone(), first.clone()]))]);
    let late = file(FileKind::Job(job(2)), 30, OLD);
    let rewritten = file(FileKind::Summary, 11, OLD);
    let (tasks, plan) = plan(&known, &[found(1, vec![rewritten.clone(), first, late.clone()])], NOW, &RULES);
    assert_eq!(tasks.len(), 1);
    assert_eq!(tasks[0].files, vec![rewritten, late]);
    assert_eq!(plan.presence, vec![]);
}

#[test]
fn a_file_written_within_the_clock_tick_of_its_listing_is_read_once_more() {
    let summary = file(FileKind::Summary, 10, NOW);
    let mut known_unit = unit(std::slice::from_ref(&summary));
    known_unit.files[0].racy = true;
    let known = knowing([(1, known_unit)]);
    let listing = [found(1, vec![summary])];
    assert!(plan(&known, &listing, NOW + RACY_WINDOW, &RULES).0.is_empty());
    assert_eq!(plan(&known, &listing, NOW + RACY_WINDOW + Duration::from_millis(1), &RULES).0.len(), 1);
}

#[test]
fn a_file_that_could_not_be_read_is_fetched_by_a_listing_only_when_it_has_changed() {
    let summary = file(FileKind::Summary, 10, OLD);
    let mut known_unit = unit(std::slice::from_ref(&summary));
    known_unit.files[0].parsed = false;
    known_unit.files[0].next_attempt = Some(NOW - Duration::from_millis(1));
    let known = knowing([(1, known_unit)]);
    assert!(plan(&known, &[found(1, vec![summary])], NOW, &RULES).0.is_empty());
    assert_eq!(plan(&known, &[found(1, vec![file(FileKind::Summary, 11, OLD)])], NOW, &RULES).0.len(), 1);
}

#[test]
fn units_missing_from_a_complete_listing_are_missing_and_return_without_a_read() {
    let summary = file(FileKind::Summary, 10, OLD);
    let mut known = knowing([(1, unit(std::slice::from_ref(&summary))), (2, unit(std::slice::from_ref(&summary)))]);
    let (_, missing) = plan(&known, &[found(2, vec![summary.clone()])], NOW, &RULES);
    assert_eq!(missing.presence, vec![Presence::UnitGone(key(1))]);
    known.applications.get_mut(&(cluster(), application(1))).unwrap().gone_since = Some(OLD);
    let (tasks, back) = plan(&known, &[found(1, vec![summary.clone()]), found(2, vec![summary])], NOW, &RULES);
    assert!(tasks.is_empty());
    assert_eq!(back.presence, vec![Presence::UnitBack(key(1))]);
}

#[test]
fn missing_units_are_forgotten_when_configured_also_earlier_ones() {
    let summary = file(FileKind::Summary, 10, OLD);
    let mut missing = unit(std::slice::from_ref(&summary));
    missing.gone_since = Some(OLD);
    let known = knowing([(1, missing), (2, unit(std::slice::from_ref(&summary)))]);
    let rules = Rules { forget_gone_applications: true, ..RULES };
    let (_, plan) = plan(&known, &[found(3, vec![summary])], NOW, &rules);
    let mut forget = plan.forget;
    forget.sort();
    assert_eq!(forget, vec![key(1), key(2)]);
    assert_eq!(plan.presence, vec![]);
}

#[test]
fn an_obstacle_protects_the_units_below_it_and_no_others() {
    let summary = file(FileKind::Summary, 10, OLD);
    let first = file(FileKind::Job(job(1)), 10, OLD);
    let units = [1, 2, 3].map(|number| (number, unit(&[summary.clone(), first.clone()])));
    let known = knowing(units);
    let obstacle =
        |hides| Found::Obstacle(Obstacle { hides, path: FilePath::new("x"), code: ProblemCode::PermissionDenied, reason: String::new() });
    let whole = [obstacle(Hidden::Cluster(cluster()))];
    assert_eq!(plan(&known, &whole, NOW, &RULES).1.presence, vec![]);
    let one = [
        obstacle(Hidden::Application(cluster(), application(1))),
        found(1, vec![first.clone()]),
        found(2, vec![summary.clone()]),
        obstacle(Hidden::Job(cluster(), application(2), job(1))),
    ];
    assert_eq!(plan(&known, &one, NOW, &RULES).1.presence, vec![Presence::UnitGone(key(3))]);
}

/// The listing of a directory whose archives are all missing.
fn nothing_left() -> Vec<Vec<Found>> {
    let unreadable = Obstacle {
        hides: Hidden::Cluster(ClusterName::new("lost+found")),
        path: FilePath::new("lost+found/applications"),
        code: ProblemCode::PermissionDenied,
        reason: String::new(),
    };
    vec![vec![], vec![found(1, vec![])], vec![Found::Obstacle(unreadable)]]
}

#[test]
fn an_entry_of_the_root_that_may_be_either_protects_a_cluster_and_a_legacy_job() {
    let first = file(FileKind::Job(job(1)), 10, OLD);
    let mut known = knowing([(1, unit(std::slice::from_ref(&first)))]);
    known.legacy_jobs.insert(job(1), unit(std::slice::from_ref(&first)));
    let hides = Hidden::ClusterOrLegacyJob(cluster(), job(1));
    let obstacle = Obstacle { hides, path: FilePath::new("x"), code: ProblemCode::LinkRefused, reason: String::new() };
    assert_eq!(plan(&known, &[Found::Obstacle(obstacle)], NOW, &RULES).1.presence, vec![]);
    assert_eq!(plan(&known, &[found(2, vec![first])], NOW, &RULES).1.presence.len(), 2);
}

#[test]
fn the_emptiness_of_a_directory_that_held_archives_is_trusted_after_the_grace() {
    let summary = file(FileKind::Summary, 10, OLD);
    let mut known = knowing([(1, unit(&[summary]))]);
    for listing in nothing_left() {
        known.vanished_since = None;
        let (_, first) = plan(&known, &listing, NOW, &RULES);
        assert!(first.vanished && first.presence.is_empty() && first.forget.is_empty());
        known.vanished_since = Some(NOW - RULES.empty_grace + Duration::from_millis(1));
        assert!(plan(&known, &listing, NOW, &RULES).1.vanished);
        known.vanished_since = Some(NOW - RULES.empty_grace);
        assert_eq!(plan(&known, &listing, NOW, &RULES).1.presence, vec![Presence::UnitGone(key(1))]);
        known.vanished_since = None;
        let at_once = Rules { empty_grace: Duration::ZERO, ..RULES };
        assert_eq!(plan(&known, &listing, NOW, &at_once).1.presence, vec![Presence::UnitGone(key(1))]);
    }
}

#[test]
fn a_single_missing_application_is_trusted_at_once() {
    let summary = file(FileKind::Summary, 10, OLD);
    let known = knowing([1, 2].map(|number| (number, unit(std::slice::from_ref(&summary)))));
    let (_, plan) = plan(&known, &[found(2, vec![summary])], NOW, &RULES);
    assert_eq!((plan.vanished, plan.presence), (false, vec![Presence::UnitGone(key(1))]));
}

#[test]
fn a_directory_whose_archives_are_all_known_to_be_missing_has_not_vanished() {
    let missing = KnownUnit { gone_since: Some(OLD), ..unit(&[file(FileKind::Summary, 10, OLD)]) };
    let known = knowing([(1, missing)]);
    let (_, plan) = plan(&known, &[], NOW, &RULES);
    assert_eq!((plan.vanished, plan.holds_archives, plan.presence), (false, false, vec![]));
}

#[test]
fn a_directory_whose_archives_are_all_hidden_by_an_obstacle_has_not_vanished() {
    let known = knowing([(1, unit(&[file(FileKind::Summary, 10, OLD)]))]);
    let hidden = Obstacle {
        hides: Hidden::Cluster(cluster()),
        path: FilePath::new("prod-eu/applications"),
        code: ProblemCode::PermissionDenied,
        reason: String::new(),
    };
    let (_, plan) = plan(&known, &[Found::Obstacle(hidden)], NOW, &RULES);
    assert_eq!((plan.vanished, plan.holds_archives, plan.presence), (false, true, vec![]));
}

#[test]
fn an_obstacle_on_the_way_to_a_nested_cluster_protects_it() {
    let name = |name: &str| ClusterName::new(name);
    let mut known = knowing([(1, unit(&[file(FileKind::Summary, 10, OLD)]))]);
    for (cluster, number) in [("a/b/c", 2), ("a/bc", 3), ("a", 4)] {
        known.applications.insert((name(cluster), application(number)), unit(&[file(FileKind::Summary, 10, OLD)]));
    }
    let hidden =
        Obstacle { hides: Hidden::Cluster(name("a/b")), path: FilePath::new("a/b"), code: ProblemCode::LinkRefused, reason: String::new() };
    let listing = [found(1, vec![file(FileKind::Summary, 10, OLD)]), Found::Obstacle(hidden)];
    let mut missing = plan(&known, &listing, NOW, &RULES).1.presence;
    missing.sort_by_key(|change| format!("{change:?}"));
    let key = |cluster: &str, number| UnitKey::application(&directory(), &name(cluster), application(number));
    let mut expected = vec![Presence::UnitGone(key("a", 4)), Presence::UnitGone(key("a/bc", 3))];
    expected.sort_by_key(|change| format!("{change:?}"));
    assert_eq!(missing, expected);
}

#[test]
fn known_units_below_hidden_names_are_dropped_and_are_neither_missing_nor_forgotten() {
    let summary = file(FileKind::Summary, 10, OLD);
    let mut known = knowing([(1, unit(std::slice::from_ref(&summary)))]);
    let hidden = |number| (ClusterName::new("team/.old"), application(number));
    known.applications.insert(hidden(2), unit(std::slice::from_ref(&summary)));
    known.applications.insert(hidden(3), KnownUnit { gone_since: Some(OLD), ..unit(std::slice::from_ref(&summary)) });
    let listing = [found(1, vec![summary])];
    let rules = Rules { forget_gone_applications: true, ..RULES };
    let (_, kept) = plan(&known, &listing, NOW, &RULES);
    let (_, forgetting) = plan(&known, &listing, NOW, &rules);
    let key = |number| UnitKey::application(&directory(), &hidden(number).0, application(number));
    assert_eq!((kept.below_hidden_names, kept.presence, kept.forget), (vec![key(2)], vec![], vec![]));
    assert_eq!((forgetting.below_hidden_names, forgetting.forget), (vec![key(2)], vec![key(3)]));
    // Nothing else is there: no archive is missing.
    known.applications.retain(|(cluster, _), _| cluster.is_hidden());
    assert!(!plan(&known, &[], NOW, &RULES).1.vanished);
}

#[test]
fn a_folder_without_an_archive_is_no_application() {
    let known = KnownDirectory::default();
    let (tasks, plan) = plan(&known, &[found(1, vec![])], NOW, &RULES);
    assert!(tasks.is_empty());
    assert_eq!(plan.units, 0);
}

#[test]
fn an_application_without_summary_is_looked_at_less_often_as_it_ages() {
    let mut waiting = unit(&[file(FileKind::Job(job(1)), 10, NOW - 20 * OPEN_WINDOW)]);
    assert!(is_open(Some(&waiting), None, NOW));
    assert!(!is_open(Some(&waiting), Some(NOW - MAX_PAUSE + Duration::from_millis(1)), NOW));
    assert!(is_open(Some(&waiting), Some(NOW - MAX_PAUSE), NOW));
    waiting.complete = true;
    assert!(!is_open(Some(&waiting), None, NOW));
}

/// The content of the index after a plan was carried out.
fn carry_out(known: &mut KnownDirectory, tasks: &[Task], plan: &Plan, now: Timestamp) {
    for task in tasks {
        let UnitKey::Application(key) = &task.key else { continue };
        let unit = known.applications.entry((key.cluster.clone(), key.id)).or_insert_with(|| unit(&[]));
        for file in &task.files {
            unit.files.retain(|known| known.kind != file.kind);
            unit.files.push(KnownFile { racy: now.since(file.version.modified) <= RACY_WINDOW, ..known_file(file) });
        }
        unit.complete |= task.has_summary;
    }
    for change in &plan.presence {
        let mut change_unit = |key: &UnitKey, change: &dyn Fn(&mut KnownUnit)| {
            let UnitKey::Application(key) = key else { return };
            if let Some(unit) = known.applications.get_mut(&(key.cluster.clone(), key.id)) {
                change(unit);
            }
        };
        match change {
            Presence::UnitGone(key) => change_unit(key, &|unit| unit.gone_since = Some(now)),
            Presence::UnitBack(key) => change_unit(key, &|unit| unit.gone_since = None),
            Presence::FileGone(key, kind) => change_unit(key, &|unit| set_gone(unit, *kind, true)),
            Presence::FileBack(key, kind) => change_unit(key, &|unit| set_gone(unit, *kind, false)),
        }
    }
    for key in &plan.forget {
        let UnitKey::Application(key) = key else { continue };
        known.applications.remove(&(key.cluster.clone(), key.id));
    }
}

fn set_gone(unit: &mut KnownUnit, kind: FileKind, gone: bool) {
    unit.files.iter_mut().filter(|file| file.kind == kind).for_each(|file| file.gone = gone);
}

/// Listings of up to six applications with up to three files, in versions that may repeat.
fn listings() -> impl Strategy<Value = Vec<Found>> {
    let kind = prop_oneof![Just(FileKind::Summary), (1..3_u8).prop_map(|number| FileKind::Job(job(number)))];
    let files = proptest::collection::vec((kind, 1..4_u64, 0..3_u64), 0..4).prop_map(|files| {
        let mut files: Vec<FoundFile> =
            files.into_iter().map(|(kind, size, age)| file(kind, size, OLD - Duration::from_millis(age))).collect();
        files.sort_by_key(|file| file.kind);
        files.dedup_by_key(|file| file.kind);
        files
    });
    proptest::collection::btree_map(0..6_u8, files, 0..6)
        .prop_map(|applications| applications.into_iter().map(|(number, files)| found(number, files)).collect())
}

proptest! {
    #[test]
    fn a_plan_carried_out_and_planned_again_is_empty(listings in proptest::collection::vec(listings(), 1..5), forget: bool) {
        let mut known = KnownDirectory::default();
        let rules = Rules { forget_gone_applications: forget, ..RULES };
        for listing in listings {
            let (tasks, first) = plan(&known, &listing, NOW, &rules);
            carry_out(&mut known, &tasks, &first, NOW);
            let (tasks, again) = plan(&known, &listing, NOW, &rules);
            prop_assert_eq!(tasks, vec![]);
            prop_assert_eq!(&again.presence, &vec![]);
            prop_assert_eq!(&again.forget, &vec![]);
        }
    }

    #[test]
    fn a_plan_does_not_depend_on_the_order_of_the_listing(listing in listings(), before in listings(), seed: u64) {
        let mut known = KnownDirectory::default();
        let (tasks, first) = plan(&known, &before, NOW, &RULES);
        carry_out(&mut known, &tasks, &first, NOW);
        let mut shuffled = listing.clone();
        if !shuffled.is_empty() {
            let length = shuffled.len();
            shuffled.rotate_left(usize::try_from(seed % 7).unwrap() % length);
        }
        let sorted = |(mut tasks, mut plan): (Vec<Task>, Plan)| {
            tasks.sort_by(|left, right| left.key.cmp(&right.key));
            plan.presence.sort_by_key(|change| format!("{change:?}"));
            (tasks, plan)
        };
        prop_assert_eq!(
            sorted(plan(&known, &listing, NOW, &RULES)),
            sorted(plan(&known, &shuffled, NOW, &RULES))
        );
    }
}
