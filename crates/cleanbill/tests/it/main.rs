//! End to end: the built program, as a user or a pipeline calls it.
//!
//! Every test has a [`sandbox::Sandbox`]: a directory of its own, a cleared environment, a cache
//! and a database that the test kit builds. There is no network but the loopback, no engine and no
//! registry; the tests whose path has `service` in it want real ones and say so when they skip.
#![expect(clippy::unwrap_used, clippy::print_stderr, reason = "tests may")]
#![expect(
    clippy::disallowed_methods,
    reason = "the program under test is a process"
)]

mod base;
mod baseline;
mod cache;
mod comment;
mod database;
mod database_update;
mod demo;
mod docs;
mod engine;
mod exceptions;
mod exit_codes;
mod explain;
mod exploitation;
mod filters;
mod flags;
mod gate;
mod health;
mod hostile;
mod http_server;
mod inputs;
mod interrupt;
mod java;
mod metrics;
mod notify;
mod oracle;
mod output;
mod registry;
mod report;
mod samples;
mod sandbox;
mod sbom;
mod service_docker;
mod service_formats;
mod service_registry;
mod service_sbom;
mod service_watch;
mod settings;
mod status;
mod systemd;
mod trivy_engine;
mod watch;
