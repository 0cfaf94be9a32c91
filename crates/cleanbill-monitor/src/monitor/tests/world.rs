//! A host, a clock and an advisory database, all made up.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard};

use cleanbill_core::inventory::ImageInventory;
use cleanbill_core::problem::{AssessmentStatus, Problem, ProblemKind};
use cleanbill_core::report::{ImageReport, ResultSet};
use cleanbill_core::vulnerability::Finding;
use cleanbill_core::{Digest, Package, Severity};
use cleanbill_engine::{Inventoried, KnownImage};
use cleanbill_policy::SeverityFilter;
use cleanbill_store::state::{PruneBudgets, StateStore};
use jiff::{SignedDuration, Timestamp};

use crate::host::{Grounds, Host, HostError, Look, StoredImage};
use crate::monitor::{Clock, JournalSettings, Monitor, MonitorSettings, Parts, Wakes};
use crate::notify::{ComposeSettings, Notification, NotificationKind, RouteRules, Timing};
use crate::schedule::Schedule;
use crate::watchlist::{
    LABEL_SEVERITY, ListedContainer, ListedImage, Listing, WatchRules, WatchedImage,
};

pub(super) struct World(Mutex<State>);

#[derive(Default)]
struct State {
    images: BTreeMap<String, MadeUpImage>,
    advisories: BTreeMap<String, (String, Severity)>,
    /// What the database of now says: it is another one when it is published.
    published: BTreeMap<String, (String, Severity)>,
    /// What the host has fetched.
    fetched: u64,
    database: u64,
    now: Timestamp,
    is_silent: bool,
    looks: u64,
    tidied: u64,
    lists: u64,
    rests: u64,
    told: usize,
    vanishing: Option<String>,
    containers: Vec<ListedContainer>,
}

#[derive(Clone)]
struct MadeUpImage {
    id: Digest,
    packages: Vec<(String, String)>,
    is_broken: bool,
}

impl World {
    pub(super) fn new() -> Self {
        Self(Mutex::new(State {
            now: "2026-11-22T00:00:00Z".parse().unwrap(),
            ..State::default()
        }))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }

    pub(super) fn put(&self, name: &str, content: u32, packages: &[(&str, &str)]) {
        let image = MadeUpImage {
            id: Digest::of(&content.to_be_bytes()),
            packages: packages
                .iter()
                .map(|(name, version)| ((*name).to_owned(), (*version).to_owned()))
                .collect(),
            is_broken: false,
        };
        self.state().images.insert(name.to_owned(), image);
    }

    pub(super) fn remove(&self, name: &str) {
        self.state().images.remove(name);
    }

    pub(super) fn break_image(&self, name: &str, is_broken: bool) {
        if let Some(image) = self.state().images.get_mut(name) {
            image.is_broken = is_broken;
        }
    }

    /// Starts a container that asks for severities of its own.
    pub(super) fn run(&self, name: &str, severities: &str) {
        let mut state = self.state();
        let container = ListedContainer {
            name: "web".to_owned(),
            image: name.to_owned(),
            image_id: state.images.get(name).map(|image| image.id),
            is_running: true,
            labels: [(LABEL_SEVERITY.to_owned(), severities.to_owned())].into(),
            ..ListedContainer::default()
        };
        state.containers.push(container);
    }

    pub(super) fn stop_containers(&self) {
        self.state().containers.clear();
    }

    pub(super) fn vanish_when_read(&self, name: &str) {
        self.state().vanishing = Some(name.to_owned());
    }

    /// Adds an advisory. The first database has it at once.
    pub(super) fn advise(&self, id: &str, package: &str, severity: Severity) {
        let mut state = self.state();
        state
            .advisories
            .insert(id.to_owned(), (package.to_owned(), severity));
        if state.database == 0 {
            state.published = state.advisories.clone();
        }
    }

    pub(super) fn withdraw(&self, id: &str) {
        self.state().advisories.remove(id);
    }

