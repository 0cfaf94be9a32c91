//! Loading: from what was given to [`WatchSettings`].

use std::collections::BTreeMap;
#[cfg(test)]
use std::path::Path;
use std::path::PathBuf;
use std::sync::LazyLock;

use super::channels::{self, CHANNEL_KINDS, Route};
use super::env_file::EnvFile;
use super::file::{self, FileContent, RawChannel};
use super::origin::Origin;
use super::problem::{Problem, SettingsError};
use super::resolve::{Resolved, Sources, default, read_file};
use super::suggest::nearest;
use super::table::SETTINGS;
use super::value::Value;
use super::watch_settings::WatchSettings;
use crate::environment::Environment;
use crate::places;

/// Where secrets are mounted in containers.
const SECRETS: &str = "/run/secrets";

/// Bytes that a configuration file or a `.env` file may have.
const FILE_SIZE_BYTES_MAX: u64 = 1 << 20;

/// The prefix of every name of ours in the environment.
const PREFIX: &str = "CLEANBILL_";

/// Variables of ours that no flag has.
const WITHOUT_FLAG: &[&str] = &["CLEANBILL_LOG"];

/// Holds what the command line said.
#[derive(Clone, Debug, Default)]
pub(crate) struct Call {
    /// The values of each flag, by the key of its setting.
    pub(crate) flags: BTreeMap<&'static str, Vec<String>>,
    /// `--config`
    pub(crate) config: Option<PathBuf>,
    /// `--env-file`
    pub(crate) env_file: Option<PathBuf>,
    /// `.env` of the working directory says nothing: this is called where the files are those of
    /// somebody who may not decide where secrets go.
    pub(crate) leaves_out_dot_env: bool,
    /// The flags that were really given, by the key of the setting that they stand for here.
    pub(crate) given_as: BTreeMap<&'static str, &'static str>,
}

/// Loads settings, as often as it is asked.
#[derive(Clone, Debug)]
pub(crate) struct Loader {
    call: Call,
    environment: Environment,
    /// Where secrets lie.
    secrets: PathBuf,
    /// The directory in which `.env` is looked for.
    directory: PathBuf,
}

/// Holds settings and what is known about them.
#[derive(Clone, Debug)]
pub(crate) struct Loaded {
    pub(crate) settings: WatchSettings,
    /// Every value with its origin, by key.
    pub(crate) resolved: BTreeMap<&'static str, Resolved>,
    pub(crate) channels: Vec<LoadedChannel>,
    /// What is odd, and does not stop anybody.
    pub(crate) warnings: Vec<String>,
    /// Files that were read or looked for: when one changes, load again.
    pub(crate) files: Vec<PathBuf>,
}

/// A channel with the origin of its fields.
#[derive(Clone, Debug)]
pub(crate) struct LoadedChannel {
    pub(crate) name: String,
    pub(crate) kind: &'static str,
    /// By key, `notify.KIND.FIELD`.
    pub(crate) values: BTreeMap<&'static str, Resolved>,
    /// It was named in `notify.channels`.
    pub(crate) is_named: bool,
}

impl Loaded {
    /// Says whether nobody said anything about a setting.
    pub(crate) fn is_default(&self, key: &str) -> bool {
        let resolved = self.resolved.get(key);
        resolved.is_none_or(|resolved| resolved.origin == Origin::Default)
    }
}

impl Loader {
    /// Makes a loader of the call and the environment of this process.
    pub(crate) fn new(call: Call, environment: Environment) -> Self {
        Self {
            call,
            environment,
            secrets: PathBuf::from(SECRETS),
            directory: PathBuf::new(),
        }
    }

    /// Makes a loader of one configuration file and nothing else.
    pub(crate) fn of_file(path: PathBuf) -> Self {
        Self {
            call: Call {
                config: Some(path),
                ..Call::default()
            },
            environment: Environment::default(),
            secrets: PathBuf::from("/nonexistent"),
            directory: PathBuf::from("/nonexistent"),
        }
    }

