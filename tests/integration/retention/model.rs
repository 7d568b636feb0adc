//! Whole runs against a model, and the preview against the run.

use std::collections::{BTreeMap, BTreeSet};

use historyserver::clock::{Clock, Timestamp};
use historyserver::retention::policy::{Candidate, Policy, Verdict, judge};
use proptest::prelude::*;

use super::world::{MINUTE, NOW, Place, id, limited, rules};

#[derive(Debug, Clone)]
enum Act {
    /// An application, or a legacy job, of this number is written, so many minutes before now.
    Write { number: u8, minutes: i64, legacy: bool },
    /// So many minutes pass.
    Pass(u32),
    /// A refresh and a cleanup; `restart` opens the index again before.
    Clean { restart: bool },
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        3 => (1..12_u8, 0..60_i64, prop::bool::weighted(0.3)).prop_map(|(number, minutes, legacy)| Act::Write { number, minutes, legacy }),
        1 => (0..30_u32).prop_map(Act::Pass),
        2 => prop::bool::weighted(0.3).prop_map(|restart| Act::Clean { restart }),
    ]
}

fn policies() -> impl Strategy<Value = Policy> {
    let limit = || prop::option::of(1..6_u64);
    (limit(), limit(), prop::option::of(10..90_u32), prop::option::of(1_000..9_000_u64)).prop_map(
        |(applications, legacy_jobs, minutes, bytes)| Policy {
            applications,
            legacy_jobs,
            ttl: minutes.map(|minutes| minutes * MINUTE),
            bytes,
            delete_unreadable: false,
        },
    )
}

/// What is there: bytes and time, by number and kind.
type Model = BTreeMap<(bool, u8), (u64, Timestamp)>;

fn survivors(model: &Model, policy: &Policy, now: Timestamp) -> Model {
    let ids: Vec<[u8; 16]> = model.keys().map(|(_, number)| [*number; 16]).collect();
    let candidates: Vec<Candidate<'_>> = model
        .iter()
        .zip(&ids)
        .map(|(((legacy, _), (bytes, time)), id)| Candidate {
            cluster: (!legacy).then_some("c"),
            id: *id,
            time: *time,
            bytes: *bytes,
            counts: true,
        })
        .collect();
    let verdicts = judge(&candidates, policy, now, true);
    let kept = model.iter().zip(verdicts).filter(|(_, verdict)| !matches!(verdict, Verdict::Expired(_)));
    kept.map(|((key, value), _)| (*key, *value)).collect()
}

fn size(place: &Place, legacy: bool, number: u8) -> u64 {
    let folder = place.root().join("c/applications").join(id(number));
    let length = |path: std::path::PathBuf| std::fs::metadata(path).unwrap().len();
    if legacy {
        length(place.root().join(id(number)))
    } else {
        length(folder.join("application-summary")) + length(folder.join("jobs").join(id(number | 0x80)))
    }
}

async fn run(acts: Vec<Act>, policy: Policy) -> Result<(), TestCaseError> {
    let place = Place::new();
    let clock = Clock::manual(NOW);
    let retention = limited(policy);
    let mut server = place.open_at(clock.clone(), rules(), retention);
    let mut model = Model::new();
    for act in acts {
        match act {
            Act::Write { number, minutes, legacy } => {
                // Legacy jobs have numbers of their own.
                let number = if legacy { number + 0x40 } else { number };
                let passed = i64::try_from(clock.now().since(NOW).as_secs() / 60).unwrap();
                let before = minutes - passed;
                if legacy {
                    place.legacy_job(number, before);
                } else {
                    place.application(number, before);
                }
                model.insert((legacy, number), (size(&place, legacy, number), Timestamp::from_millis(super::world::before(before))));
            }
            Act::Pass(minutes) => clock.advance(minutes * MINUTE),
            Act::Clean { restart } => {
                if restart {
                    server.world.close().await;
                    server = place.open_at(clock.clone(), rules(), retention);
                }
                // As after an hour in which the clock ran steadily.
                server.world.writer.note_refresh(clock.now()).await.unwrap();
                let expected = survivors(&model, &policy, clock.now());
                server.world.full_scan().await;
                let preview: BTreeSet<String> = server.pending().await.iter().map(|each| format!("{:?}", each.removal.key)).collect();
                let recorded = server.record().await.len();
                server.clean().await;
                let done = server.record().await;
                let done: BTreeSet<String> = done[..done.len() - recorded].iter().map(|deletion| format!("{:?}", deletion.key)).collect();
                prop_assert_eq!(preview, done);
                let left: BTreeSet<u8> = expected.keys().map(|(_, number)| *number).collect();
                prop_assert_eq!(place.present(), left);
                let listed: BTreeSet<u8> = expected.keys().filter(|(legacy, _)| !legacy).map(|(_, number)| *number).collect();
                prop_assert_eq!(server.listed().await, listed);
                model = expected;
            }
        }
    }
    server.world.close().await;
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, max_shrink_iters: 64, ..ProptestConfig::default() })]

    #[test]
    fn every_run_leaves_what_the_model_leaves_and_does_what_was_shown_before(
        acts in prop::collection::vec(act(), 1..14),
        policy in policies(),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(run(acts, policy))?;
    }
}
