//! The soak: `watch` as a process beside a Docker engine, a mail server and a webhook of its own,
//! while images come and go, the engine restarts, the network is cut, the clock jumps, the disk is
//! full, and the process is killed (`kill -9`) again and again. In the end everybody knows what is
//! true, nothing was lost, and nothing that was acknowledged came twice.
//!
//! `CLEANBILL_SOAK_MINUTES=5 cargo test -p cleanbill --test soak -- --nocapture` as root; what is
//! needed and what is measured is in `docs/soak.md`. Without the variable the tests are skipped.
#![expect(clippy::unwrap_used, clippy::print_stderr, reason = "tests may")]
#![expect(
    clippy::disallowed_methods,
    reason = "the program under test and the servers are processes"
)]

mod clock;
mod disk;
mod engine;
mod figures;
mod ledger;
mod mail;
mod place;
mod program;
mod random;
mod relay;
mod sink;
mod soak;
mod stage;
mod strikes;
mod telling;
mod world;

use std::time::Duration;

use random::Random;

/// Says why something is not done; where services are required it must be done.
fn skip(reason: &str) {
    let is_required = std::env::var("CLEANBILL_TEST_REQUIRE_SERVICES").is_ok_and(|v| v == "1");
    assert!(!is_required, "{reason}");
    eprintln!("skipped: {reason}");
}

fn number(variable: &str) -> Option<u64> {
    let text = std::env::var(variable)
        .ok()
        .filter(|text| !text.is_empty())?;
    Some(
        text.parse()
            .unwrap_or_else(|_| panic!("{variable} is no number: {text}")),
    )
}

/// Returns how long to soak; `None` after saying why not.
fn duration() -> Option<Duration> {
    let Some(minutes) = number("CLEANBILL_SOAK_MINUTES") else {
        eprintln!("skipped: CLEANBILL_SOAK_MINUTES is not set");
        return None;
    };
    let programs = ["dockerd", "docker", "postfix", "setpriv", mail::PROGRAM];
    let missing: Vec<&str> = programs
        .into_iter()
        .filter(|name| !place::has(name))
        .collect();
    if !missing.is_empty() {
        skip(&format!("not installed: {}", missing.join(", ")));
        return None;
    }
    if !rustix::process::geteuid().is_root() {
        skip("the servers must be started as root");
        return None;
    }
    Some(Duration::from_secs(minutes * 60))
}

/// Returns the source of all chance, after printing how to have the same again.
fn chance() -> Random {
    let seed = number("CLEANBILL_SOAK_SEED")
        .unwrap_or_else(|| u64::from(std::process::id()) ^ uuid::Uuid::now_v7().as_u128() as u64);
    eprintln!("the same choices again: CLEANBILL_SOAK_SEED={seed}");
    Random::new(seed)
}

#[test]
fn service_no_alert_is_lost_or_repeated_whatever_happens() {
    if let Some(duration) = duration() {
        soak::run(duration, &mut chance());
    }
}

#[test]
fn service_killed_around_each_delivery_nothing_is_lost_or_repeated() {
    if duration().is_some() {
        let kills = number("CLEANBILL_SOAK_KILLS").unwrap_or(200);
        strikes::run(kills, &mut chance());
    }
}