    /// Looks for secrets and `.env` elsewhere.
    #[cfg(test)]
    pub(super) fn in_directories(mut self, secrets: &Path, directory: &Path) -> Self {
        self.secrets = secrets.to_owned();
        self.directory = directory.to_owned();
        self
    }

    /// Reads everything that may say something and checks it.
    ///
    /// # Errors
    ///
    /// Everything that is wrong, each with its place.
    pub(crate) fn load(&self) -> Result<Loaded, SettingsError> {
        let mut problems = Vec::new();
        let mut files = Vec::new();
        let env_file = self.env_file(&mut files, &mut problems);
        let content = self.file(&mut files, &mut problems);
        let mut sources = self.sources(env_file.as_ref(), &content, &mut files);
        let mut resolved = sources.resolve_all(&mut problems);
        let mut warnings = Vec::new();
        choose_engine(&mut resolved, &mut warnings);
        let mut channels = default_channels(&resolved, &mut warnings);
        for raw in &content.channels {
            let channel = self.named_channel(raw, &mut sources, &mut problems);
            if channels.iter().any(|other| other.name == channel.name) {
                let text = format!(
                    "notify.channels: there is a channel '{}' already; choose another name",
                    channel.name
                );
                problems.push(Problem::new(place(&content, raw.place), text));
            }
            channels.push(channel);
        }
        let routes = routes(&content, &channels, &mut problems);
        if !problems.is_empty() {
            return Err(SettingsError { problems });
        }
        warnings.extend(self.unknown_names(env_file.as_ref()));
        warnings.extend(readable_secrets(&content));
        let of_channels = channels
            .iter()
            .map(|channel| channels::channel(&channel.name, channel.kind, &channel.values))
            .collect();
        Ok(Loaded {
            settings: WatchSettings::new(&resolved, of_channels, routes),
            resolved,
            channels,
            warnings,
            files,
        })
    }

    /// Reads where the state is, for those who only read it: what else is wrong with the settings
    /// is returned beside it. A file that is no YAML at all says nothing.
    ///
    /// # Errors
    ///
    /// What says where the state is, is wrong itself.
    pub(crate) fn state_directory(
        &self,
    ) -> Result<(PathBuf, Option<SettingsError>), SettingsError> {
        let error = match self.load() {
            Ok(loaded) => return Ok((loaded.settings.state_directory, None)),
            Err(error) => error,
        };
        // They are in the error already.
        let (mut problems, mut files) = (Vec::new(), Vec::new());
        let env_file = self.env_file(&mut files, &mut problems);
        let content = self.file(&mut files, &mut problems);
        let mut sources = self.sources(env_file.as_ref(), &content, &mut files);
        let resolved = sources.resolve_all(&mut problems);
        match resolved.get("state.directory").map(|one| &one.value) {
            Some(Value::Path(path)) => Ok((path.clone(), Some(error))),
            _ => Err(error),
        }
    }

