//! `jobs compare`.

use serde_json::Value;

use super::arguments::{CompareArguments, Output, Query};
use super::item::{members, shown};
use super::lists::text;
use super::printable::printable_json;
use super::server::Server;
use super::short_id::whole_id;
use super::table::{Table, csv};
use super::{Console, Failure};

/// A difference: kind, name, left value, right value.
type Difference = [String; 4];

/// Prints the differences of two jobs.
pub(super) async fn jobs(wanted: &CompareArguments, console: &mut Console<'_>) -> Result<(), Failure> {
    let server = Server::of(&wanted.server)?;
    let (left, right) = (whole_id(&server, "jobs", &wanted.left).await?, whole_id(&server, "jobs", &wanted.right).await?);
    let mut query: Query = vec![("left", left), ("right", right)];
    for (name, value) in [
        ("left_cluster", &wanted.left_cluster),
        ("left_directory", &wanted.left_directory),
        ("right_cluster", &wanted.right_cluster),
        ("right_directory", &wanted.right_directory),
    ] {
        query.extend(value.iter().map(|value| (name, value.clone())));
    }
    let found = server.json("jobs/compare", &query).await?;
    match wanted.output {
        Output::Json => writeln!(console.out, "{}", printable_json(&format!("{found:#}")))?,
        Output::Csv => {
            let mut rows = vec![["kind", "what", "left", "right"].map(str::to_owned).to_vec()];
            rows.extend(differences(&found, |_, value| text(value)).into_iter().map(Vec::from));
            csv(&rows, console.terminal, console.out)?;
        }
        Output::Table => {
            let rows: Vec<Vec<String>> = differences(&found, shown).into_iter().map(Vec::from).collect();
            if rows.is_empty() {
                writeln!(console.notes, "The two jobs do not differ.")?;
            } else {
                Table::new(&["KIND", "WHAT", "LEFT", "RIGHT"]).print(&rows, console.out)?;
            }
            if let Some(equal) = found["configuration_equal"].as_u64() {
                writeln!(console.notes, "{equal} options of the configuration are equal.")?;
            }
        }
    }
    Ok(())
}

fn differences(found: &Value, shown: impl Fn(&str, &Value) -> String) -> Vec<Difference> {
    let mut all = Vec::new();
    for (kind, left, right) in [("job", "left", "right"), ("fact", "left_facts", "right_facts")] {
        let (left, right) = (members(&found[left]), members(&found[right]));
        let value = |side: &[(String, Value)], name: &String| {
            side.iter().find(|(other, _)| other == name).map(|(_, value)| value.clone()).unwrap_or_default()
        };
        let only_right = right.iter().filter(|(name, _)| !left.iter().any(|(other, _)| other == name));
        for (name, _) in left.iter().chain(only_right) {
            let (left, right) = (value(&left, name), value(&right, name));
            if left != right {
                all.push([kind.to_owned(), name.clone(), shown(name, &left), shown(name, &right)]);
            }
        }
    }
    let part = |name: &str| found[name].as_array().map(Vec::as_slice).unwrap_or_default();
    for option in part("configuration") {
        all.push(["configuration".to_owned(), text(&option["key"]), text(&option["left"]), text(&option["right"])]);
    }
    for vertex in part("vertices").iter().filter(|vertex| vertex["change"] != "same") {
        let differing = vertex["differences"].as_array().map(Vec::as_slice).unwrap_or_default();
        let side =
            |side: &str| differing.iter().map(|name| format!("{} {}", text(name), text(&vertex[side][text(name)]))).collect::<Vec<_>>();
        let (left, right) = match vertex["change"].as_str() {
            Some("added") => (String::new(), "added".to_owned()),
            Some("removed") => (String::new(), "removed".to_owned()),
            _ => (side("left").join(", "), side("right").join(", ")),
        };
        all.push(["vertex".to_owned(), text(&vertex["name"]), left, right]);
    }
    all
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_differences_are_printed() {
        let found = json!({
            "left": {"id": "a", "name": "orders", "duration": 61_000, "tasks": {"total": 4, "failed": 0}},
            "right": {"id": "b", "name": "orders", "duration": 120_000, "tasks": {"total": 4, "failed": 1}},
            "left_facts": {"parallelism": 2, "vertices": []}, "right_facts": null,
            "configuration": [{"key": "k", "left": null, "right": "2"}], "configuration_equal": 5,
            "vertices": [
                {"name": "same", "change": "same", "differences": []},
                {"name": "new", "change": "added", "left": null, "right": {}, "differences": []},
                {"name": "old", "change": "removed", "left": {}, "right": null, "differences": []},
                {"name": "wider", "change": "changed", "left": {"parallelism": 1}, "right": {"parallelism": 2}, "differences": ["parallelism"]},
            ],
        });
        let expected = [
            ["job", "id", "a", "b"],
            ["job", "duration", "1 min 1 s", "2 min"],
            ["job", "tasks.failed", "0", "1"],
            ["fact", "parallelism", "2", ""],
            ["configuration", "k", "", "2"],
            ["vertex", "new", "", "added"],
            ["vertex", "old", "", "removed"],
            ["vertex", "wider", "parallelism 1", "parallelism 2"],
        ];
        assert_eq!(differences(&found, shown), expected.map(|row| row.map(str::to_owned)));
    }
}
