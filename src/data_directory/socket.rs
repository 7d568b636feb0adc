//! The socket in the data directory by which commands of this program ask the running server. Only its user may use it.

use std::fs::{self, File, Permissions};
use std::io;
use std::os::fd::AsRawFd as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use rustix::fs::Mode;
use tokio::net::{UnixListener, UnixSocket, UnixStream};

const SOCKET: &str = "historyserver.sock";

/// Connections that may wait to be accepted.
const WAITING: u32 = 128;

/// Longest path, in bytes, that every system accepts as the address of a socket.
const MAX_ADDRESS_BYTES: usize = 100;

/// Listens in the data directory. Removes a socket that an earlier process left there: the caller owns the directory.
///
/// # Errors
/// The socket cannot be created: the file system does not support sockets, or cannot be written.
pub fn listen_for_commands(data_directory: &Path) -> io::Result<UnixListener> {
    let path = data_directory.join(SOCKET);
    match fs::remove_file(&path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let address = command_socket(data_directory)?;
    let socket = UnixSocket::new_stream()?;
    // On Linux the file takes the mode of the socket, so that others cannot connect for a moment either.
    rustix::fs::fchmod(&socket, Mode::RUSR | Mode::WUSR)?;
    socket.bind(address.path())?;
    fs::set_permissions(&path, Permissions::from_mode(0o600))?;
    socket.listen(WAITING)
}

/// Connects to the server that owns the data directory.
///
/// # Errors
/// No server listens there, or it belongs to another user.
pub async fn connect_to_server(data_directory: &Path) -> io::Result<UnixStream> {
    UnixStream::connect(command_socket(data_directory)?.path()).await
}

/// The path of the socket in a data directory, short enough for the address of a socket.
#[derive(Debug)]
pub struct CommandSocket {
    path: PathBuf,
    /// A path that is too long leads through the open directory instead.
    _directory: Option<File>,
}

impl CommandSocket {
    /// The path, valid for as long as `self` is kept.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }
}

/// The socket in this data directory, whether a server listens there or not.
///
/// # Errors
/// The directory cannot be opened.
pub fn command_socket(data_directory: &Path) -> io::Result<CommandSocket> {
    let path = data_directory.join(SOCKET);
    if path.as_os_str().len() <= MAX_ADDRESS_BYTES {
        return Ok(CommandSocket { path, _directory: None });
    }
    let directory = File::open(data_directory)?;
    let path = PathBuf::from(format!("/proc/self/fd/{}", directory.as_raw_fd())).join(SOCKET);
    Ok(CommandSocket { path, _directory: Some(directory) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn commands_reach_the_server_also_where_the_path_is_long_and_nobody_else_does() {
        let folder = tempfile::tempdir().unwrap();
        for data in [folder.path().join("data"), folder.path().join("d".repeat(150))] {
            fs::create_dir(&data).unwrap();
            assert!(connect_to_server(&data).await.is_err());
            drop(listen_for_commands(&data).unwrap());
            // As after a crash: the file is there, and nobody listens.
            assert!(connect_to_server(&data).await.is_err());
            let listener = listen_for_commands(&data).unwrap();
            let (connected, accepted) = tokio::join!(connect_to_server(&data), listener.accept());
            assert!(connected.is_ok() && accepted.is_ok());
            assert_eq!(fs::metadata(data.join(SOCKET)).unwrap().permissions().mode() & 0o777, 0o600);
        }
    }
}
