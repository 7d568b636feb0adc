//! A zip file that is sent while it is written, no faster than it is taken.

use std::io;

use bytes::Bytes;
use tokio::sync::mpsc;

use super::zip_format::ZipFormat;
use crate::api::http::budget::{Budget, Room, SMALL};
use crate::api::http::deflate::{self, Effort, FILES};
use crate::clock::Timestamp;

/// Writes files one after another to a channel that the client empties.
pub(super) struct ZipStream {
    format: ZipFormat,
    /// Text that is too short to be compressed by itself.
    short: Vec<u8>,
    chunks: mpsc::Sender<io::Result<Bytes>>,
    budget: Budget,
}

impl ZipStream {
    pub(super) fn new(chunks: mpsc::Sender<io::Result<Bytes>>, budget: Budget) -> Self {
        Self { format: ZipFormat::default(), short: Vec::new(), chunks, budget }
    }

    /// Waits until the client has taken the pieces before, and returns the room for the next one.
    pub(super) async fn room(&self, max: usize) -> io::Result<Room> {
        // This is the only sender: the reserved place stays free.
        drop(self.chunks.reserve().await.map_err(|_closed| disconnected())?);
        Ok(self.budget.piece(max))
    }

    /// Begins a file of about so many bytes, after the end of the one before.
    pub(super) async fn begin(&mut self, name: &str, modified: Timestamp, size: u64) -> io::Result<()> {
        self.end().await?;
        let head = self.format.begin(name, modified, size);
        self.send(head.into()).await
    }

    /// Goes on with the file.
    pub(super) async fn write(&mut self, text: Bytes) -> io::Result<()> {
        if self.short.len() + text.len() <= SMALL {
            self.short.extend_from_slice(&text);
            return Ok(());
        }
        self.pack_short().await?;
        self.pack(text).await
    }

    /// Ends the zip file.
    pub(super) async fn finish(mut self) -> io::Result<()> {
        self.end().await?;
        let end = std::mem::take(&mut self.format).finish();
        self.send(end.into()).await
    }

    async fn end(&mut self) -> io::Result<()> {
        self.pack_short().await?;
        let ended = self.format.end()?;
        if ended.is_empty() { Ok(()) } else { self.send(ended.into()).await }
    }

    async fn pack_short(&mut self) -> io::Result<()> {
        if self.short.is_empty() {
            return Ok(());
        }
        let short = std::mem::take(&mut self.short);
        self.pack(short.into()).await
    }

    /// Compresses on other threads, then sends the result.
    async fn pack(&mut self, text: Bytes) -> io::Result<()> {
        let mut format = std::mem::take(&mut self.format);
        let (format, packed) = FILES
            .run(move || {
                let packed = deflate::segment(&text, Effort::Some)?;
                format.note(&text, &packed);
                io::Result::Ok((format, packed))
            })
            .await?;
        self.format = format;
        self.send(packed.into()).await
    }

    async fn send(&self, made: Bytes) -> io::Result<()> {
        let made = self.budget.piece(0).holding(made);
        self.chunks.send(Ok(made)).await.map_err(|_closed| disconnected())
    }
}

fn disconnected() -> io::Error {
    io::Error::new(io::ErrorKind::BrokenPipe, "the client went away")
}
