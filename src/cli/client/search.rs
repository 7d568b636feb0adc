//! `search`.

use serde_json::Value;

use super::arguments::SearchArguments;
use super::lists::{self, List, text};
use super::printable::time;
use super::server::Server;
use super::{Console, Failure};

const FOUND: List = List {
    path: "search",
    empty: "Nothing was found.",
    max_page: 100,
    titles: &["KIND", "ID", "NAME", "STATUS", "END (UTC)", "FOUND IN", "EXCERPT"],
    cells: |item| {
        let matched = &item["matches"][0];
        vec![
            text(&item["kind"]),
            text(&item["id"]),
            text(&item["name"]),
            text(&item["status"]),
            item["end"].as_i64().map(time).unwrap_or_default(),
            found_in(matched),
            excerpt(matched),
        ]
    },
};

/// The field, of configurations the key too.
fn found_in(matched: &Value) -> String {
    let field = text(&matched["field"]);
    match matched["key"].as_str() {
        Some(key) => format!("{field} {key}"),
        None => field,
    }
}

/// The text around a hit, which stands in brackets.
fn excerpt(matched: &Value) -> String {
    let parts = matched["excerpt"].as_array().map(Vec::as_slice).unwrap_or_default();
    parts.iter().map(|part| if part["hit"] == true { format!("[{}]", text(&part["text"])) } else { text(&part["text"]) }).collect()
}

/// Prints the hits, newest first.
pub(super) async fn search(wanted: &SearchArguments, console: &mut Console<'_>) -> Result<(), Failure> {
    let server = Server::of(&wanted.server)?;
    lists::paged(&server, FOUND, wanted.query(), &wanted.rows, console).await
}
