//! Reading of files and their state.

use std::sync::Arc;

use ::object_store::path::Path;
use ::object_store::{GetOptions, GetResult, GetResultPayload, ObjectMeta, Result};
use chrono::DateTime;
use futures::stream::{self, BoxStream, StreamExt};
use hdfs_native::client::FileStatus;

use super::client::{Clients, PIECE_LIMIT, limited};
use super::errors::{converted, generic, not_found};

/// Reads a file or its state.
pub(super) async fn get(clients: &Arc<Clients>, location: &Path, options: GetOptions) -> Result<GetResult> {
    let path = absolute(Some(location));
    let state = clients.call(|client| {
        let path = path.clone();
        async move { client.get_file_info(&path).await }
    });
    let status = state.await.map_err(converted)?;
    if status.isdir {
        return Err(not_found(&path));
    }
    let meta = meta(&status)?;
    options.check_preconditions(&meta)?;
    let whole = 0..meta.size;
    let range = options.range.map_or(Ok(whole), |range| range.as_range(meta.size)).map_err(|error| generic(error.to_string()))?;
    let payload =
        if options.head || range.is_empty() { stream::empty().boxed() } else { content(clients, &path, &meta, range.clone()).await? };
    Ok(GetResult {
        payload: GetResultPayload::Stream(payload),
        range: if options.head { 0..0 } else { range },
        meta,
        attributes: ::object_store::Attributes::default(),
        extensions: http::Extensions::default(),
    })
}

async fn content(
    clients: &Arc<Clients>,
    path: &str,
    meta: &ObjectMeta,
    range: std::ops::Range<u64>,
) -> Result<BoxStream<'static, Result<bytes::Bytes>>> {
    let opened = clients.call(|client| async move { client.read(path).await });
    let reader = opened.await.map_err(converted)?;
    if reader.file_length() as u64 != meta.size {
        return Err(generic("the file changed while it was opened, or is still being written"));
    }
    let (start, length) = (usize::try_from(range.start), usize::try_from(range.end - range.start));
    let (Ok(start), Ok(length)) = (start, length) else { return Err(generic("the file is too large for this machine")) };
    let pieces = reader.read_range_stream(start, length).map(|piece| piece.map_err(converted)).boxed();
    // A stream that ends early is an error, never a short file.
    Ok(stream::try_unfold((pieces, length), |(mut pieces, left)| async move {
        let next = limited(PIECE_LIMIT, async { pieces.next().await.transpose() }).await?;
        match next {
            Some(piece) => {
                let left = left.saturating_sub(piece.len());
                Ok(Some((piece, (pieces, left))))
            }
            None if left > 0 => Err(generic(format!("the file ends {left} bytes before its listed length"))),
            None => Ok(None),
        }
    })
    .boxed())
}

/// The state of a file. The tag is made of time and size, as by `hdfs-native-object-store`.
pub(super) fn meta(status: &FileStatus) -> Result<ObjectMeta> {
    let modified = i64::try_from(status.modification_time).ok().and_then(DateTime::from_timestamp_millis);
    Ok(ObjectMeta {
        location: location(&status.path),
        last_modified: modified.ok_or_else(|| generic(format!("{} has an impossible modification time", status.path)))?,
        size: status.length as u64,
        e_tag: Some(format!("{:x}-{:x}", status.modification_time, status.length)),
        version: None,
    })
}

/// The path of a key, or of the root.
pub(super) fn absolute(key: Option<&Path>) -> String {
    format!("/{}", key.map_or("", Path::as_ref))
}

/// The key of a path. Characters that no key can contain are encoded.
pub(super) fn location(path: &str) -> Path {
    Path::parse(path).unwrap_or_else(|_| Path::from(path))
}
