//! Prometheus's own tool reads what is served.
//!
//! Needs `promtool`, named by `CLEANBILL_TEST_PROMTOOL`. Without it the test is skipped, unless
//! `CLEANBILL_TEST_REQUIRE_SERVICES=1` says that it must run.
#![expect(clippy::disallowed_methods, reason = "Prometheus's tool is a program")]

use std::io::Write as _;
use std::net::SocketAddr;
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::testing::world::World;
use crate::{MetricsServer, ask};

/// Returns the tool, or `None` if the test is to be skipped.
fn promtool() -> Option<String> {
    let variable = |name| std::env::var(name).ok().filter(|text| !text.is_empty());
    let found = variable("CLEANBILL_TEST_PROMTOOL");
    if found.is_none() {
        let is_required = variable("CLEANBILL_TEST_REQUIRE_SERVICES").is_some_and(|v| v == "1");
        assert!(!is_required, "CLEANBILL_TEST_PROMTOOL must be set");
        eprintln!("skipped: CLEANBILL_TEST_PROMTOOL is not set");
    }
    found
}

#[test]
fn service_promtool_has_nothing_to_say() {
    let Some(promtool) = promtool() else {
        return;
    };
    let world = World::new();
    let address = SocketAddr::from(([127, 0, 0, 1], 0));
    let server = MetricsServer::bind(address, world.settings()).unwrap();
    world.live_through_a_day();
    world.pass_time(2_000);
    let scrape = ask(server.address(), "/metrics", Duration::from_secs(60)).unwrap();
    assert_eq!(scrape.status, 200);
    let mut check = Command::new(promtool)
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = check.stdin.take().unwrap();
    stdin.write_all(scrape.text.as_bytes()).unwrap();
    drop(stdin);
    let output = check.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}\n{}", scrape.text);
    assert_eq!(said, "", "{}", scrape.text);
}