    /// Publishes a database with what was added.
    pub(super) fn publish(&self) {
        self.state().database += 1;
    }

    pub(super) fn silence(&self, is_silent: bool) {
        self.state().is_silent = is_silent;
    }

    pub(super) fn pass_time(&self, time: SignedDuration) {
        self.state().now += time;
    }

    pub(super) fn looks(&self) -> u64 {
        self.state().looks
    }

    /// Returns how often it was told to make room.
    pub(super) fn tidied(&self) -> u64 {
        self.state().tidied
    }

    /// Returns how often the images were listed.
    pub(super) fn lists(&self) -> u64 {
        self.state().lists
    }

    /// Returns how often it was told to rest.
    pub(super) fn rests(&self) -> u64 {
        self.state().rests
    }

    /// Returns what was found in an image by the database of now, by image, id and package.
    pub(super) fn truth(&self, filter: SeverityFilter) -> Vec<(String, String, String)> {
        let state = self.state();
        let mut truth = Vec::new();
        for (name, image) in &state.images {
            for (id, (package, severity)) in &state.published {
                let has = image.packages.iter().any(|(name, _)| name == package);
                if has && filter.passes(*severity) {
                    truth.push((name.clone(), id.clone(), package.clone()));
                }
            }
        }
        truth.sort();
        truth
    }

    pub(super) fn with_monitor(
        &self,
        store: &StateStore,
        settings: MonitorSettings,
        work: impl FnOnce(&mut Monitor<'_>),
    ) {
        let wakes = Wakes::default();
        let parts = Parts {
            host: self,
            store,
            clock: self,
            channels: &BTreeMap::new(),
            wakes: &wakes,
            observer: &crate::monitor::NoObserver,
            messages_ready: Box::new(|| ()),
        };
        let mut monitor = Monitor::new(parts, settings);
        work(&mut monitor);
    }

    /// Begins with another, empty outbox.
    pub(super) fn forget_told(&self) {
        self.state().told = 0;
    }

    /// Returns what messages in the outbox say that were not asked for before.
    pub(super) fn told(&self, store: &StateStore) -> Vec<String> {
        let mut rows = store.read().outbox_list(None, 1_000_000).unwrap();
        rows.reverse();
        let seen = std::mem::replace(&mut self.state().told, rows.len());
        rows.iter()
            .skip(seen)
            .flat_map(|row| words(&serde_json::from_slice(&row.payload).unwrap()))
            .collect()
    }
}

fn words(message: &Notification) -> Vec<String> {
    if message.kind == NotificationKind::Heartbeat {
        return vec![format!("heartbeat {}", message.totals.images)];
    }
    let mut words = Vec::new();
    for group in &message.vulnerabilities {
        for hit in &group.hits {
            let kind = serde_json::to_value(hit.happening).unwrap();
            let kind = kind.as_str().unwrap();
            words.push(format!("{kind} {} {} {}", group.id, hit.image, hit.cause));
        }
    }
    if message.totals.assessment_lost > 0 {
        let lost = message.failures.iter();
        words.extend(lost.map(|failure| format!("assessment_lost {}", failure.image)));
    }
    let regained = message.images.iter().filter(|image| image.is_regained);
    words.extend(regained.map(|image| format!("assessment_regained {}", image.image)));
    words.sort();
    words
}

/// Settings of a monitor that tells one channel at once.
pub(super) fn settings() -> MonitorSettings {
    MonitorSettings {
        schedule: Schedule::every(SignedDuration::from_hours(24)).unwrap(),
        rules: WatchRules::default(),
        severities: [Severity::High, Severity::Critical].into_iter().collect(),
        routes: RouteRules {
            channels: vec!["mail".to_owned()],
            routes: Vec::new(),
        },
        timing: Timing::default(),
        messages_per_hour: 1_000,
        compose: ComposeSettings::default(),
        heartbeat_every: None,
        refresh_every: SignedDuration::from_hours(1),
        subject_prefixes: BTreeMap::new(),
        journal: JournalSettings::default(),
        budgets: PruneBudgets::default(),
    }
}

impl Clock for World {
    fn now(&self) -> Timestamp {
        self.state().now
    }