    fn sources<'a>(
        &'a self,
        env_file: Option<&'a EnvFile>,
        content: &'a FileContent,
        files: &'a mut Vec<PathBuf>,
    ) -> Sources<'a> {
        Sources {
            flags: &self.call.flags,
            given_as: &self.call.given_as,
            environment: &self.environment,
            secrets: &self.secrets,
            env_file,
            file: content,
            files,
        }
    }

    fn env_file(&self, files: &mut Vec<PathBuf>, problems: &mut Vec<Problem>) -> Option<EnvFile> {
        let path = match &self.call.env_file {
            Some(path) => path.clone(),
            None if self.call.leaves_out_dot_env => return None,
            None => self.directory.join(".env"),
        };
        files.push(path.clone());
        if self.call.env_file.is_none() && !path.exists() {
            return None;
        }
        let text = match read_file(&path, FILE_SIZE_BYTES_MAX) {
            Ok(text) => text,
            Err(text) => {
                let place = match &self.call.env_file {
                    Some(_) => "--env-file".to_owned(),
                    None => path.display().to_string(),
                };
                problems.push(Problem::new(place, text));
                return None;
            }
        };
        match EnvFile::parse(&text, &path) {
            Ok(file) => Some(file),
            Err(found) => {
                problems.extend(found);
                None
            }
        }
    }

    fn file(&self, files: &mut Vec<PathBuf>, problems: &mut Vec<Problem>) -> FileContent {
        let Some(path) = self.configuration_file(files) else {
            return FileContent::default();
        };
        match read_file(&path, FILE_SIZE_BYTES_MAX) {
            Ok(text) => file::parse(&text, &path, problems),
            Err(text) => {
                problems.push(Problem::new("--config", text));
                FileContent::default()
            }
        }
    }

    /// Returns the file that was named, else the first that is there.
    fn configuration_file(&self, files: &mut Vec<PathBuf>) -> Option<PathBuf> {
        if let Some(path) = &self.call.config {
            files.push(path.clone());
            return Some(path.clone());
        }
        let candidates = places::configuration_files(&self.environment);
        files.extend(candidates.iter().cloned());
        candidates.into_iter().find(|path| path.exists())
    }

    fn named_channel(
        &self,
        raw: &RawChannel,
        sources: &mut Sources<'_>,
        problems: &mut Vec<Problem>,
    ) -> LoadedChannel {
        let nothing = BTreeMap::new();
        let mut values = BTreeMap::new();
        let mut has_problem = false;
        for setting in channels::fields(raw.kind) {
            let shown = format!("notify.channels.{}.{}", raw.name, setting.last_name());
            let one = match raw.values.get(setting.key) {
                Some(entry) => sources.resolve_entry(setting, entry, &shown),
                None => Ok(default(setting, &self.environment, &nothing)),
            };
            match one {
                Ok(one) => {
                    values.insert(setting.key, one);
                }
                Err(problem) => {
                    has_problem = true;
                    problems.push(problem);
                }
            }
        }
        let missing = channels::missing(raw.kind, &values);
        if !missing.is_empty() && !has_problem {
            let text = format!(
                "notify.channels.{}: a channel of kind {} needs {}",
                raw.name,
                raw.kind,
                missing.join(" and ")
            );
            problems.push(Problem::new(place(sources.file, raw.place), text));
        }
        LoadedChannel {
            name: raw.name.clone(),
            kind: raw.kind,
            values,
            is_named: true,
        }
    }

    /// Warns of names that begin as ours do and mean nothing.
    fn unknown_names(&self, env_file: Option<&EnvFile>) -> Vec<String> {
        let of_environment = self
            .environment
            .names()
            .map(|name| ("environment variable".to_owned(), name));
        let of_file = env_file.into_iter().flat_map(|file| {
            let place = |line: usize| format!("{}:{line}:", file.path.display());
            file.lines
                .iter()
                .map(move |line| (place(line.number), line.name.as_str()))
        });
        of_environment
            .chain(of_file)
            .filter(|(_, name)| name.starts_with(PREFIX))
            .filter(|(_, name)| !KNOWN_NAMES.iter().any(|other| other == name))
            .map(|(place, name)| {
                let meant = nearest(name, KNOWN_NAMES.iter().map(String::as_str))
                    .map(|meant| format!("; did you mean {meant}?"))
                    .unwrap_or_default();
                format!("{place} {name} means nothing{meant}")
            })
            .collect()
    }
}

/// Every name of ours in the environment.
static KNOWN_NAMES: LazyLock<Vec<String>> = LazyLock::new(known_names);

fn known_names() -> Vec<String> {
    fn collect(command: &clap::Command, names: &mut Vec<String>) {
        let of_flags = command.get_arguments().filter_map(clap::Arg::get_env);
        names.extend(of_flags.map(|name| name.to_string_lossy().into_owned()));
        for sub in command.get_subcommands() {
            collect(sub, names);
        }
    }
    let mut names: Vec<String> = SETTINGS
        .iter()
        .map(super::table::Setting::environment)
        .flat_map(|name| [format!("{name}_FILE"), name.to_owned()])
        .collect();
    names.extend(WITHOUT_FLAG.iter().map(|name| (*name).to_owned()));
    collect(&crate::cli::definition(), &mut names);
    names
}

