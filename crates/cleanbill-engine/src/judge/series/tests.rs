use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::AtomicBool;

use cleanbill_advisories::Database;
use cleanbill_core::distro::{Distro, Family};
use cleanbill_core::image::ImageMetadata;
use cleanbill_core::inventory::{Application, ImageInventory};
use cleanbill_core::package::Package;
use cleanbill_testkit::AdvisoryDatabaseBuilder;
use jiff::Timestamp;

use super::*;
use crate::inventories::Inventoried;
use crate::judge::JudgeOptions;

const IMAGES: usize = 40;
const BROKEN: usize = 7;

fn database() -> Database {
    let builder = AdvisoryDatabaseBuilder::new()
        .advisory("debian 12", "openssl", "CVE-1", r#"{"FixedVersion":"3.0"}"#)
        .advisory("debian 12", "zlib", "CVE-2", "{}")
        .advisory(
            "npm::GitHub Security Advisory npm",
            "left-pad",
            "CVE-3",
            r#"{"VulnerableVersions":["<2.0.0"]}"#,
        )
        .vulnerability("CVE-1", r#"{"Title":"a flaw","Severity":"HIGH"}"#);
    Database::open_bytes(builder.database(), builder.metadata_json()).unwrap()
}

fn image(index: usize) -> KnownImage {
    let package = |name: &str, version: &str| Package {
        id: format!("{name}@{version}"),
        name: name.to_owned(),
        version: version.to_owned(),
        src_name: name.to_owned(),
        src_version: version.to_owned(),
        ..Package::default()
    };
    KnownImage {
        name: format!("image-{index}"),
        source: "docker".to_owned(),
        metadata: ImageMetadata::default(),
        inventoried: Inventoried {
            inventory: ImageInventory {
                distro: Some(Distro {
                    family: Family::new("debian"),
                    name: "12.5".to_owned(),
                    ..Distro::default()
                }),
                packages: vec![
                    package("openssl", &format!("{}.5", index % 5)),
                    package("zlib", "1.3"),
                ],
                applications: vec![Application {
                    kind: "node-pkg".to_owned(),
                    path: String::new(),
                    packages: vec![package("left-pad", &format!("{}.0.0", index % 3))],
                }],
                ..ImageInventory::default()
            },
            layer_sizes_bytes: Vec::new(),
        },
    }
}

struct Some40;

impl KnownImages for Some40 {
    type Error = &'static str;

    fn count(&self) -> usize {
        IMAGES
    }

    fn load(&self, index: usize) -> Result<KnownImage, &'static str> {
        if index == BROKEN {
            return Err("damaged");
        }
        Ok(image(index))
    }
}

#[derive(Default)]
struct Kept {
    outcomes: Mutex<BTreeMap<usize, Result<ImageReport, &'static str>>>,
    is_cancelled: AtomicBool,
    cancels_after: Option<usize>,
}

impl JudgeObserver<&'static str> for Kept {
    fn image_judged(&self, index: usize, outcome: Result<ImageReport, &'static str>) {
        let mut outcomes = self.outcomes.lock().unwrap();
        assert!(outcomes.insert(index, outcome).is_none(), "judged twice");
        if Some(outcomes.len()) == self.cancels_after {
            self.is_cancelled.store(true, Ordering::Relaxed);
        }
    }

    fn is_cancelled(&self) -> bool {
        self.is_cancelled.load(Ordering::Relaxed)
    }
}

fn judge_all(threads: usize, observer: &Kept) {
    let database = database();
    let judge = Judge {
        database: &database,
        options: &JudgeOptions::default(),
        now: Timestamp::UNIX_EPOCH,
    };
    judge.judge_all(&Some40, threads, observer);
}

fn ids(report: &ImageReport) -> Vec<&str> {
    let results = report.results.iter();
    let findings = results.flat_map(|result| &result.findings);
    findings.map(|finding| &*finding.vulnerability_id).collect()
}

#[test]
fn every_image_is_judged_as_if_it_were_alone() {
    let observer = Kept::default();
    judge_all(3, &observer);
    let outcomes = observer.outcomes.into_inner().unwrap();
    assert_eq!(outcomes.len(), IMAGES);
    for (index, outcome) in outcomes {
        let Ok(report) = outcome else {
            assert_eq!((index, outcome.err()), (BROKEN, Some("damaged")));
            continue;
        };
        // Nothing is remembered by a database that has judged nothing before.
        let database = database();
        let alone = Judge {
            database: &database,
            options: &JudgeOptions::default(),
            now: Timestamp::UNIX_EPOCH,
        };
        assert_eq!(report, alone.judge_known(image(index)));
        let mut expected = vec!["CVE-2"];
        if index % 5 < 3 {
            expected.insert(0, "CVE-1");
        }
        if index % 3 < 2 {
            expected.push("CVE-3");
        }
        assert_eq!(ids(&report), expected, "{index}");
    }
}

#[test]
fn no_image_is_begun_after_cancelling() {
    let observer = Kept {
        cancels_after: Some(5),
        ..Kept::default()
    };
    judge_all(1, &observer);
    assert_eq!(observer.outcomes.into_inner().unwrap().len(), 5);
}

#[test]
fn no_images_are_no_work() {
    struct Nothing;
    impl KnownImages for Nothing {
        type Error = &'static str;
        fn count(&self) -> usize {
            0
        }
        fn load(&self, _: usize) -> Result<KnownImage, &'static str> {
            unreachable!("there is none")
        }
    }
    let database = database();
    let judge = Judge {
        database: &database,
        options: &JudgeOptions::default(),
        now: Timestamp::UNIX_EPOCH,
    };
    let observer = Kept::default();
    judge.judge_all(&Nothing, 8, &observer);
    assert!(observer.outcomes.into_inner().unwrap().is_empty());
}
