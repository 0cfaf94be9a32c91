//! What each call of the older launcher is now.

use std::path::Path;

/// An argument of the older launcher.
pub(super) struct OlderCall {
    /// As it was given to `run.py`, with an example of its value.
    pub(super) older: &'static str,
    /// As it is given to `cleanbill watch`; empty if there is nothing to give.
    pub(super) ours: &'static str,
    /// Why, where they differ.
    pub(super) note: &'static str,
}

const fn call(older: &'static str, ours: &'static str, note: &'static str) -> OlderCall {
    OlderCall { older, ours, note }
}

/// Every argument of the older launcher and of its scanner.
///
/// Source: the older tool's `run.py` and scanner, as `docs/migration.md` lists them.
pub(super) const CALLS: &[OlderCall] = &[
    call("--once", "--once", ""),
    call("-1", "-1", ""),
    call(
        "--interval 3600",
        "--interval 3600",
        "also 1h, or a cron expression",
    ),
    call("--severity HIGH,CRITICAL", "--severity HIGH,CRITICAL", ""),
    call(
        "--extra-trivy-args '--scanners vuln'",
        "--extra-trivy-args '--scanners vuln'",
        "runs an installed Trivy; without it the native engine finds the same",
    ),
    call(
        "--smtp-host mail.example.com",
        "--smtp-host mail.example.com",
        "",
    ),
    call("--smtp-port 587", "--smtp-port 587", ""),
    call("--smtp-user scanner", "--smtp-user scanner", ""),
    call(
        "--smtp-pass SECRET",
        "--smtp-pass SECRET",
        "every user of the host can read it; better SMTP_PASS_FILE, or a secret file",
    ),
    call(
        "--smtp-from scanner@example.com",
        "--smtp-from scanner@example.com",
        "",
    ),
    call(
        "--smtp-to ops@example.com",
        "--smtp-to ops@example.com",
        "also repeated",
    ),
    call("--smtp-tls false", "--smtp-tls false", ""),
    call("--smtp-starttls false", "--smtp-starttls false", ""),
    call(
        "--smtp-subject-prefix '[Scan]'",
        "--smtp-subject-prefix '[Scan]'",
        "",
    ),
    call(
        "--snapshot-dir ./snapshots",
        "--snapshot-dir ./snapshots",
        "",
    ),
    call("--save-snapshot", "--save-snapshot", ""),
    call(
        "--image alpine:3.20",
        "--image alpine:3.20",
        "also repeated",
    ),
    call("--env-file ./.env", "--env-file ./.env", ""),
    call("--no-build", "", "there is no image to build"),
    call(
        "--docker-bin /usr/bin/docker",
        "",
        "the engine is asked at its socket; another one: --docker-host",
    ),
];

/// Prints the calls with a configuration file.
pub(super) fn report(configuration: &Path) -> String {
    let shown = configuration.display().to_string();
    let shown = shlex::try_quote(&shown).map_or(shown.clone(), |quoted| quoted.into_owned());
    let width = CALLS.iter().map(|call| call.older.len()).max().unwrap_or(0);
    let mut text = format!(
        "\nStart it:\n  cleanbill watch --config {shown}\n\nWhat was given to run.py is now given to \
         that:\n"
    );
    for OlderCall { older, ours, note } in CALLS {
        let ours = if ours.is_empty() { "(nothing)" } else { ours };
        let note = if note.is_empty() {
            String::new()
        } else {
            format!("   # {note}")
        };
        text.push_str(&format!("  {older:width$}  {ours}{note}\n"));
    }
    text
}
