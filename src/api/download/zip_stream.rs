//! A zip file that is sent while it is written.

use std::io::{self, Write};
use std::mem;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use tokio::sync::mpsc;
use zip::write::{SimpleFileOptions, StreamWriter};
use zip::{CompressionMethod, ZipWriter};

use crate::clock::Millis;
use crate::tasks;

/// Archives are text: most of what can be gained is gained at this level.
const LEVEL: i64 = 3;

/// What was written and not yet sent: the writer of zip files does not give back what it writes to before its end.
#[derive(Clone, Default)]
struct Written(Arc<Mutex<Vec<u8>>>);

impl Written {
    fn take(&self) -> Vec<u8> {
        mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Write for Written {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

type Writer = ZipWriter<StreamWriter<Written>>;

/// Writes files one after another to a channel that the client empties. After an error it is of no more use.
pub(super) struct ZipStream {
    /// `None` after an error.
    writer: Option<Box<Writer>>,
    written: Written,
    chunks: mpsc::Sender<io::Result<Bytes>>,
}

impl ZipStream {
    pub(super) fn new(chunks: mpsc::Sender<io::Result<Bytes>>) -> Self {
        let written = Written::default();
        Self { writer: Some(Box::new(ZipWriter::new_stream(written.clone()))), written, chunks }
    }

    /// Begins a file of any size.
    pub(super) async fn begin(&mut self, name: &str, modified: Millis) -> io::Result<()> {
        let mut options = SimpleFileOptions::default()
            .compression_method(CompressionMethod::Deflated)
            .compression_level(Some(LEVEL))
            .large_file(true)
            .unix_permissions(0o644);
        if let Some(time) = zip_time(modified) {
            options = options.last_modified_time(time);
        }
        let name = name.to_owned();
        self.step(move |writer| Ok(writer.start_file(name, options)?)).await
    }

    /// Goes on with the file.
    pub(super) async fn write(&mut self, bytes: Bytes) -> io::Result<()> {
        self.step(move |writer| writer.write_all(&bytes)).await
    }

    /// Ends the zip file.
    pub(super) async fn finish(mut self) -> io::Result<()> {
        let writer = self.writer.take().ok_or_else(failed)?;
        tasks::spawn_blocking(move || writer.finish()).await?;
        self.send().await
    }

    /// Compresses off the async threads, then sends what came of it.
    async fn step(&mut self, step: impl FnOnce(&mut Writer) -> io::Result<()> + Send + 'static) -> io::Result<()> {
        let mut writer = self.writer.take().ok_or_else(failed)?;
        let writer = tasks::spawn_blocking(move || step(&mut writer).map(|()| writer)).await?;
        self.writer = Some(writer);
        self.send().await
    }

    async fn send(&self) -> io::Result<()> {
        let written = self.written.take();
        if written.is_empty() {
            return Ok(());
        }
        let gone = |_| io::Error::new(io::ErrorKind::BrokenPipe, "the client went away");
        self.chunks.send(Ok(Bytes::from(written))).await.map_err(gone)
    }
}

fn failed() -> io::Error {
    io::Error::other("the zip file could not be written before")
}

/// As zip files tell times: to two seconds, in UTC, from 1980 to 2107.
fn zip_time(time: Millis) -> Option<zip::DateTime> {
    use chrono::{Datelike as _, Timelike as _};
    let time = chrono::DateTime::from_timestamp_millis(time)?;
    let [month, day, hour, minute, second] =
        [time.month(), time.day(), time.hour(), time.minute(), time.second()].map(|number| u8::try_from(number).unwrap_or_default());
    zip::DateTime::from_date_and_time(u16::try_from(time.year()).ok()?, month, day, hour, minute, second).ok()
}
