//! Reading of objects, at once or in chunks.

use ::object_store::{GetOptions, GetRange, ObjectMeta, ObjectStoreExt};
use bytes::{Bytes, BytesMut};
use futures::stream::{self, BoxStream, StreamExt, TryStreamExt};
use std::sync::Arc;

use super::Inner;
use crate::directory::error::DirectoryError;
use crate::directory::pieces::Piece;
use crate::directory::{Contents, MAX_CHUNK};
use crate::names::FilePath;

/// Minimum bytes of a chunk except the last one, since networks deliver small pieces.
const MIN_CHUNK: usize = 256 << 10;

pub(super) async fn read(store: &Arc<Inner>, file: &FilePath, whole_up_to: u64) -> Result<Contents, DirectoryError> {
    let key = store.key(file)?;
    let failed = {
        let (store, file) = (Arc::clone(store), file.clone());
        move |error: ::object_store::Error| store.failed("read", file.as_str(), &error)
    };
    let object = store.store.get(&key).await.map_err(&failed)?;
    if object.meta.size <= whole_up_to {
        return object.bytes().await.map(Contents::Whole).map_err(failed);
    }
    Ok(Contents::Stream(even(object.into_stream().map_err(failed).boxed())))
}

/// Reads a piece of an object by one request.
pub(super) async fn read_piece(store: &Arc<Inner>, file: &FilePath, position: u64, max_bytes: usize) -> Result<Piece, DirectoryError> {
    let key = store.key(file)?;
    let failed = |error: ::object_store::Error| store.failed("read", file.as_str(), &error);
    if position == 0 {
        // An empty object has no valid range.
        let meta = store.store.head(&key).await.map_err(failed)?;
        if meta.size == 0 {
            return Ok(Piece { bytes: Bytes::new(), size: 0, stamp: stamp(&meta) });
        }
    }
    let range = GetRange::Bounded(position..position.saturating_add(max_bytes as u64));
    let piece = store.store.get_opts(&key, GetOptions { range: Some(range), ..GetOptions::default() }).await.map_err(failed)?;
    let (size, stamp) = (piece.meta.size, stamp(&piece.meta));
    Ok(Piece { bytes: piece.bytes().await.map_err(failed)?, size, stamp })
}

/// Identifies the version of an object.
fn stamp(meta: &ObjectMeta) -> String {
    meta.e_tag.clone().unwrap_or_else(|| meta.last_modified.timestamp_millis().to_string())
}

/// Chunks of between 256 KiB and 1 MiB, from chunks of any size.
fn even(chunks: BoxStream<'static, Result<Bytes, DirectoryError>>) -> BoxStream<'static, Result<Bytes, DirectoryError>> {
    stream::try_unfold((chunks, Bytes::new()), |(mut chunks, mut rest)| async move {
        if rest.len() < MIN_CHUNK {
            let mut gathered = BytesMut::new();
            while rest.len() + gathered.len() < MIN_CHUNK {
                match chunks.try_next().await? {
                    // A large chunk is passed on without a copy.
                    Some(chunk) if rest.is_empty() && gathered.is_empty() && chunk.len() >= MIN_CHUNK => rest = chunk,
                    Some(chunk) => {
                        if gathered.is_empty() {
                            gathered.reserve(MIN_CHUNK + chunk.len());
                            gathered.extend_from_slice(&rest);
                            rest.clear();
                        }
                        gathered.extend_from_slice(&chunk);
                    }
                    None => break,
                }
            }
            if !gathered.is_empty() {
                rest = gathered.freeze();
            }
        }
        if rest.is_empty() {
            return Ok(None);
        }
        let chunk = rest.split_to(rest.len().min(MAX_CHUNK));
        Ok(Some((chunk, (chunks, rest))))
    })
    .boxed()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn chunks_of_any_size_become_even_ones_with_the_same_content() {
        for sizes in [vec![], vec![1], vec![0, 5, 0], vec![1000; 1000], vec![5 << 20], vec![300_000, 1, 3 << 20, 7], vec![1, 300_000, 1]] {
            let mut counter = 0_u32;
            let chunks: Vec<Bytes> = sizes
                .iter()
                .map(|size| {
                    (0..*size)
                        .map(|_| {
                            counter = counter.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                            counter.to_be_bytes()[0]
                        })
                        .collect()
                })
                .collect();
            let content = chunks.concat();
            let even: Vec<Bytes> = even(stream::iter(chunks.into_iter().map(Ok)).boxed()).try_collect().await.unwrap();
            assert_eq!(even.concat(), content, "{sizes:?}");
            assert!(even.iter().all(|chunk| !chunk.is_empty() && chunk.len() <= MAX_CHUNK), "{sizes:?}");
            assert!(even.len() <= 1 + sizes.len() + content.len() / MIN_CHUNK, "{sizes:?}");
        }
    }

    #[tokio::test]
    async fn an_error_in_the_middle_is_passed_on() {
        let broken = DirectoryError::unavailable("broken");
        let chunks = stream::iter([Ok(Bytes::from(vec![0; 2 << 20])), Err(broken.clone())]).boxed();
        let mut even = even(chunks);
        assert_eq!(even.next().await.unwrap().unwrap().len(), MAX_CHUNK);
        assert_eq!(even.next().await.unwrap().unwrap().len(), MAX_CHUNK);
        assert_eq!(even.next().await.unwrap().unwrap_err(), broken);
    }
}
