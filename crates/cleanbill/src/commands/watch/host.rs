//! The host as it is: a local engine, the advisory database on disk.

use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::{Duration, Instant, SystemTime};

use cleanbill_advisories::{Database, Exploitation};
use cleanbill_core::Digest;
use cleanbill_core::problem::AssessmentStatus;
use cleanbill_core::report::ImageReport;
use cleanbill_engine::{ScanOptions, Scanner, SilentObserver, failed_report};
use cleanbill_image::docker::EngineNews;
use cleanbill_image::{Image, ImageError, LocalImages, ReadContext};
use cleanbill_inventory::EXTRACTORS_VERSION;
use cleanbill_monitor::notify::ExpiringException;
use cleanbill_monitor::{
    Grounds, Host, HostError, ListedContainer, ListedImage, Listing, Look, StoredImage,
    WatchedImage,
};
use cleanbill_store::LayerCache;
use jiff::Timestamp;

use crate::cli::{Extra, ListArgs, ScanArgs};
use crate::commands::java_index::ScanIndex;
use crate::commands::scan::{self, Policy, Sources, Target, TrivyEngine};
use crate::commands::{Setting, advisory_database, exploitation};
use crate::error::CommandError;
use crate::exit::Exit;
use crate::settings::WatchSettings;
use crate::stop;

/// Lists of exploited vulnerabilities are published once a day.
const LIST_AGE_MAX: Duration = Duration::from_secs(24 * 60 * 60);

/// Events that change neither images nor which containers run. Health checks make many.
const NOISE: [&str; 7] = [
    "exec_",
    "health_status",
    "top",
    "attach",
    "resize",
    "save",
    "push",
];

/// How often it is looked whether a look takes too long.
const TIMEOUT_POLL: Duration = Duration::from_millis(50);

/// Watches the images of an engine.
pub(super) struct EngineHost<'a> {
    setting: &'a Setting,
    settings: &'a WatchSettings,
    arguments: &'a ScanArgs,
    context: ReadContext,
    cache: LayerCache,
    /// Connects when asked.
    sources: Mutex<Option<Arc<Sources>>>,
    judging: RwLock<Option<Arc<Judging>>>,
    trivy: Option<TrivyEngine>,
    /// Trivy is at work.
    runs_trivy: AtomicBool,
    /// Times that somebody saw it at work.
    seen_at_work: AtomicU64,
    /// When the files of the database were written that was opened last, or could not be.
    tried: Mutex<Option<SystemTime>>,
}

/// What images are judged by: all of it is replaced at once.
struct Judging {
    database: Database,
    exploitation: Exploitation,
    policy: Policy,
    grounds: Grounds,
}

impl<'a> EngineHost<'a> {
    /// Reads the settings; nothing is connected yet. Once `is_over` is set, whatever is read stops.
    ///
    /// # Errors
    ///
    /// A value makes no sense, or the Trivy engine is asked for and is not there.
    pub(super) fn new(
        setting: &'a Setting,
        settings: &'a WatchSettings,
        arguments: &'a ScanArgs,
        is_over: Arc<AtomicBool>,
    ) -> Result<Self, CommandError> {
        let options = scan::scan_options(arguments, Timestamp::now())?;
        let trivy = trivy(setting, arguments)?;
        Ok(Self {
            setting,
            settings,
            arguments,
            context: ReadContext {
                limits: options.extract.limits,
                cancelled: is_over,
                ..ReadContext::default()
            },
            cache: scan::open_cache(setting)?,
            sources: Mutex::default(),
            judging: RwLock::default(),
            trivy,
            runs_trivy: AtomicBool::new(false),
            seen_at_work: AtomicU64::new(0),
            tried: Mutex::new(None),
        })
    }

    /// Finds out whether images can be scanned this way: reads the files that are named, looks for
    /// the Trivy that is asked for.
    ///
    /// # Errors
    ///
    /// What stands in the way.
    pub(super) fn try_out(setting: &Setting, arguments: &ScanArgs) -> Result<(), CommandError> {
        scan::scan_options(arguments, Timestamp::now())?;
        trivy(setting, arguments)?;
        Policy::new(&arguments.filter, &arguments.verdict, Timestamp::now()).map(drop)
    }

