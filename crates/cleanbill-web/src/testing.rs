//! What the tests of this crate share: a small reader of the exposition format, strict where
//! Prometheus is.

use std::collections::BTreeSet;

/// A scrape that was read.
#[derive(Debug, Default)]
pub(crate) struct Scrape {
    /// The names that have a TYPE, in their order.
    pub(crate) families: Vec<String>,
    pub(crate) series: Vec<Series>,
}

#[derive(Clone, Debug)]
pub(crate) struct Series {
    pub(crate) name: String,
    pub(crate) labels: Vec<(String, String)>,
    pub(crate) value: f64,
}

impl Scrape {
    /// Returns the value of a series; labels are written `name=value`, in their order.
    pub(crate) fn get(&self, name: &str, labels: &[&str]) -> Option<f64> {
        let found = self.series.iter().find(|series| {
            series.name == name
                && series
                    .labels
                    .iter()
                    .map(|(label, value)| format!("{label}={value}"))
                    .eq(labels.iter().map(|label| (*label).to_owned()))
        });
        found.map(|series| series.value)
    }
}

/// Reads a scrape.
#[track_caller]
pub(crate) fn parse(text: &str) -> Scrape {
    assert!(text.is_empty() || text.ends_with('\n'), "no end of line");
    let mut scrape = Scrape::default();
    let mut seen = BTreeSet::new();
    for line in text.split_terminator('\n') {
        if let Some(rest) = line.strip_prefix("# ") {
            let mut words = rest.splitn(3, ' ');
            let (what, name) = (words.next().unwrap(), words.next().unwrap());
            assert!(["HELP", "TYPE"].contains(&what), "{line}");
            if what == "TYPE" {
                assert!(["gauge", "counter", "histogram"].contains(&words.next().unwrap()));
                assert!(!scrape.families.iter().any(|family| family == name));
                scrape.families.push(name.to_owned());
            }
            continue;
        }
        let series = series(line);
        let key = format!("{} {:?}", series.name, series.labels);
        assert!(seen.insert(key), "twice: {line}");
        scrape.series.push(series);
    }
    scrape
}

fn series(line: &str) -> Series {
    let end = line.find(['{', ' ']).unwrap();
    let name = line[..end].to_owned();
    assert!(
        name.chars()
            .all(|char| char.is_ascii_alphanumeric() || char == '_'),
        "{line}"
    );
    let mut rest = &line[end..];
    let mut labels = Vec::new();
    if rest.starts_with('{') {
        while !rest.starts_with('}') {
            let equals = rest.find("=\"").unwrap();
            let label = rest[1..equals].to_owned();
            let (value, length) = quoted(&rest[equals + 2..]);
            labels.push((label, value));
            rest = &rest[equals + 2 + length..];
            assert!(rest.starts_with([',', '}']), "{line}");
        }
        rest = &rest[1..];
    }
    let value = rest.strip_prefix(' ').unwrap().parse().unwrap();
    Series {
        name,
        labels,
        value,
    }
}

/// Reads up to the closing quotation mark; returns the value and the bytes that were read.
fn quoted(text: &str) -> (String, usize) {
    let mut value = String::new();
    let mut chars = text.char_indices();
    while let Some((index, char)) = chars.next() {
        match char {
            '"' => return (value, index + 1),
            '\\' => match chars.next().unwrap().1 {
                'n' => value.push('\n'),
                char @ ('\\' | '"') => value.push(char),
                other => panic!("\\{other}"),
            },
            char => value.push(char),
        }
    }
    panic!("not closed: {text}")
}

