//! Builds of the advisory database that differ a little, as those of two days do.

use cleanbill_testkit::AdvisoryDatabaseBuilder;
use serde_json::json;

/// Flawed packages that nothing but the benchmark of `watch` installs.
const FLAWS: usize = 1_000;

/// A build of the advisory database.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Edition {
    pub(super) name: &'static str,
    /// When it was built.
    pub(crate) updated_at: &'static str,
    /// It knows of the flawed packages.
    knows_flaws: bool,
    /// It has an advisory more, about a package that every image has.
    has_news: bool,
}

/// The one that `--judge` judges by.
pub(crate) const PLAIN: Edition = Edition {
    name: "plain",
    updated_at: "2026-11-21T06:00:00Z",
    knows_flaws: false,
    has_news: false,
};

/// The first of those that `--watch` judges by.
pub(crate) const FIRST: Edition = Edition {
    name: "first",
    updated_at: "2026-11-21T12:00:00Z",
    knows_flaws: true,
    has_news: false,
};

/// The next.
pub(crate) const SECOND: Edition = Edition {
    name: "second",
    updated_at: "2026-11-21T18:00:00Z",
    knows_flaws: true,
    has_news: true,
};

/// Those of `--watch`, in order.
pub(crate) const ALL: [Edition; 2] = [FIRST, SECOND];

/// Returns the name of a flawed package.
pub(crate) fn flawed_package(number: usize) -> String {
    format!("flawed-{:04}", number % FLAWS)
}

/// Returns the id of its flaw.
pub(crate) fn flaw(number: usize) -> String {
    format!("CVE-2099-{}", 10_000 + number % FLAWS)
}

impl Edition {
    /// Adds what this build has and the plain one has not.
    pub(super) fn add_to(self, mut builder: AdvisoryDatabaseBuilder) -> AdvisoryDatabaseBuilder {
        builder = builder.metadata(json!({
            "Version": 2,
            "NextUpdate": "2026-11-22T06:00:00Z",
            "UpdatedAt": self.updated_at,
            "DownloadedAt": "2026-11-21T19:00:00Z",
        }));
        if self.knows_flaws {
            for number in 0..FLAWS {
                let range = json!({"VulnerableVersions": ["<2"], "PatchedVersions": ["2"]});
                let bucket = "pip::GitHub Security Advisory pip";
                builder = builder
                    .advisory(bucket, &flawed_package(number), &flaw(number), range)
                    .vulnerability(&flaw(number), record());
            }
        }
        if self.has_news {
            let id = "CVE-2099-20000";
            builder = builder
                .advisory("debian 12", "coreutils", id, json!({"FixedVersion": "9:9"}))
                .vulnerability(id, record());
        }
        builder
    }
}

fn record() -> serde_json::Value {
    json!({
        "Title": "a made-up flaw",
        "Description": "A made-up description.",
        "Severity": "CRITICAL",
        "VendorSeverity": {"nvd": 4, "ghsa": 4},
        "PublishedDate": "2026-11-20T00:00:00Z",
    })
}
