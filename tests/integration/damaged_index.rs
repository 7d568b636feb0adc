//! Bits of the index file that flip by themselves: found out, told, and mended from the archives.

use std::fs;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use historyserver::clock::{Clock, Timestamp};

use crate::support::archives::{id, job, write, write_application};
use crate::support::world::{World, WorldOptions};

const END: i64 = 1_795_000_000_000;

/// Lists whose every byte must be as before.
const LISTS: [&str; 7] = [
    "/applications/overview",
    "/jobs/overview",
    "/jobs",
    "/overview",
    "/api/v1/applications?limit=100&sort=name",
    "/api/v1/jobs?limit=100&sort=-end",
    "/api/v1/jobs?limit=100&state=FINISHED&sort=start",
];

/// An archive directory, the index over it, and what is answered from that.
struct Indexed {
    folder: tempfile::TempDir,
    file: Vec<u8>,
    answers: Vec<String>,
}

impl Indexed {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let archives = folder.path().join("archives");
        // Ends of their own: the order of rows that are equal is not kept when they are written anew.
        for (digit, end) in ['a', 'b', 'c', 'd'].into_iter().zip(END..) {
            write_application(&archives, "prod", &id(digit), &format!("pipeline-{digit}"), end, &[&id(digit)]);
        }
        for (digit, end) in ['1', '2', '3'].into_iter().zip(END + 10..) {
            write(&archives.join(id(digit)), job(&id(digit), &format!("Überweisungen {digit}"), end));
        }
        write(&archives.join(id('9')), "{");
        let mut indexed = Self { folder, file: Vec::new(), answers: Vec::new() };
        let mut world = indexed.world(Timestamp::from_millis(2_000_000_000_000));
        world.full_scan().await;
        indexed.answers = answers(&world).await;
        world.close().await;
        indexed.file = fs::read(indexed.index()).unwrap();
        indexed
    }

    fn index(&self) -> PathBuf {
        self.folder.path().join("data/historyserver.sqlite")
    }

    fn world(&self, now: Timestamp) -> World {
        let options = WorldOptions { clock: Clock::manual(now), ..WorldOptions::default() };
        World::over(&[&self.folder.path().join("archives")], &self.folder.path().join("data"), options)
    }

    /// Opens the index after it was changed so, and waits until everything is answered as before.
    async fn is_mended_after(&self, what: &str, change: impl FnOnce(&mut Vec<u8>)) {
        let mut bytes = self.file.clone();
        change(&mut bytes);
        let data = self.folder.path().join("data");
        fs::remove_dir_all(&data).unwrap();
        fs::create_dir(&data).unwrap();
        fs::write(self.index(), bytes).unwrap();
        // Later: what could not be read is tried again after a restart, which tells its problem anew.
        let mut world = self.world(Timestamp::from_millis(2_000_000_001_000));
        let deadline = Instant::now() + Duration::from_secs(30);
        loop {
            world.quick_scan().await;
            let found = answers(&world).await;
            if found == self.answers {
                break;
            }
            let different = found.iter().zip(&self.answers).find(|(found, before)| found != before);
            assert!(Instant::now() < deadline, "{what}: {different:#?}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        world.close().await;
    }
}

async fn answers(world: &World) -> Vec<String> {
    let mut answers = Vec::new();
    for path in LISTS {
        let answer = world.get(path).await;
        answers.push(format!("{path}: {} {}", answer.status, answer.text()));
    }
    // Since when there is one differs when the index is built anew.
    let problems = world.get("/api/v1/problems").await;
    if problems.status != 200 {
        return vec![problems.text()];
    }
    for problem in problems.json()["items"].as_array().unwrap() {
        answers.push(format!("{} {} {}", problem["code"], problem["subject"], problem["reason"]));
    }
    answers
}

/// Where a text stands in the file.
fn places(file: &[u8], text: &str) -> Vec<usize> {
    file.windows(text.len()).enumerate().filter(|(_, window)| *window == text.as_bytes()).map(|(place, _)| place).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flipped_bit_in_a_text_of_a_list_is_mended() {
    let indexed = Indexed::new().await;
    for text in ["pipeline-b", "pipeline-B", "Überweisungen 2", "FINISHED", "BATCH", "\"duration\"", "prod"] {
        let places = places(&indexed.file, text);
        for place in places.iter().take(6) {
            for bit in [0, 7] {
                let flip = |bytes: &mut Vec<u8>| bytes[place + 1] ^= 1 << bit;
                indexed.is_mended_after(&format!("{text} at {place}, bit {bit}"), flip).await;
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn bits_that_flip_anywhere_in_the_index_change_no_list_for_long() {
    let indexed = Indexed::new().await;
    // A linear congruential generator: the same places in every run.
    let mut random: u64 = 42;
    let mut next = || {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(random >> 33).unwrap()
    };
    for _ in 0..60 {
        let (place, bit) = (next() % indexed.file.len(), next() % 8);
        // By these an index is known as one, and of a version that this server knows: with others it is left alone.
        if (60..64).contains(&place) || (68..72).contains(&place) {
            continue;
        }
        indexed.is_mended_after(&format!("byte {place}, bit {bit}"), |bytes| bytes[place] ^= 1 << bit).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_row_of_what_is_gone_stays_listed_with_what_can_be_read_of_it() {
    let mut indexed = Indexed::new().await;
    fs::remove_dir_all(indexed.folder.path().join("archives/prod/applications").join(id('b'))).unwrap();
    let mut world = indexed.world(Timestamp::from_millis(2_000_000_001_000));
    world.full_scan().await;
    world.close().await;
    indexed.file = fs::read(indexed.index()).unwrap();
    let wide = b"{\"id\":\"bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb\",\"name\":\"pipeline-b\"";
    let places: Vec<usize> = places(&indexed.file, std::str::from_utf8(wide).unwrap());
    assert!(!places.is_empty());
    for place in places {
        let mut bytes = indexed.file.clone();
        bytes[place + wide.len() - 3] ^= 0x80;
        fs::write(indexed.index(), bytes).unwrap();
        let mut world = indexed.world(Timestamp::from_millis(2_000_000_002_000));
        let deadline = Instant::now() + Duration::from_secs(30);
        loop {
            world.quick_scan().await;
            let list = world.get("/applications/overview").await;
            if list.status == 200 {
                let applications = list.json()["applications"].as_array().unwrap().clone();
                assert_eq!(applications.len(), 4);
                assert!(applications.iter().any(|each| each["id"] == id('b') && each["name"] != "pipeline-b"), "{applications:?}");
                break;
            }
            assert!(Instant::now() < deadline, "{}", list.text());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        assert_eq!(world.get(&format!("/applications/{}/exceptions", id('b'))).await.status, 200, "its documents are not lost");
        world.close().await;
    }
}
