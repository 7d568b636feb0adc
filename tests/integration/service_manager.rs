//! The server below systemd: its notifications, and the unit of the package.

use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::process::Command;

use crate::support::process::{PATIENCE, Process, command, copy_of};

/// The socket of a service manager.
struct Manager {
    socket: UnixDatagram,
}

impl Manager {
    fn bind(path: &Path) -> Self {
        let socket = UnixDatagram::bind(path).unwrap();
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        Self { socket }
    }

    fn next(&self) -> String {
        let mut state = [0; 256];
        let length = self.socket.recv(&mut state).expect("a notification");
        String::from_utf8_lossy(&state[..length]).trim_end().to_owned()
    }
}

#[test]
fn the_server_reports_that_it_is_ready_alive_and_stopping() {
    let folder = tempfile::tempdir().unwrap();
    let archives = copy_of("flink-2.2.1", folder.path());
    let manager = Manager::bind(&folder.path().join("notify"));
    let mut command = command(&[&archives], &folder.path().join("data"), &[]);
    command.env("NOTIFY_SOCKET", folder.path().join("notify")).env("WATCHDOG_USEC", "200000");
    let mut server = Process::spawn(command);
    assert_eq!(manager.next(), "READY=1");
    assert_eq!([manager.next(), manager.next()], ["WATCHDOG=1", "WATCHDOG=1"]);
    assert!(server.terminate().success());
    let last = std::iter::repeat_with(|| manager.next()).find(|state| state != "WATCHDOG=1").unwrap();
    assert_eq!(last, "STOPPING=1");
}

#[test]
fn the_unit_is_valid_and_its_exposure_is_low() {
    let unit = Path::new(env!("CARGO_MANIFEST_DIR")).join("packaging/systemd/historyserver.service");
    let checked = Command::new("systemd-analyze").args(["security", "--offline=true", "--threshold=15"]).arg(&unit).output().unwrap();
    assert!(checked.status.success(), "{}{}", String::from_utf8_lossy(&checked.stdout), String::from_utf8_lossy(&checked.stderr));
    // `verify` also checks that the program exists, so it gets one that does.
    let folder = tempfile::tempdir().unwrap();
    let copy = folder.path().join("historyserver.service");
    let text = std::fs::read_to_string(&unit).unwrap().replace("/usr/bin/historyserver", env!("CARGO_BIN_EXE_historyserver"));
    std::fs::write(&copy, text).unwrap();
    let checked = Command::new("systemd-analyze").args(["verify", "--man=no"]).arg(&copy).output().unwrap();
    let said = String::from_utf8_lossy(&checked.stderr);
    assert!(checked.status.success() && !said.contains("historyserver.service"), "{said}");
}