    /// Returns a number that is another when a look got further. A Trivy that runs is believed to:
    /// it says nothing of how far it is, and ends after a timeout of its own.
    pub(super) fn progress(&self) -> u64 {
        let is_at_work = self.runs_trivy.load(Ordering::Relaxed);
        let seen = self
            .seen_at_work
            .fetch_add(u64::from(is_at_work), Ordering::Relaxed);
        let read = self.context.bytes_read.load(Ordering::Relaxed);
        read.wrapping_add(seen)
    }

    /// Opens the advisory database, after fetching a newer one where that is due and allowed.
    ///
    /// # Errors
    ///
    /// There is no usable database: exit code 4.
    pub(super) fn open_database(&self) -> Result<bool, CommandError> {
        // Looked at before it is opened: what is written meanwhile is noticed the next time, and
        // one that cannot be used is not tried again before it is another.
        *self.tried() = self.database_written();
        let database = advisory_database::obtain(
            self.setting,
            &self.arguments.database,
            &self.arguments.registry.network,
            &self.context,
        )?;
        self.update_lists();
        let exploitation = exploitation::open(self.setting, self.arguments, false)?;
        let policy = Policy::new(
            &self.arguments.filter,
            &self.arguments.verdict,
            Timestamp::now(),
        )?;
        let grounds = Grounds {
            database_updated_at: database.metadata().updated_at.to_string(),
            rules: self.rules(&exploitation, &policy)?,
            reading: self.reading(),
        };
        let judging = Judging {
            database,
            exploitation,
            policy,
            grounds,
        };
        let mut current = self.judging.write().unwrap_or_else(PoisonError::into_inner);
        let is_other = current
            .as_ref()
            .is_some_and(|current| current.grounds != judging.grounds);
        *current = Some(Arc::new(judging));
        Ok(is_other)
    }

    /// Says whether somebody else has put another advisory database in the place of the one that was
    /// opened last, or could not be. It is said once of each.
    pub(super) fn has_other_database(&self) -> bool {
        let written = self.database_written();
        let mut tried = self.tried();
        let is_other = written.is_some() && written != *tried;
        if is_other {
            *tried = written;
        }
        is_other
    }

    fn tried(&self) -> MutexGuard<'_, Option<SystemTime>> {
        self.tried.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn database_written(&self) -> Option<SystemTime> {
        let place = &self.arguments.database.place;
        let store = advisory_database::store(self.setting, place).ok()?;
        let metadata = store.directory().join("metadata.json");
        std::fs::metadata(metadata).ok()?.modified().ok()
    }

    /// Fetches the lists of exploited vulnerabilities that the settings ask for, once a day. What
    /// cannot be had is missing; what is there stays.
    fn update_lists(&self) {
        let settings = &self.settings.database;
        if settings.is_offline || settings.skips_update {
            return;
        }
        let lists = ListArgs {
            epss_url: settings.epss_url.clone(),
            kev_url: settings.kev_url.clone(),
        };
        for (is_wanted, extra) in [
            (settings.fetches_epss, Extra::Epss),
            (settings.fetches_kev, Extra::Kev),
        ] {
            let Some(list) = exploitation::List::of(extra).filter(|_| is_wanted) else {
                continue;
            };
            if let Err(error) = self.update_list(list, &lists) {
                tracing::warn!("{}", error.one_line());
            }
        }
    }

    fn update_list(
        &self,
        list: &exploitation::List,
        arguments: &ListArgs,
    ) -> Result<(), CommandError> {
        let store = advisory_database::store(self.setting, &self.arguments.database.place)?;
        if list.is_fresh(&store, LIST_AGE_MAX) {
            return Ok(());
        }
        let network = &self.arguments.registry.network;
        list.update(self.setting, &store, arguments, network, &self.context)
            .map(|done| tracing::info!("{}", done.trim_end()))
    }

