//! Drives the fuzz entry of the archive reader from the committed corpus: the same inputs in each run, or new ones for `FUZZ_SECONDS`.

use std::fs;
use std::hash::{BuildHasher as _, RandomState};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::time::{Duration, Instant};

use historyserver::archive::fuzz;

/// Maximum of bytes of an input: small inputs show the same faults as large ones.
const MAX_BYTES: usize = 8 << 10;

/// Inputs made, and the seed that they are made from, where no time is set.
const INPUTS: u64 = 20_000;
const SEED: u64 = 2;

/// Pieces of archives that random bytes would hardly contain.
const TOKENS: &[&[u8]] = &[
    b"{",
    b"}",
    b"[",
    b"]",
    b",",
    b":",
    b"\"",
    b"\\",
    b"\\\"",
    b"\\\\",
    b"\\u0000",
    b"\\ud83d",
    b"\\ude80",
    b"\\u",
    b"\0",
    b"\n",
    b"\xff",
    b"\xef\xbb\xbf",
    b"\xed\xa0\xbd",
    b"null",
    b"true",
    b"-0",
    b"1e9",
    b"\"archive\":[",
    b"{\"path\":\"",
    b"\",\"json\":\"",
    b"\"}",
    b"\"}]}",
    b"[[[[[[[[",
    b"]]]]]]]]",
    b"{\\\"a\\\":",
    b"/jobs/overview",
    b"/joboverview",
    b"/applications/overview",
    b"/jobs/",
    b"/applications/",
    b"/../",
    b"//",
    b"%2e",
    b"{\\\"jobs\\\":[{\\\"jid\\\":\\\"",
    b"\\\"name\\\":\\\"x\\\"",
    b"\\\"state\\\":\\\"FINISHED\\\"",
];

/// Knuth's linear congruential generator, high bits.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % bound.max(1)
    }

    fn range(&mut self, bytes: &[u8], max: usize) -> std::ops::Range<usize> {
        let start = self.below(bytes.len() + 1);
        start..start + self.below((bytes.len() - start).min(max) + 1)
    }
}

fn mutate(input: &mut Vec<u8>, corpus: &[Vec<u8>], random: &mut Random) {
    let at = random.below(input.len() + 1);
    match random.below(8) {
        0 if at < input.len() => input[at] ^= 1 << random.below(8),
        1 if at < input.len() => input[at] = u8::try_from(random.below(256)).unwrap(),
        2 => {
            let removed = random.range(input, 64);
            input.drain(removed);
        }
        3 => {
            let copied = random.range(input, 256);
            let copied = input[copied].to_vec();
            input.splice(at..at, copied);
        }
        4 => {
            let other = &corpus[random.below(corpus.len())];
            let copied = random.range(other, 512);
            input.splice(at..at, other[copied].to_vec());
        }
        5 => input.truncate(at),
        6 => {
            let other = &corpus[random.below(corpus.len())];
            let from = random.below(other.len() + 1);
            input.truncate(at);
            input.extend_from_slice(&other[from..]);
        }
        _ => {
            let token = TOKENS[random.below(TOKENS.len())];
            input.splice(at..at, token.iter().copied());
        }
    }
    input.truncate(MAX_BYTES);
}

#[test]
fn no_bytes_make_the_archive_reader_panic_or_contradict_itself() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/fuzz/envelope");
    let mut names: Vec<_> = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    names.sort();
    let corpus: Vec<Vec<u8>> = names.iter().map(|name| fs::read(name).unwrap()).collect();
    assert!(corpus.len() > 20, "the corpus is in {}", folder.display());
    for (name, seed) in names.iter().zip(&corpus) {
        assert!(catch_unwind(|| fuzz::envelope(seed)).is_ok(), "failed on {}", name.display());
    }

    let setting = |name: &str| std::env::var(name).ok().map(|value| value.parse::<u64>().unwrap());
    let seconds = setting("FUZZ_SECONDS").map(Duration::from_secs);
    // Without a time, the inputs are the same in each run: a change is not stopped by an older fault that chance found.
    let chosen = || seconds.map_or(SEED, |_| RandomState::new().hash_one("seed"));
    let seed = setting("FUZZ_SEED").unwrap_or_else(chosen);
    let begun = Instant::now();
    let mut random = Random(seed);
    let mut runs = 0_u64;
    while seconds.map_or(runs < INPUTS, |seconds| begun.elapsed() < seconds) {
        let mut input = corpus[random.below(corpus.len())].clone();
        for _ in 0..=random.below(6) {
            mutate(&mut input, &corpus, &mut random);
        }
        runs += 1;
        if catch_unwind(AssertUnwindSafe(|| fuzz::envelope(&input))).is_err() {
            let kept = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("envelope-{seed}"));
            fs::write(&kept, &input).unwrap();
            panic!("failed on input {runs} of FUZZ_SEED={seed}, which was saved as {}: add it to the corpus", kept.display());
        }
    }
    println!("{runs} inputs in {} s, FUZZ_SEED={seed}", begun.elapsed().as_secs());
    assert!(runs > 0);
}
