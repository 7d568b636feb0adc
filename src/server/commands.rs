//! The socket in the data directory, by which commands of this program reach the running server.

use std::path::Path;

use axum::{Extension, Router};
use tokio_util::sync::CancellationToken;

use crate::api::FromOwner;
use crate::{data_directory, tasks};

/// Answers commands until `stop` is cancelled. If the data directory cannot have a socket, no command is answered.
pub(super) fn serve(data_directory: &Path, router: Router, stop: CancellationToken) {
    let listener = match data_directory::listen_for_commands(data_directory) {
        Ok(listener) => listener,
        Err(error) => {
            tracing::warn!(
                data.dir = %data_directory.display(),
                "`historyserver cleanup` cannot reach this server: no socket can be created in the data directory: {error}"
            );
            return;
        }
    };
    // It ends with the token, or with the process: then clients see that the connection ends.
    tasks::spawn(async move {
        let serving = axum::serve(listener, router.layer(Extension(FromOwner)));
        tokio::select! {
            () = stop.cancelled() => {}
            ended = serving => if let Err(error) = ended {
                tracing::warn!("`historyserver cleanup` can no longer reach this server: {error}");
            },
        }
    });
}
