//! The lists: `/applications/overview`, `/jobs/overview` and `/jobs`.
//!
//! Each is made once per generation of the index and scope of clients, by one request while the others wait for it, and kept compressed: at 100,000
//! applications 19 MB of text are 2 MB in memory. Clients that take gzip get it as it is kept; for others it is unpacked while it is sent.
//! The tag is the generation, so a poll that finds nothing new reads no rows.

use std::fmt::Write as _;
use std::ops::ControlFlow;
use std::sync::{Arc, PoisonError};

use axum::http::HeaderMap;

use crate::api::flink::list_cache::{List, Made};
use crate::api::http::budget::Budget;
use crate::api::http::conditional::Tag;
use crate::api::http::deflate::ANSWERS;
use crate::api::http::encoding::{Encoding, negotiate};
use crate::api::http::error::ApiError;
use crate::api::http::gzip;
use crate::api::http::represent::Representation;
use crate::api::state::Shared;
use crate::archive::{OverviewForm, has_newer_members};

use crate::index::{Generation, OverviewList, ScopedReader};

/// Answers with a list.
pub(in crate::api) async fn answer(shared: &Shared, list: List, request: &HeaderMap) -> Result<Representation, ApiError> {
    let encoding = negotiate(request);
    let generation = shared.scoped().generation();
    let tag = Tag::of_generation(list.kind(), generation, shared.scope());
    if let Some(unchanged) = Representation::unchanged(request, &tag, encoding) {
        return Ok(unchanged);
    }
    let made = made(shared, list, generation).await?;
    let (length, body) = match encoding {
        Encoding::Gzip => (made.kept.packed_length(), made.kept.packed()),
        Encoding::Identity => (made.kept.length(), made.kept.unpacked(&shared.options.budget)),
    };
    Ok(Representation::new(Tag::of_generation(list.kind(), made.generation, shared.scope()), encoding, Some(length), body))
}

/// The list, at this generation or a later one.
async fn made(shared: &Shared, list: List, wanted: Generation) -> Result<Arc<Made>, ApiError> {
    let kept = shared.lists.of(list, shared.scope());
    // Locked while the list is made: other requests wait for it and take it.
    let mut kept = kept.lock().await;
    if let Some(made) = kept.as_ref().filter(|made| made.generation.index == wanted.index && made.generation.number >= wanted.number) {
        return Ok(Arc::clone(made));
    }
    // Dropped first, so that this cache never holds two of them.
    *kept = None;
    let reader = shared.scoped();
    let made = Arc::new(match list {
        List::Applications => applications(&shared.options.budget, &reader).await?,
        List::Jobs => jobs(&shared.options.budget, &reader, shared.options.job_overview).await?,
        List::JobIds => job_ids(&shared.options.budget, &reader).await?,
    });
    *kept = Some(Arc::clone(&made));
    Ok(made)
}

/// Makes the list of applications.
async fn applications(budget: &Budget, reader: &ScopedReader) -> Result<Made, ApiError> {
    let head = "{\"applications\":[";
    let (writer, generation) = overview(reader, OverviewList::Applications, head, |writer, row| {
        writer.row(row);
        ControlFlow::Continue(())
    })
    .await?;
    writer.finish(budget, generation)
}

/// Makes the list of jobs. Without a form it has the archived members only, as long as clients of Flink 1.17 and 1.18 can read that.
async fn jobs(budget: &Budget, reader: &ScopedReader, form: Option<OverviewForm>) -> Result<Made, ApiError> {
    let head = "{\"jobs\":[";
    if form.is_none() {
        let (writer, generation) = overview(reader, OverviewList::Jobs, head, |writer, row| {
            if has_newer_members(row) {
                writer.refused = true;
                return ControlFlow::Break(());
            }
            writer.row(row);
            ControlFlow::Continue(())
        })
        .await?;
        if !writer.refused {
            return writer.finish(budget, generation);
        }
    }
    let form = form.unwrap_or(OverviewForm::Flink2);
    let (writer, generation) = overview(reader, OverviewList::Jobs, head, move |writer, row| {
        writer.row(&form.of(row));
        ControlFlow::Continue(())
    })
    .await?;
    writer.finish(budget, generation)
}