    /// Returns exit code 4 if the advisory database is older than the settings allow.
    pub(super) fn age_verdict(&self) -> Exit {
        let Some(judging) = self.judging() else {
            return Exit::Database;
        };
        let metadata = judging.database.metadata();
        match scan::too_old(&self.arguments.verdict, metadata, Timestamp::now()) {
            None => Exit::Clean,
            Some(age) => {
                tracing::error!(
                    "the advisory database is {} h old, --max-db-age allows less",
                    age.as_hours()
                );
                Exit::Database
            }
        }
    }

    fn judging(&self) -> Option<Arc<Judging>> {
        let judging = self.judging.read().unwrap_or_else(PoisonError::into_inner);
        judging.clone()
    }

    /// Says what else determines the findings: equal texts mean equal rules.
    fn rules(&self, exploitation: &Exploitation, policy: &Policy) -> Result<String, CommandError> {
        let filter = &self.arguments.filter;
        let mut text = format!(
            "{:?} {:?} {:?} {:?} {:?}",
            filter.ignore_unfixed,
            filter.ignore_status,
            exploitation.epss_date(),
            exploitation.kev_release(),
            self.arguments.detection.vuln_severity_source,
        );
        // Time alone makes an exception count no more.
        text.push_str(&policy.expired());
        let files = filter
            .ignorefile
            .iter()
            .chain(&filter.exceptions.exceptions)
            .cloned()
            .chain(filter.vex.iter().map(Into::into));
        for file in files {
            text.push_str(&digest_of(&file)?);
        }
        Ok(Digest::of(text.as_bytes()).to_string())
    }

    /// Says what made the inventories.
    fn reading(&self) -> String {
        let detection = &self.arguments.detection;
        let text = format!(
            "{:?} {:?} {:?} {:?}",
            detection.skip_dirs,
            detection.skip_files,
            detection.pkg_types,
            detection.detection_priority
        );
        format!(
            "{EXTRACTORS_VERSION}-{}",
            Digest::of(text.as_bytes()).to_hex()
        )
    }

    fn options(&self) -> Result<ScanOptions, CommandError> {
        scan::scan_options(self.arguments, Timestamp::now())
    }

    fn sources(&self) -> Result<Arc<Sources>, CommandError> {
        let mut sources = lock(&self.sources);
        if let Some(sources) = sources.as_ref() {
            return Ok(Arc::clone(sources));
        }
        let made = Arc::new(Sources::new(self.setting, self.arguments, &self.context)?);
        *sources = Some(Arc::clone(&made));
        Ok(made)
    }

    /// Does something with the engine: the first one that ever answered, for as long as the
    /// program runs. Another one has other images.
    fn with_engine<T>(
        &self,
        work: impl FnOnce(&LocalImages) -> Result<T, ImageError>,
    ) -> Result<T, HostError> {
        let sources = self
            .sources()
            .map_err(|error| HostError::new(error.one_line()))?;
        sources.engine().and_then(work).map_err(HostError::new)
    }

    /// Looks at an image for as long as the settings allow.
    fn look_natively(&self, judging: &Judging, image: &WatchedImage) -> Look {
        let Some(timeout) = self.settings.scan.timeout else {
            return match self.sources() {
                Ok(sources) => self.look_from(&sources, &self.context, judging, image),
                Err(error) => failed(image, &HostError::new(error.one_line())),
            };
        };
        let context = ReadContext {
            cancelled: Arc::default(),
            ..self.context.clone()
        };
        let sources = match Sources::new(self.setting, self.arguments, &context) {
            Ok(sources) => sources,
            Err(error) => return failed(image, &HostError::new(error.one_line())),
        };
        let is_done = AtomicBool::new(false);
        let until = Instant::now() + timeout;
        std::thread::scope(|scope| {
            scope.spawn(|| {
                while !is_done.load(Ordering::Relaxed) {
                    let is_over = self.context.check().is_err() || Instant::now() >= until;
                    if is_over {
                        context.cancelled.store(true, Ordering::Relaxed);
                        return;
                    }
                    std::thread::sleep(TIMEOUT_POLL);
                }
            });
            let look = self.look_from(&sources, &context, judging, image);
            is_done.store(true, Ordering::Relaxed);
            if context.check().is_err() && look.report.status == AssessmentStatus::Failed {
                let text = format!("gave up after {} s (--timeout)", timeout.as_secs_f64());
                return failed(image, &HostError::new(text));
            }
            look
        })
    }

