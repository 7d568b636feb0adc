//! Parsing and packing fetched archives, off the async threads.

use std::io;

use bytes::Bytes;
use futures::TryStreamExt as _;
use futures::stream::BoxStream;
use tokio_util::io::{StreamReader, SyncIoBridge};

use super::fetch::{ApplicationArchives, FetchedFile};
use crate::archive::{self, ArchiveLimits, DocumentSink, Owner, ReadError, SinkError};
use crate::directory::{Contents, DirectoryError, DirectoryErrorKind, FoundFile};
use crate::index::{IndexError, IndexWriter, Pack, StagedPack};
use crate::pack::{Packer, Part};
use crate::tasks;

/// Compressed bytes of a streamed archive in memory after which they are staged in the index.
const STAGE_AT: u64 = 4 << 20;

/// A file after it was fetched and read.
pub(super) struct ReadFile {
    pub(super) file: FoundFile,
    pub(super) result: Result<(archive::ParsedArchive, Pack), ReadFailure>,
}

/// Why a file could not be read.
#[derive(Debug, thiserror::Error)]
pub(super) enum ReadFailure {
    #[error("the file could not be fetched")]
    Fetch(#[from] DirectoryError),
    #[error("the content of the file is no archive")]
    Unreadable(archive::Unreadable),
    #[error("the index could not be written")]
    Index(#[from] IndexError),
}

/// Reads all files of a unit: those in memory in one blocking task, streams one after another.
pub(super) async fn read(archives: ApplicationArchives, limits: ArchiveLimits, writer: IndexWriter) -> Vec<ReadFile> {
    let mut done = Vec::new();
    let mut whole = Vec::new();
    let mut streams = Vec::new();
    for FetchedFile { file, owner, contents } in archives.summary.into_iter().chain(archives.jobs) {
        match contents {
            Ok(Contents::Whole(bytes)) => whole.push((file, owner, bytes)),
            Ok(Contents::Stream(stream)) => streams.push((file, owner, stream)),
            Err(error) => done.push(ReadFile { file, result: Err(ReadFailure::Fetch(error)) }),
        }
    }
    if !whole.is_empty() {
        let read = move || whole.into_iter().map(|(file, owner, bytes)| read_whole(file, owner, &bytes, &limits)).collect::<Vec<_>>();
        done.extend(tasks::spawn_blocking(read).await);
    }
    for (file, owner, stream) in streams {
        let writer = writer.clone();
        let runtime = tokio::runtime::Handle::current();
        done.push(tasks::spawn_blocking(move || read_streamed(file, owner, stream, &runtime, &limits, writer)).await);
    }
    done
}

fn read_whole(file: FoundFile, owner: Owner, bytes: &Bytes, limits: &ArchiveLimits) -> ReadFile {
    let mut sink = WholePack::default();
    let result = match archive::read_slice(bytes, owner, limits, &mut sink) {
        Ok(read) => Ok((read, Pack::Whole(sink.finish()))),
        Err(error) => Err(error.into()),
    };
    ReadFile { file, result }
}

fn read_streamed(
    file: FoundFile,
    owner: Owner,
    stream: BoxStream<'static, Result<Bytes, DirectoryError>>,
    runtime: &tokio::runtime::Handle,
    limits: &ArchiveLimits,
    writer: IndexWriter,
) -> ReadFile {
    let source = SyncIoBridge::new_with_handle(StreamReader::new(stream.map_err(io::Error::other)), runtime.clone());
    let mut sink = StagingPack { packer: Packer::default(), parts: Vec::new(), held: 0, staged: None, writer };
    let result = match archive::read_stream(source, owner, limits, &mut sink) {
        Ok(read) => sink.finish().map(|pack| (read, pack)).map_err(ReadFailure::Index),
        Err(error) => Err(error.into()),
    };
    ReadFile { file, result }
}

impl From<ReadError> for ReadFailure {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::Unreadable(unreadable) => Self::Unreadable(unreadable),
            ReadError::Source(error) => Self::Fetch(match error.downcast::<DirectoryError>() {
                Ok(error) => error,
                Err(error) => {
                    DirectoryError { kind: DirectoryErrorKind::Unavailable, message: format!("reading was interrupted: {error}") }
                }
            }),
            ReadError::Sink(SinkError(error)) => Self::Index(match error.downcast::<IndexError>() {
                Ok(error) => *error,
                Err(error) => IndexError::Failed(error.to_string()),
            }),
        }
    }
}

/// Packs the documents of an archive that is in memory.
#[derive(Default)]
struct WholePack {
    packer: Packer,
    parts: Vec<Part>,
}

impl WholePack {
    fn finish(mut self) -> Vec<Part> {
        self.parts.extend(self.packer.finish());
        self.parts
    }
}

impl DocumentSink for WholePack {
    fn document(&mut self, path: &str, json: &str) -> Result<(), SinkError> {
        self.parts.extend(self.packer.push(path, json.as_bytes()));
        Ok(())
    }
}

/// Packs the documents of a streamed archive, and stages full parts in the index while it is read.
struct StagingPack {
    packer: Packer,
    parts: Vec<Part>,
    held: u64,
    staged: Option<StagedPack>,
    writer: IndexWriter,
}

impl StagingPack {
    fn take(&mut self, parts: Vec<Part>) -> Result<(), IndexError> {
        self.held += parts.iter().map(Part::stored_bytes).sum::<u64>();
        self.parts.extend(parts);
        if self.held >= STAGE_AT { self.stage() } else { Ok(()) }
    }

    fn stage(&mut self) -> Result<(), IndexError> {
        self.held = 0;
        self.staged = Some(self.writer.stage(self.staged.take(), std::mem::take(&mut self.parts))?);
        Ok(())
    }

    fn finish(mut self) -> Result<Pack, IndexError> {
        self.parts.extend(std::mem::take(&mut self.packer).finish());
        if self.staged.is_some() {
            self.stage()?;
        }
        Ok(match self.staged {
            Some(staged) => Pack::Staged(staged),
            None => Pack::Whole(self.parts),
        })
    }
}

impl DocumentSink for StagingPack {
    fn document(&mut self, path: &str, json: &str) -> Result<(), SinkError> {
        let parts = self.packer.push(path, json.as_bytes());
        self.take(parts).map_err(|error| SinkError(Box::new(error)))
    }
}
