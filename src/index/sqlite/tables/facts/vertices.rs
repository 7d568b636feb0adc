//! Vertices as stored: JSON with the names that Flink gives them, which the dictionary of documents knows, compressed.

use crate::clock::Timestamp;

use serde::{Deserialize, Serialize};

use crate::archive::facts::{IoFacts, VertexFacts};
use crate::index::error::IndexError;
use crate::index::sqlite::store::sqlite_error::SqliteError;
use crate::pack;

/// Maximum bytes of the JSON. Further vertices are left out; they are only in the archived document.
const MOST_BYTES: usize = 256 << 10;

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Stored {
    id: String,
    name: String,
    #[serde(rename = "maxParallelism", default, skip_serializing_if = "Option::is_none")]
    max_parallelism: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    parallelism: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    status: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    start_time: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    end_time: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    duration: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    read_bytes: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    write_bytes: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    read_records: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    write_records: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    accumulated_backpressured_time: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    accumulated_idle_time: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    accumulated_busy_time: Option<i64>,
}

impl From<&VertexFacts> for Stored {
    fn from(vertex: &VertexFacts) -> Self {
        Self {
            id: vertex.id.clone(),
            name: vertex.name.clone(),
            max_parallelism: vertex.max_parallelism,
            parallelism: vertex.parallelism,
            status: vertex.status.clone(),
            start_time: vertex.start,
            end_time: vertex.end,
            duration: vertex.duration,
            read_bytes: vertex.io.read_bytes,
            write_bytes: vertex.io.write_bytes,
            read_records: vertex.io.read_records,
            write_records: vertex.io.write_records,
            accumulated_backpressured_time: vertex.backpressured,
            accumulated_idle_time: vertex.idle,
            accumulated_busy_time: vertex.busy,
        }
    }
}

impl From<Stored> for VertexFacts {
    fn from(stored: Stored) -> Self {
        Self {
            id: stored.id,
            name: stored.name,
            status: stored.status,
            parallelism: stored.parallelism,
            max_parallelism: stored.max_parallelism,
            start: stored.start_time,
            end: stored.end_time,
            duration: stored.duration,
            io: IoFacts {
                read_bytes: stored.read_bytes,
                write_bytes: stored.write_bytes,
                read_records: stored.read_records,
                write_records: stored.write_records,
            },
            busy: stored.accumulated_busy_time,
            idle: stored.accumulated_idle_time,
            backpressured: stored.accumulated_backpressured_time,
        }
    }
}

/// Vertices as they are stored; `None` if there are none.
pub(super) fn write(vertices: &[VertexFacts]) -> Result<Option<Vec<u8>>, SqliteError> {
    let mut text = String::new();
    for vertex in vertices {
        let json = serde_json::to_string(&Stored::from(vertex)).map_err(|error| IndexError::Failed(error.to_string()))?;
        if text.len() + json.len() + 2 > MOST_BYTES {
            break;
        }
        text.push(if text.is_empty() { '[' } else { ',' });
        text.push_str(&json);
    }
    if text.is_empty() {
        return Ok(None);
    }
    text.push(']');
    Ok(Some(pack::pack_text(&text)))
}

/// The inverse of [`write`].
pub(in crate::index::sqlite) fn read(stored: Option<&[u8]>) -> Result<Vec<VertexFacts>, SqliteError> {
    let Some(stored) = stored else { return Ok(Vec::new()) };
    let text = pack::unpack_text(stored)?;
    let vertices: Vec<Stored> =
        serde_json::from_str(&text).map_err(|error| IndexError::Damaged(format!("the vertices of a job cannot be read: {error}")))?;
    Ok(vertices.into_iter().map(Into::into).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn vertex(name: String) -> VertexFacts {
        VertexFacts {
            id: "id".to_owned(),
            name,
            duration: Some(0),
            io: IoFacts { read_bytes: Some(7), ..IoFacts::default() },
            ..VertexFacts::default()
        }
    }

    #[test]
    fn vertices_come_back_and_what_is_absent_stays_so() {
        let vertices = vec![vertex("söurce \"a\"".to_owned()), vertex(String::new()), VertexFacts::default()];
        let stored = write(&vertices).ok().unwrap();
        assert_eq!(read(stored.as_deref()).ok().unwrap(), vertices);
        assert_eq!(write(&[]).ok().unwrap(), None);
        assert_eq!(read(None).ok().unwrap(), []);
    }

    #[test]
    fn more_than_fits_is_left_out() {
        let vertices: Vec<_> = (0..1_000).map(|_| vertex("v".repeat(1_000))).collect();
        let kept = read(write(&vertices).ok().unwrap().as_deref()).ok().unwrap();
        assert!((200..300).contains(&kept.len()), "{}", kept.len());
        assert!(kept == vertices[..kept.len()]);
    }
}