    /// Opens an image and finds out what is installed in it, then judges it.
    fn look_from(
        &self,
        sources: &Sources,
        context: &ReadContext,
        judging: &Judging,
        image: &WatchedImage,
    ) -> Look {
        let options = match self.options() {
            Ok(options) => options,
            Err(error) => return failed(image, &HostError::new(error.one_line())),
        };
        let opened = sources.engine().and_then(|engine| match image.id {
            Some(id) => engine.open(&id.to_string()),
            None => engine.open(&image.name),
        });
        let opened = match opened {
            Ok(opened) => Image {
                name: image.name.clone(),
                ..opened
            },
            Err(error) => return failed(image, &error),
        };
        let network = &self.arguments.registry.network;
        let java_index = ScanIndex::new(self.setting, &self.arguments.database, network, context);
        let scanner = Scanner::new(&self.cache, &judging.database, &options, &SilentObserver)
            .with_java_index(&java_index);
        match scanner.inventory(&opened) {
            Ok(known) => Look {
                image: Some(StoredImage::from(known.clone())),
                report: judging.finish(scanner.judge_known(known)),
            },
            Err(report) => Look {
                report: *report,
                image: None,
            },
        }
    }

    fn look_with_trivy(
        &self,
        trivy: &TrivyEngine,
        judging: &Judging,
        image: &WatchedImage,
    ) -> Look {
        let target = match image.id {
            Some(id) => Target::Listed {
                name: image.name.clone(),
                id: id.to_string(),
            },
            None => Target::Image(image.name.clone()),
        };
        let report = match self.sources() {
            Ok(sources) => {
                self.runs_trivy.store(true, Ordering::Relaxed);
                let report = trivy.scan(&sources, &target);
                self.runs_trivy.store(false, Ordering::Relaxed);
                report
            }
            Err(error) => failed_report(&image.name, &HostError::new(error.one_line())),
        };
        Look {
            report: judging.finish(report),
            image: None,
        }
    }
}

impl Judging {
    /// Adds what is known of exploitation, and applies exceptions.
    fn finish(&self, mut report: ImageReport) -> ImageReport {
        for result in &mut report.results {
            self.exploitation.fill(&mut result.findings);
        }
        // Nobody asks which exceptions were used, so those who judge at the same time do not wait.
        self.policy.apply_aside(&mut report);
        report
    }
}

