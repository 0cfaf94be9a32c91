//! What the tests of the state begin with.

use std::path::Path;

use cleanbill_core::change::{
    Cause, Change, ChangeKind, FindingKey, ImageState, KnownFinding, KnownPackage,
};
use cleanbill_core::problem::AssessmentStatus;
use cleanbill_core::{Digest, Severity};

use crate::state::*;

pub(super) const CHANNELS: [&str; 2] = ["mail", "chat"];

#[track_caller]
pub(super) fn open(directory: &Path) -> StateStore {
    StateStore::open(directory, 1_000).unwrap().0
}

/// Makes a directory in memory where there is such a place: many tests wait for the disk otherwise.
pub(super) fn scratch() -> tempfile::TempDir {
    tempfile::tempdir_in("/dev/shm").unwrap_or_else(|_| tempfile::tempdir().unwrap())
}

pub(super) fn finding(vulnerability_id: &str, package_name: &str) -> KnownFinding {
    KnownFinding {
        key: FindingKey {
            vulnerability_id: vulnerability_id.to_owned(),
            kind: "debian".to_owned(),
            package_name: package_name.to_owned(),
            package_path: String::new(),
        },
        installed_version: "1.0-1".to_owned(),
        severity: Severity::High,
        epss_score: Some(0.00042),
        ..KnownFinding::default()
    }
}

/// Makes what a look at an image leaves behind: these findings, all of them new.
pub(super) fn look(image: &str, findings: Vec<KnownFinding>, at: i64) -> ScanCommit {
    let mut findings = findings;
    findings.sort_by(|a, b| a.key.cmp(&b.key));
    let changes = findings.iter().map(|finding| change(image, finding));
    let image_id = Some(Digest::of(image.as_bytes()));
    ScanCommit {
        changes: changes.collect(),
        scan: Scan {
            image: image.to_owned(),
            image_id,
            triggered_by: "schedule".to_owned(),
            started_at: at,
            duration_ms: 12,
            database_updated_at: "2026-11-22T06:30:00Z".to_owned(),
            counts: findings.iter().map(|finding| finding.severity).collect(),
            ..Scan::default()
        },
        state: ImageState {
            name: image.to_owned(),
            image_id,
            distro: "debian 12.5".to_owned(),
            status: AssessmentStatus::Complete,
            database_updated_at: "2026-11-22T06:30:00Z".to_owned(),
            rules: "3".to_owned(),
            packages: vec![KnownPackage {
                kind: "debian".to_owned(),
                name: "openssl".to_owned(),
                version: "3.0".to_owned(),
                ..KnownPackage::default()
            }],
            findings,
            ..ImageState::default()
        },
        inventory: None,
    }
}

pub(super) fn change(image: &str, finding: &KnownFinding) -> Change {
    Change {
        image: image.to_owned(),
        kind: ChangeKind::New,
        cause: Cause::FirstSeen,
        finding: Some(finding.clone()),
    }
}

pub(super) fn message(channel: &str, id: &str, changes: &[ChangeId]) -> OutboxMessage {
    OutboxMessage {
        changes: changes.to_vec(),
        ..OutboxMessage::new(channel, id, b"payload".to_vec())
    }
}
