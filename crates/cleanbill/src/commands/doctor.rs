//! `cleanbill doctor`: checks what a scan needs, and says what to do about it.

use std::collections::BTreeSet;

use anstyle::AnsiColor;
use cleanbill_core::ImageReference;
use cleanbill_engine::{ADVISORIES, JAVA_INDEX, database_info};
use cleanbill_image::registry::registry_name;
use cleanbill_image::{Capabilities, ImageSources, LocalImages, ReadContext, SourceSettings};
use cleanbill_inventory::EXTRACTORS_VERSION;
use cleanbill_store::LayerCache;
use indicatif::HumanBytes;
use jiff::Timestamp;

use super::scan::engine_environment;
use super::{Setting, advisory_database};
use crate::cli::{DoctorArgs, RepositoryArgs};
use crate::error::{CommandError, printable};
use crate::exit::Exit;
use crate::registries::Registries;
use crate::{places, stop};

/// Tells how a check ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Good,
    /// Works, but slower or less well than it could.
    Notice,
    Bad,
}

/// Holds the outcome of one check.
struct Check {
    name: &'static str,
    state: State,
    text: String,
    remedy: String,
    exit: Exit,
}

impl Check {
    fn good(name: &'static str, text: impl Into<String>) -> Self {
        Self {
            name,
            state: State::Good,
            text: text.into(),
            remedy: String::new(),
            exit: Exit::Clean,
        }
    }

    fn notice(name: &'static str, text: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self {
            state: State::Notice,
            remedy: remedy.into(),
            ..Self::good(name, text)
        }
    }

    fn bad(
        name: &'static str,
        exit: Exit,
        text: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        Self {
            state: State::Bad,
            remedy: remedy.into(),
            exit,
            ..Self::good(name, text)
        }
    }
}

pub(crate) fn run(setting: &Setting, arguments: &DoctorArgs) -> Result<Exit, CommandError> {
    let context = ReadContext {
        cancelled: stop::flag(),
        ..ReadContext::default()
    };
    let mut exit = Exit::Clean;
    let mut show = |check: Check| -> Result<(), CommandError> {
        exit = exit.and(check.exit);
        print_check(&check)
    };
    for check in engine_checks(setting, arguments, &context) {
        show(check)?;
    }
    show(cache_check(setting))?;
    show(database_check(setting, arguments)?)?;
    for check in registry_checks(setting, arguments, &context)? {
        show(check)?;
    }
    Ok(exit)
}

fn engine_checks(setting: &Setting, arguments: &DoctorArgs, context: &ReadContext) -> Vec<Check> {
    let mut environment = engine_environment(setting);
    if arguments.engine.docker_host.is_some() {
        environment
            .docker_host
            .clone_from(&arguments.engine.docker_host);
    }
    let settings = SourceSettings {
        capabilities: Capabilities::of_this_process(),
        ..SourceSettings::default()
    };
    let sources = ImageSources::new(environment, settings, None, context.clone());
    let engine = match sources.connect() {
        Ok(engine) => engine,
        Err(error) => {
            return vec![Check::bad(
                "local engine",
                Exit::Incomplete,
                error.to_string(),
                "start the engine, set DOCKER_HOST, or scan archives and registries, which need none",
            )];
        }
    };
    let mut checks = Vec::new();
    let LocalImages::Engine(answering) = &engine else {
        let text = format!("{}, read in place", engine.place());
        return vec![Check::good("local engine", text), in_place_check(&engine)];
    };
    match answering.describe() {
        Ok(description) => checks.push(Check::good(
            "local engine",
            format!(
                "{} {} at {} (API {}, storage {})",
                description.product,
                description.version,
                description.endpoint,
                description.api_version,
                description.storage
            ),
        )),
        Err(error) => {
            let remedy = "check the engine's log";
            checks.push(Check::bad(
                "local engine",
                Exit::Incomplete,
                error.to_string(),
                remedy,
            ));
            return checks;
        }
    }
    checks.push(in_place_check(&engine));
    checks
}

fn in_place_check(engine: &LocalImages) -> Check {
    const NAME: &str = "layers in place";
    match engine.list_images(false) {
        Ok(images) => match images.first() {
            None => Check::good(NAME, "the engine has no images to try it on"),
            Some(image) => match engine.open(&image.id.to_string()) {
                Ok(opened) if opened.layers.is_sequential() => Check::notice(
                    NAME,
                    format!(
                        "{}: scans read the engine's export stream, which is slower",
                        opened.access
                    ),
                    "run as root on the engine's host, or give CAP_DAC_READ_SEARCH and CAP_SYS_ADMIN \
                     and mount the engine's data directory read-only",
                ),
                Ok(opened) => Check::good(NAME, opened.access),
                Err(error) => Check::bad(
                    NAME,
                    Exit::Incomplete,
                    error.to_string(),
                    "check the engine's data directory and its log",
                ),
            },
        },
        Err(error) => Check::bad(
            NAME,
            Exit::Incomplete,
            error.to_string(),
            "the engine must answer GET /images/json",
        ),
    }
}