impl Host for EngineHost<'_> {
    fn place(&self) -> String {
        self.with_engine(|engine| Ok(engine.place()))
            .unwrap_or_else(|_| "the local engine".to_owned())
    }

    fn list(&self) -> Result<Listing, HostError> {
        self.with_engine(|engine| {
            let containers = match engine {
                LocalImages::Engine(engine) => engine.list_containers()?,
                LocalImages::Containerd(_) | LocalImages::Podman(_) => Vec::new(),
            };
            let containers: Vec<ListedContainer> = containers
                .into_iter()
                .map(|container| ListedContainer {
                    name: container.name,
                    id: container.id,
                    image: container.image,
                    image_id: container.image_id,
                    is_running: container.is_running,
                    labels: container.labels,
                })
                .collect();
            let mut images = Vec::new();
            for image in engine.list_images(true)? {
                let is_run = || {
                    let runs = |container: &ListedContainer| {
                        container.is_running && container.image_id == Some(image.id)
                    };
                    containers.iter().any(runs)
                };
                // An image without a tag matters only while something runs it.
                let names = match image.tags.is_empty() {
                    false => image.tags.clone(),
                    true if is_run() => vec![image.name()],
                    true => Vec::new(),
                };
                images.extend(
                    names
                        .into_iter()
                        .map(|name| ListedImage { name, id: image.id }),
                );
            }
            Ok(Listing { images, containers })
        })
    }

    fn look(&self, image: &WatchedImage) -> Look {
        let Some(judging) = self.judging() else {
            return failed(image, &HostError::new("there is no advisory database yet"));
        };
        match &self.trivy {
            Some(trivy) => self.look_with_trivy(trivy, &judging, image),
            None => self.look_natively(&judging, image),
        }
    }

    fn judge(&self, name: &str, image: StoredImage) -> ImageReport {
        let options = self.options();
        let (Some(judging), Ok(options)) = (self.judging(), options) else {
            return failed_report(name, &HostError::new("there is no advisory database yet"));
        };
        let scanner = Scanner::new(&self.cache, &judging.database, &options, &SilentObserver);
        judging.finish(scanner.judge_known(image.into_known(name)))
    }

    fn grounds(&self) -> Grounds {
        self.judging()
            .map(|judging| judging.grounds.clone())
            .unwrap_or_default()
    }

    fn refresh(&self) -> Result<bool, HostError> {
        self.open_database()
            .map_err(|error| HostError::new(error.one_line()))
    }

    fn expiring(&self) -> Vec<ExpiringException> {
        let Some(judging) = self.judging() else {
            return Vec::new();
        };
        let expiring = judging.policy.expiring();
        let expiring = expiring.into_iter().map(|one| ExpiringException {
            source: one.place,
            rule: one.title,
            owner: one.owner,
            expires: one.expires,
        });
        expiring.collect()
    }

    fn is_over(&self) -> bool {
        stop::is_requested() || self.context.check().is_err()
    }

    fn tidy(&self) {
        let retention = &self.settings.retention;
        let age = i64::try_from(retention.cache_age.as_secs()).unwrap_or(i64::MAX);
        let since = Timestamp::now().as_second().saturating_sub(age);
        match self
            .cache
            .prune(Some(since), Some(retention.cache_size_bytes))
        {
            Ok(outcome) => tracing::debug!(?outcome, "pruned the layer cache"),
            Err(error) => tracing::warn!("{}", cleanbill_core::error_chain(&error)),
        }
    }

    fn rest(&self) {
        if let Some(judging) = self.judging() {
            judging.database.forget_lookups();
        }
        if let Err(error) = self.cache.forget_pages() {
            tracing::debug!("{}", cleanbill_core::error_chain(&error));
        }
    }

    fn follow(&self, happened: &mut dyn FnMut()) -> Result<(), HostError> {
        self.with_engine(|engine| match engine {
            LocalImages::Engine(engine) => engine.follow_events(None, &self.context, &mut |news| {
                let EngineNews::Happened(event) = news else {
                    return happened();
                };
                tracing::debug!(kind = event.kind, action = event.action, "engine event");
                if !NOISE.iter().any(|noise| event.action.starts_with(noise)) {
                    happened();
                }
            }),
            LocalImages::Containerd(_) | LocalImages::Podman(_) => Err(ImageError::Unsupported {
                what: "following events".to_owned(),
                reason: "only an engine that answers requests tells of them".to_owned(),
            }),
        })
    }
}

fn failed(image: &WatchedImage, error: &(dyn std::error::Error + 'static)) -> Look {
    Look {
        report: failed_report(&image.name, error),
        image: None,
    }
}

/// Returns the Trivy engine, if it is asked for.
fn trivy(setting: &Setting, arguments: &ScanArgs) -> Result<Option<TrivyEngine>, CommandError> {
    let open = || {
        let store = advisory_database::store(setting, &arguments.database.place)?;
        TrivyEngine::new(setting, arguments, store.directory())
    };
    arguments.engine.runs_trivy().then(open).transpose()
}

/// Returns the digest of a file's content, to see when it is another.
fn digest_of(file: &Path) -> Result<String, CommandError> {
    let bytes = std::fs::read(file).map_err(|error| {
        CommandError::usage(
            anyhow::Error::new(error).context(format!("cannot read {}", file.display())),
        )
    })?;
    Ok(Digest::of(&bytes).to_string())
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
