//! `applications download` and `jobs download`: the only client commands that write a file.

use std::io;
use std::path::{Path, PathBuf};

use futures::StreamExt as _;
use tokio::fs;
use tokio::io::AsyncWriteExt as _;

use super::arguments::DownloadArguments;
use super::server::Server;
use super::short_id::whole_id;
use super::{Console, Failure};

/// Saves the archive files of an application or a job. The file gets its name when it is complete.
pub(super) async fn archive(list: &str, wanted: &DownloadArguments, console: &mut Console<'_>) -> Result<(), Failure> {
    let to_stdout = wanted.file.as_deref() == Some(Path::new("-"));
    if to_stdout && console.terminal {
        return Err(Failure::usage("A zip file cannot be printed to a terminal: name a file with --file FILE."));
    }
    let server = Server::of(&wanted.server)?;
    let id = whole_id(&server, list, &wanted.copy.id).await?;
    let file = wanted.file.clone().unwrap_or_else(|| PathBuf::from(format!("{id}.zip")));
    if !to_stdout && !wanted.force && fs::try_exists(&file).await.unwrap_or(false) {
        return Err(Failure::failed(format!(
            "The file {} already exists: --force replaces it, --file FILE names another file.",
            file.display()
        )));
    }
    let answer = server.get(&format!("{list}/{id}/archive"), &wanted.copy.query()).await?;
    let rebuilt = answer.headers().get("historyserver-rebuilt-archives").and_then(|value| value.to_str().ok()).unwrap_or("0").to_owned();
    if to_stdout {
        let mut chunks = answer.bytes_stream();
        while let Some(chunk) = chunks.next().await {
            console.out.write_all(&chunk.map_err(|error| server.unanswered(&error))?)?;
        }
    } else {
        let part = PathBuf::from(format!("{}.part", file.display()));
        let saved = save(&server, answer, &part, &file).await;
        if saved.is_err() {
            // Where nothing was written there is nothing to remove.
            let _ = fs::remove_file(&part).await;
        }
        let bytes = saved?;
        writeln!(console.notes, "{}: {bytes} bytes", file.display())?;
    }
    if rebuilt != "0" {
        writeln!(
            console.notes,
            "Some archive files are missing from their archive directory and were rebuilt from their documents: the zip file has a file NAME.rebuilt.txt for each."
        )?;
    }
    Ok(())
}

async fn save(server: &Server, answer: reqwest::Response, part: &Path, file: &Path) -> Result<u64, Failure> {
    let failed = |error: io::Error| Failure::failed(format!("The file {} cannot be written: {error}.", file.display()));
    let mut target = fs::File::create(part).await.map_err(failed)?;
    let mut bytes = 0;
    let mut chunks = answer.bytes_stream();
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk.map_err(|error| server.unanswered(&error))?;
        target.write_all(&chunk).await.map_err(failed)?;
        bytes += chunk.len() as u64;
    }
    target.sync_all().await.map_err(failed)?;
    fs::rename(part, file).await.map_err(failed)?;
    Ok(bytes)
}