/// Flags for Trivy mean Trivy, unless somebody said which engine.
fn choose_engine(resolved: &mut BTreeMap<&'static str, Resolved>, warnings: &mut Vec<String>) {
    let (by, has_arguments) = match resolved.get("scan.trivy_args") {
        Some(arguments) => (arguments.setting.key, !arguments.is_empty()),
        None => return,
    };
    let Some(engine) = resolved.get_mut("scan.engine") else {
        return;
    };
    if has_arguments && engine.origin == Origin::Default {
        engine.value = Value::Text("trivy".to_owned());
        engine.origin = Origin::Implied { by };
    } else if has_arguments && engine.value.to_string() == "native" {
        warnings.push(format!(
            "{by} has no effect: the engine is native ({})",
            engine.origin
        ));
    }
}

/// Makes the channels that settings outside of `notify.channels` describe.
fn default_channels(
    resolved: &BTreeMap<&'static str, Resolved>,
    warnings: &mut Vec<String>,
) -> Vec<LoadedChannel> {
    let mut found = Vec::new();
    for (kind, _) in CHANNEL_KINDS {
        let values: BTreeMap<_, _> = channels::fields(kind)
            .filter_map(|setting| Some((setting.key, resolved.get(setting.key)?.clone())))
            .collect();
        let is_given = |one: &&Resolved| !one.is_empty() && one.origin != Origin::Default;
        let Some(given) = values.values().find(is_given) else {
            continue;
        };
        let missing = channels::missing(kind, &values);
        if missing.is_empty() {
            found.push(LoadedChannel {
                name: (*kind).to_owned(),
                kind,
                values,
                is_named: false,
            });
        } else {
            warnings.push(format!(
                "{} is set ({}), and nothing is sent: notify.{kind} needs {} too",
                given.setting.key,
                given.origin,
                missing.join(" and ")
            ));
        }
    }
    found
}

/// Checks that routes lead somewhere.
fn routes(
    content: &FileContent,
    channels: &[LoadedChannel],
    problems: &mut Vec<Problem>,
) -> Vec<Route> {
    let names = || channels.iter().map(|channel| channel.name.as_str());
    for (at, route) in &content.routes {
        for name in route
            .channels
            .iter()
            .filter(|name| !names().any(|n| n == *name))
        {
            let known = names().collect::<Vec<_>>().join(", ");
            let known = match (nearest(name, names()), known.is_empty()) {
                (Some(meant), _) => format!("; did you mean '{meant}'?"),
                (None, true) => "; none is set up".to_owned(),
                (None, false) => format!("; there are {known}"),
            };
            let text = format!("notify.routes: there is no channel '{name}'{known}");
            problems.push(Problem::new(place(content, *at), text));
        }
    }
    content
        .routes
        .iter()
        .map(|(_, route)| route.clone())
        .collect()
}

fn place(content: &FileContent, at: super::yaml::Place) -> String {
    format!("{}:{at}", content.path.display())
}

/// Warns of a configuration file that others can read secrets from.
fn readable_secrets(content: &FileContent) -> Option<String> {
    use std::os::unix::fs::PermissionsExt as _;

    if !content.holds_secrets {
        return None;
    }
    let mode = std::fs::metadata(&content.path).ok()?.permissions().mode();
    (mode & 0o044 != 0).then(|| {
        let path = content.path.display();
        format!(
            "{path} holds a secret and others can read it; name a file with the secret instead \
             (password_file: …), or run: chmod 600 {path}"
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_settings_share_a_name() {
        let mut names: Vec<String> = SETTINGS
            .iter()
            .flat_map(|setting| setting.names().map(|(name, _)| name))
            .flat_map(|name| [format!("{name}_FILE"), name.to_owned()])
            .collect();
        let count = names.len();
        names.sort();
        names.dedup();
        assert_eq!(names.len(), count);
    }
}
