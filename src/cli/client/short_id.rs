//! Ids of which only the first digits are given.

use std::collections::BTreeMap;

use super::Failure;
use super::arguments::ID_DIGITS;
use super::lists::text;
use super::printable::printable;
use super::server::Server;

/// Limit of the candidates that a message names.
const MAX_NAMED: usize = 5;

/// The whole id of an application or a job of which `digits` are the first.
///
/// # Errors
/// No id begins with them, or more than one.
pub(super) async fn whole_id(server: &Server, list: &str, digits: &str) -> Result<String, Failure> {
    if digits.len() == ID_DIGITS {
        return Ok(digits.to_owned());
    }
    let kind = list.trim_end_matches('s');
    let mut candidates = BTreeMap::new();
    let mut cursor = None;
    loop {
        let mut query = vec![("q", digits.to_owned()), ("in", "id".to_owned()), ("limit", "100".to_owned())];
        query.extend(cursor.iter().map(|cursor: &String| ("cursor", cursor.clone())));
        let page = server.json("search", &query).await?;
        let items = page["items"].as_array().map(Vec::as_slice).unwrap_or_default();
        let of_kind = items.iter().filter(|item| item["kind"] == kind).map(|item| (text(&item["id"]), text(&item["name"])));
        candidates.extend(of_kind.filter(|(id, _)| id.starts_with(digits)));
        cursor = page["next"].as_str().map(str::to_owned);
        if cursor.is_none() || candidates.len() > MAX_NAMED {
            break;
        }
    }
    let mut ids = candidates.keys();
    match (ids.next(), ids.next()) {
        (Some(id), None) => Ok(id.clone()),
        (None, _) => Err(Failure::not_found(format!("No {kind} has an id that begins with `{digits}`."))),
        (Some(_), Some(_)) => {
            let named = candidates.iter().take(MAX_NAMED).map(|(id, name)| format!("\n  {id}  {}", printable(name, false)));
            let more = if candidates.len() > MAX_NAMED { "\n  and more" } else { "" };
            Err(Failure::usage(format!(
                "More than one {kind} has an id that begins with `{digits}`: give more digits.{}{more}",
                named.collect::<String>()
            )))
        }
    }
}
