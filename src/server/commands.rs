//! Commands of this program on the same data directory: they ask the running server by a socket in it.

use std::path::Path;

use axum::{Extension, Router};
use tokio_util::sync::CancellationToken;

use crate::api::FromOwner;
use crate::{data_directory, tasks};

/// Answers commands until `stop` is cancelled. Where the data directory takes no socket, there are none.
pub(super) fn serve(data_directory: &Path, router: Router, stop: CancellationToken) {
    let listener = match data_directory::listen_for_commands(data_directory) {
        Ok(listener) => listener,
        Err(error) => {
            tracing::warn!(
                data.dir = %data_directory.display(),
                "`historyserver cleanup` cannot ask this server: the data directory takes no socket: {error}"
            );
            return;
        }
    };
    // Ends with the token, or with the process: whoever asks sees the connection end.
    tasks::spawn(async move {
        let serving = axum::serve(listener, router.layer(Extension(FromOwner)));
        tokio::select! {
            () = stop.cancelled() => {}
            ended = serving => if let Err(error) = ended {
                tracing::warn!("commands are not answered any more: {error}");
            },
        }
    });
}
