//! BENCHMARKS.md is the page of the committed figures.

use std::path::Path;
use std::process::Command;

use serde_json::Value;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Runs Python in `benches/`, as `make bench` does.
fn python(arguments: &[&str]) -> String {
    let output =
        Command::new("python3").env("PYTHONDONTWRITEBYTECODE", "1").current_dir(root().join("benches")).args(arguments).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn the_page_follows_from_the_committed_figures() {
    let page = std::fs::read_to_string(root().join("BENCHMARKS.md")).unwrap();
    assert_eq!(python(&["-m", "comparison", "--page"]), page, "BENCHMARKS.md is not what `make bench` wrote: restore it, or run it again");
}

#[test]
fn an_aim_is_met_or_missed_by_the_medians_of_the_figures() {
    let script = r#"
import json
from comparison.aims import verdicts
medians = {(4_000, "flink", "listed_seconds"): 22.4, (4_000, "ours", "listed_seconds"): 0.32,
           (20_000, "flink", "listed_seconds"): 112.0, (20_000, "ours", "listed_seconds"): 3.5,
           (4_000, "ours", "disk_bytes"): 15e6, (4_000, None, "bytes"): 100e6,
           (100_000, "ours", "restart_seconds"): 0.4}
found = verdicts(lambda *figure: medians.get(figure))
print(json.dumps({one.id: [one.met, one.measured] for one in found}))
"#;
    let verdicts: Value = serde_json::from_str(&python(&["-c", script])).unwrap();
    let of = |id: &str| (verdicts[id][0].as_bool(), verdicts[id][1].as_str().unwrap().to_owned());
    assert_eq!(of("listed-4000"), (Some(true), "70 ×".to_owned()));
    assert_eq!(of("listed-20000"), (Some(false), "32 ×".to_owned()));
    assert_eq!(of("disk"), (Some(true), "15.0 %".to_owned()));
    assert_eq!(of("restart"), (Some(false), "0.40 s".to_owned()));
    assert_eq!(of("documents-flink"), (None, "not measured".to_owned()));
}