    fn chance(&self) -> f64 {
        0.5
    }
}

impl Host for World {
    fn place(&self) -> String {
        "the made-up host".to_owned()
    }

    fn list(&self) -> Result<Listing, HostError> {
        let mut state = self.state();
        state.lists += 1;
        if state.is_silent {
            return Err(HostError::new("no answer"));
        }
        let images = state.images.iter().map(|(name, image)| ListedImage {
            name: name.clone(),
            id: image.id,
        });
        Ok(Listing {
            images: images.collect(),
            containers: state.containers.clone(),
        })
    }

    fn look(&self, watched: &WatchedImage) -> Look {
        let mut state = self.state();
        state.looks += 1;
        if state.vanishing.as_deref() == Some(watched.name.as_str()) {
            state.images.remove(&watched.name);
        }
        let Some(image) = state
            .images
            .get(&watched.name)
            .filter(|image| !image.is_broken)
        else {
            let report = ImageReport {
                status: AssessmentStatus::Failed,
                problems: vec![Problem::new(ProblemKind::ImageFailed, "unreadable")],
                ..ImageReport::default()
            };
            return Look {
                report,
                image: None,
            };
        };
        let stored = stored(image);
        let report = judge(&state, stored.clone().into_known(&watched.name));
        Look {
            report,
            image: Some(stored),
        }
    }

    fn judge(&self, name: &str, image: StoredImage) -> ImageReport {
        judge(&self.state(), image.into_known(name))
    }

    fn grounds(&self) -> Grounds {
        Grounds {
            database_updated_at: format!("2026-11-{:02}T00:00:00Z", self.state().fetched % 28 + 1),
            rules: "rules".to_owned(),
            reading: "reading".to_owned(),
        }
    }

    fn refresh(&self) -> Result<bool, HostError> {
        let mut state = self.state();
        let is_newer = state.fetched != state.database;
        state.fetched = state.database;
        if is_newer {
            state.published = state.advisories.clone();
        }
        Ok(is_newer)
    }

    fn tidy(&self) {
        self.state().tidied += 1;
    }

    fn rest(&self) {
        self.state().rests += 1;
    }

    fn follow(&self, _: &mut dyn FnMut()) -> Result<(), HostError> {
        Ok(())
    }
}

fn stored(image: &MadeUpImage) -> StoredImage {
    let packages = image.packages.iter().map(|(name, version)| Package {
        name: name.clone(),
        version: version.clone(),
        ..Package::default()
    });
    let inventory = ImageInventory {
        packages: packages.collect(),
        ..ImageInventory::default()
    };
    let mut known = KnownImage {
        name: String::new(),
        source: "docker".to_owned(),
        metadata: cleanbill_core::image::ImageMetadata::default(),
        inventoried: Inventoried {
            inventory,
            layer_sizes_bytes: Vec::new(),
        },
    };
    known.metadata.image_id = Some(image.id);
    known.into()
}

fn judge(state: &State, image: KnownImage) -> ImageReport {
    let packages = image.inventoried.inventory.packages;
    let mut findings = Vec::new();
    for (id, (package, severity)) in &state.published {
        for installed in packages
            .iter()
            .filter(|installed| installed.name == *package)
        {
            findings.push(Finding {
                vulnerability_id: id.clone(),
                package_name: installed.name.clone(),
                installed_version: installed.version.clone(),
                severity: *severity,
                ..Finding::default()
            });
        }
    }
    ImageReport {
        artifact_name: image.name,
        metadata: image.metadata,
        results: vec![ResultSet {
            kind: "debian".to_owned(),
            packages,
            findings,
            ..ResultSet::default()
        }],
        ..ImageReport::default()
    }
}