fn cache_check(setting: &Setting) -> Check {
    const NAME: &str = "layer cache";
    let directory = places::cache_directory(setting.global.cache_dir.clone(), &setting.environment);
    let info = LayerCache::open(&directory, EXTRACTORS_VERSION).and_then(|cache| cache.info());
    match info {
        Ok(info) => Check::good(
            NAME,
            format!(
                "{}: {} layers, {}",
                directory.display(),
                info.layers,
                HumanBytes(info.file_size_bytes)
            ),
        ),
        Err(error) => Check::notice(
            NAME,
            format!(
                "{:#}: every scan reads every layer",
                anyhow::Error::new(error)
            ),
            "name a directory that can be written with --cache-dir",
        ),
    }
}

fn database_check(setting: &Setting, arguments: &DoctorArgs) -> Result<Check, CommandError> {
    const NAME: &str = "advisory database";
    let store = advisory_database::store(setting, &arguments.place)?;
    let now = Timestamp::now();
    Ok(match store.open() {
        Ok(database) => {
            let info = database_info(database.metadata(), now);
            let text = format!("{}, {} h old", store.directory().display(), info.age_hours);
            if now < database.metadata().next_update {
                Check::good(NAME, text)
            } else {
                let remedy = "fetch a newer one: cleanbill db update";
                Check::notice(NAME, format!("{text}: a newer one is due"), remedy)
            }
        }
        Err(error) => Check::bad(
            NAME,
            Exit::Database,
            format!("{:#}", anyhow::Error::new(error)),
            "fetch it: cleanbill db update, or carry one here: cleanbill db import FILE",
        ),
    })
}

fn registry_checks(
    setting: &Setting,
    arguments: &DoctorArgs,
    context: &ReadContext,
) -> Result<Vec<Check>, CommandError> {
    const NAME: &str = "registry";
    if arguments.network.offline {
        return Ok(vec![Check::good(NAME, "not asked: --offline")]);
    }
    let RepositoryArgs {
        db_repository,
        java_db_repository,
    } = &arguments.repositories;
    let repositories = [
        (db_repository, &ADVISORIES),
        (java_db_repository, &JAVA_INDEX),
    ]
    .into_iter()
    .flat_map(|(named, kind)| match named.as_slice() {
        [] => kind.default_repositories.map(str::to_owned).to_vec(),
        named => named.to_vec(),
    });
    let mut names: BTreeSet<String> = arguments
        .registries
        .iter()
        .map(|name| registry_name(name).to_owned())
        .collect();
    names.extend(
        repositories
            .filter_map(|repository| repository.parse::<ImageReference>().ok())
            .map(|reference| reference.registry),
    );
    let client = Registries::new(setting, &arguments.network).client(context, [])?;
    Ok(names
        .into_iter()
        .map(|name| match client.ping(&name) {
            Ok(address) => Check::good(NAME, format!("{name} answers at {address}")),
            Err(error) => Check::bad(
                NAME,
                Exit::Incomplete,
                format!("{name}: {:#}", anyhow::Error::new(error)),
                "check proxy settings (HTTPS_PROXY, NO_PROXY), --ca-cert, or: cleanbill login",
            ),
        })
        .collect())
}

fn print_check(check: &Check) -> Result<(), CommandError> {
    let (mark, style) = match check.state {
        State::Good => ("ok", AnsiColor::Green.on_default()),
        State::Notice => ("notice", AnsiColor::Yellow.on_default()),
        State::Bad => ("FAILED", AnsiColor::Red.on_default().bold()),
    };
    let mut text = format!(
        "{style}{mark:<7}{style:#}{:<18} {}\n",
        check.name,
        printable(&check.text)
    );
    if !check.remedy.is_empty() {
        text.push_str(&format!("{:25} → {}\n", "", check.remedy));
    }
    let mut stdout = anstream::stdout().lock();
    match std::io::Write::write_all(&mut stdout, text.as_bytes()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(CommandError::usage(
            anyhow::Error::new(error).context("cannot write to standard output"),
        )),
        _ => Ok(()),
    }
}
