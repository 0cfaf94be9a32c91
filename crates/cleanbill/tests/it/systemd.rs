//! A service manager: a socket that is told when `watch` has begun and when it ends.

use std::os::unix::net::UnixDatagram;
use std::time::Duration;

use rustix::process::Signal;

use crate::sandbox::Sandbox;

#[track_caller]
fn receive(socket: &UnixDatagram) -> String {
    let mut buffer = [0; 256];
    let length = socket.recv(&mut buffer).unwrap();
    String::from_utf8(buffer[..length].to_vec()).unwrap()
}

#[test]
fn it_is_told_when_watching_begins_and_ends() {
    let sandbox = Sandbox::new();
    let path = sandbox.path("notify");
    let socket = UnixDatagram::bind(&path).unwrap();
    // Only a failing test waits so long.
    socket
        .set_read_timeout(Some(Duration::from_secs(60)))
        .unwrap();
    // There is no engine: that is no reason not to begin.
    let watch = sandbox.start_with(
        [("NOTIFY_SOCKET", path.to_str().unwrap())],
        "watch --docker-host unix:///nowhere.sock --state-dir state --metrics-listen off --offline",
    );
    assert_eq!(receive(&socket).trim_end(), "READY=1");
    watch.signal(Signal::TERM);
    assert_eq!(receive(&socket).trim_end(), "STOPPING=1");
    watch.wait();
}