/// A state in a directory of its own, with something of everything in it, and what belongs to it.
pub(crate) mod world {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicI64, Ordering};

    use cleanbill_core::change::{FindingKey, ImageState, KnownFinding};
    use cleanbill_core::problem::AssessmentStatus;
    use cleanbill_core::{Digest, Severity};
    use cleanbill_store::state::{
        Container, OutboxMessage, Scan, ScanCommit, SeenImage, StateStore,
    };

    use crate::{Live, MetricsSettings};

    pub(crate) const NOW: i64 = 1_795_329_000_000;

    /// A name as an engine would not let it be.
    pub(crate) const HOSTILE: &str = "evil\u{1b}[2J\"\\\n} 1\n# TYPE x:1";

    pub(crate) struct World {
        pub(crate) store: StateStore,
        pub(crate) live: Arc<Live>,
        pub(crate) now: Arc<AtomicI64>,
        pub(crate) directory: tempfile::TempDir,
    }

    impl World {
        /// Makes a state that is empty.
        pub(crate) fn new() -> Self {
            let directory = tempfile::tempdir().unwrap();
            Self {
                store: StateStore::open(directory.path(), NOW).unwrap().0,
                live: Arc::new(Live::new(NOW - 60_000)),
                now: Arc::new(AtomicI64::new(NOW)),
                directory,
            }
        }

        pub(crate) fn settings(&self) -> MetricsSettings {
            let (directory, live) = (self.directory.path().to_owned(), Arc::clone(&self.live));
            let now = Arc::clone(&self.now);
            let clock = Box::new(move || now.load(Ordering::Relaxed));
            let mut settings = MetricsSettings::new(directory, live, clock);
            settings.cache_directory = Some(self.directory.path().to_owned());
            settings.image_series_max = 3;
            settings
        }

        pub(crate) fn pass_time(&self, milliseconds: i64) {
            self.now.fetch_add(milliseconds, Ordering::Relaxed);
        }

        /// Lets happen what can: looks of every kind, a pass, messages of every kind.
        pub(crate) fn live_through_a_day(&self) {
            let names = ["app:1", "broken:1", HOSTILE, "unseen:1", "zeta:1"];
            let seen = names.map(|name| SeenImage {
                name: name.to_owned(),
                ..SeenImage::default()
            });
            self.store.image_seen(&seen, NOW).unwrap();
            let pass = self.store.pass_begin("schedule", NOW - 9_000).unwrap();
            self.look("app:1", AssessmentStatus::Complete, "schedule", 1_200);
            self.look("broken:1", AssessmentStatus::Failed, "schedule", 40);
            self.look(HOSTILE, AssessmentStatus::Partial, "event", 90_000);
            self.look("app:1", AssessmentStatus::Complete, "database", 0);
            self.store.pass_finish(pass, NOW - 5_000, 3, 0).unwrap();
            let container = Container {
                id: "c".to_owned(),
                ..Container::default()
            };
            self.store.container_replace(&[container]).unwrap();
            self.deliver();
            self.live.database(Some(NOW - 3_600_000));
            self.live.events_connected();
            self.live.engine_answered();
            self.live.pass_planned(Some(NOW + 1_000));
            self.live.channels(["mail".to_owned(), "ntfy".to_owned()]);
            self.live.tick(NOW);
        }

        fn deliver(&self) {
            let message = |channel: &str| OutboxMessage::new(channel, "m", Vec::new());
            let messages = [message("mail"), message("chat"), message("team")];
            let then = NOW - 30_000;
            let numbers = self.store.messages_commit(&[], &messages, then).unwrap();
            self.store.outbox_claim(None, then, 1_000, 10).unwrap();
            self.store
                .outbox_delivered(numbers[0], NOW - 20_000, "ok")
                .unwrap();
            self.store
                .outbox_retry(numbers[1], NOW - 20_000, "busy", NOW + 5_000)
                .unwrap();
            self.store
                .outbox_dead(numbers[2], NOW - 20_000, "gone")
                .unwrap();
        }

        pub(crate) fn look(
            &self,
            image: &str,
            status: AssessmentStatus,
            triggered_by: &str,
            duration_ms: u64,
        ) {
            let finding = |id: &str, severity| KnownFinding {
                key: FindingKey {
                    vulnerability_id: id.to_owned(),
                    kind: "debian".to_owned(),
                    package_name: "openssl".to_owned(),
                    package_path: String::new(),
                },
                severity,
                ..KnownFinding::default()
            };
            let findings = vec![
                finding("CVE-1", Severity::Critical),
                finding("CVE-2", Severity::Low),
                finding("CVE-3", Severity::Low),
            ];
            let image_id = Some(Digest::of(image.as_bytes()));
            let commit = ScanCommit {
                scan: Scan {
                    image: image.to_owned(),
                    image_id,
                    triggered_by: triggered_by.to_owned(),
                    started_at: NOW - 8_000,
                    duration_ms,
                    status,
                    counts: findings.iter().map(|one| one.severity).collect(),
                    ..Scan::default()
                },
                state: ImageState {
                    name: image.to_owned(),
                    image_id,
                    status,
                    findings,
                    ..ImageState::default()
                },
                changes: Vec::new(),
                inventory: None,
            };
            self.store.scan_commit(&commit).unwrap();
        }
    }
}