/// Writes a merged overview: `row` takes each object.
async fn overview(
    reader: &ScopedReader,
    list: OverviewList,
    head: &str,
    row: impl Fn(&mut Writer, &str) -> ControlFlow<()> + Send + 'static,
) -> Result<(Writer, Generation), ApiError> {
    let writer = Arc::new(std::sync::Mutex::new(Writer::new(head)));
    let rows = Arc::clone(&writer);
    let take = move |object: &str| row(&mut rows.lock().unwrap_or_else(PoisonError::into_inner), object);
    let generation = reader.overview(list, take).await?;
    let writer = std::mem::replace(&mut *writer.lock().unwrap_or_else(PoisonError::into_inner), Writer::new(""));
    Ok((writer, generation))
}

/// Makes the list of ids and states.
async fn job_ids(budget: &Budget, reader: &ScopedReader) -> Result<Made, ApiError> {
    // Asked before: should a change come between, the list is made once more than needed, never once too few.
    let generation = reader.generation();
    let ids = reader.job_ids().await?;
    let budget = budget.clone();
    ANSWERS
        .run(move || {
            let mut writer = Writer::new("{\"jobs\":[");
            let mut row = String::new();
            for (id, status) in ids {
                row.clear();
                let _ = write!(row, "{{\"id\":\"{id}\",\"status\":{}}}", serde_json::Value::String(status));
                writer.row(&row);
            }
            writer.finish(&budget, generation)
        })
        .await
}

/// Writes a list of JSON objects, compressed.
struct Writer {
    text: gzip::KeptWriter,
    rows: u64,
    /// Whether a row was met that may not be in this list.
    refused: bool,
    /// The first failure; what comes after it is not written.
    failed: Option<std::io::Error>,
}

impl Writer {
    fn new(head: &str) -> Self {
        let mut writer = Self { text: gzip::KeptWriter::new(), rows: 0, refused: false, failed: None };
        writer.push(head);
        writer
    }

    fn row(&mut self, row: &str) {
        if self.rows > 0 {
            self.push(",");
        }
        self.push(row);
        self.rows += 1;
    }

    fn push(&mut self, text: &str) {
        if self.failed.is_none() {
            self.failed = self.text.push(text.as_bytes()).err();
        }
    }

    fn finish(mut self, budget: &Budget, generation: Generation) -> Result<Made, ApiError> {
        self.push("]}");
        let kept = match self.failed {
            Some(error) => Err(error),
            None => self.text.finish(budget),
        };
        let kept = kept.map_err(|error| ApiError::internal(format!("compressing a list failed: {error}")))?;
        Ok(Made { generation, kept })
    }
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt as _;

    use super::*;

    async fn written(rows: &[&str]) -> (String, u64) {
        let mut writer = Writer::new("{\"jobs\":[");
        for row in rows {
            writer.row(row);
        }
        let budget = Budget::default();
        let made = writer.finish(&budget, Generation { index: 1, number: 1 }).unwrap();
        assert_eq!(budget.used(), made.kept.packed_length());
        let text = made.kept.unpacked(&budget).collect().await.unwrap().to_bytes();
        (String::from_utf8(text.to_vec()).unwrap(), made.kept.length())
    }

    #[tokio::test]
    async fn rows_are_joined_and_counted() {
        for (rows, expected) in [
            (&[][..], "{\"jobs\":[]}"),
            (&["{\"a\":1}"], "{\"jobs\":[{\"a\":1}]}"),
            (&["{\"a\":1}", "{}", "{\"é\":2}"], "{\"jobs\":[{\"a\":1},{},{\"é\":2}]}"),
        ] {
            let (text, length) = written(rows).await;
            assert_eq!(text, expected);
            assert_eq!(length, expected.len() as u64);
        }
    }
}
