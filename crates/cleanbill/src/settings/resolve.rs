//! Which of several given values counts.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use cleanbill_core::Severity;
use cleanbill_core::severity::FixStatus;
use cleanbill_image::Secret;

use super::default::{DefaultValue, Surroundings};
use super::env_file::EnvFile;
use super::file::{Entry, EntryValue, FILE_SUFFIX, FileContent};
use super::given::Given;
use super::kind::Dialect;
use super::origin::Origin;
use super::problem::Problem;
use super::table::{SETTINGS, Setting};
use super::value::Value;
use crate::environment::Environment;

/// Bytes that a file with one value may have.
const SECRET_SIZE_BYTES_MAX: u64 = 64 << 10;

/// The word behind a name in the environment that holds the path of a file with the value.
const NAME_SUFFIX: &str = "_FILE";

/// A setting with the value that counts.
#[derive(Clone, Debug)]
pub(crate) struct Resolved {
    pub(crate) setting: &'static Setting,
    pub(crate) value: Value,
    pub(crate) origin: Origin,
}

impl Resolved {
    /// Says whether there is nothing.
    pub(crate) fn is_empty(&self) -> bool {
        match &self.value {
            Value::Unset => true,
            Value::Text(text) => text.is_empty(),
            Value::Secret(secret) => secret.is_empty(),
            Value::List(items) => items.is_empty(),
            _ => false,
        }
    }
}

/// Everything that was given.
pub(crate) struct Sources<'a> {
    pub(crate) flags: &'a BTreeMap<&'static str, Vec<String>>,
    /// The flags that were really given, by key.
    pub(crate) given_as: &'a BTreeMap<&'static str, &'static str>,
    pub(crate) environment: &'a Environment,
    /// Where a file named like a variable is its value.
    pub(crate) secrets: &'a Path,
    pub(crate) env_file: Option<&'a EnvFile>,
    pub(crate) file: &'a FileContent,
    /// Files that were read or looked for.
    pub(crate) files: &'a mut Vec<PathBuf>,
}

/// A value with its origin, not yet checked.
struct Candidate {
    given: Given,
    dialect: Dialect,
    origin: Origin,
}

impl Sources<'_> {
    /// Finds the value of each setting. What is wrong is added to `problems`, and the setting is
    /// left out.
    pub(crate) fn resolve_all(
        &mut self,
        problems: &mut Vec<Problem>,
    ) -> BTreeMap<&'static str, Resolved> {
        let mut resolved = BTreeMap::new();
        for setting in SETTINGS {
            match self.resolve(setting, &resolved) {
                Ok(one) => {
                    resolved.insert(setting.key, one);
                }
                Err(problem) => problems.push(problem),
            }
            // A file is wrong also where something else has precedence.
            if let Some(entry) = self.file.values.get(setting.key)
                && !problems
                    .iter()
                    .any(|p| p.place == self.file_origin(entry).to_string())
                && let EntryValue::Given(given) = &entry.value
                && let Err(text) = self.parse_of_file(setting, given.clone())
            {
                problems.push(Problem::of(&self.file_origin(entry), setting.key, &text));
            }
        }
        resolved
    }

    fn resolve(
        &mut self,
        setting: &'static Setting,
        resolved: &BTreeMap<&'static str, Resolved>,
    ) -> Result<Resolved, Problem> {
        let candidate = self.candidate(setting)?;
        let Some(candidate) = candidate else {
            if let Some(entry) = self.file.values.get(setting.key) {
                return self.resolve_entry(setting, entry, setting.key);
            }
            return Ok(default(setting, self.environment, resolved));
        };
        let Candidate {
            given,
            dialect,
            origin,
        } = candidate;
        match setting.kind.parse(given, dialect, setting.is_secret, None) {
            Ok(value) => Ok(Resolved {
                setting,
                value,
                origin,
            }),
            Err(text) => Err(Problem::of(&origin, setting.key, &text)),
        }
    }

    /// Checks a value of the configuration file; `shown` is its key there.
    pub(crate) fn resolve_entry(
        &mut self,
        setting: &'static Setting,
        entry: &Entry,
        shown: &str,
    ) -> Result<Resolved, Problem> {
        let place = self.file_origin(entry);
        let (given, origin) = match &entry.value {
            EntryValue::Given(given) => (given.clone(), place),
            EntryValue::ValueFile(path) => {
                self.files.push(path.clone());
                let key = format!("{shown}{FILE_SUFFIX}");
                let text = read_secret(path).map_err(|text| Problem::of(&place, &key, &text))?;
                let origin = Origin::SecretFile {
                    path: path.clone(),
                    named_by: Some(place.to_string()),
                };
                (Given::One(text), origin)
            }
        };
        match self.parse_of_file(setting, given) {
            Ok(value) => Ok(Resolved {
                setting,
                value,
                origin,
            }),
            Err(text) => Err(Problem::of(&origin, shown, &text)),
        }
    }

    fn parse_of_file(&self, setting: &Setting, given: Given) -> Result<Value, String> {
        let base = self.file.directory();
        setting
            .kind
            .parse(given, Dialect::Ours, setting.is_secret, base)
    }

    fn file_origin(&self, entry: &Entry) -> Origin {
        Origin::File {
            path: self.file.path.clone(),
            place: entry.place,
        }
    }

    /// Finds the value that counts of those that stand above the configuration file.
    fn candidate(&mut self, setting: &Setting) -> Result<Option<Candidate>, Problem> {
        if let Some(values) = self.flags.get(setting.key) {
            return Ok(Some(Candidate {
                given: Given::of_flag(values.clone()),
                dialect: Dialect::Ours,
                origin: Origin::Flag {
                    flag: format!(
                        "--{}",
                        self.given_as.get(setting.key).unwrap_or(&setting.flag)
                    ),
                },
            }));
        }
        for (name, is_older) in setting.names() {
            if let Some(text) = self.environment.get(name) {
                let origin = Origin::Environment {
                    name: name.to_owned(),
                };
                return Ok(Some(candidate(text.to_owned(), is_older, origin)));
            }
        }
        if let Some(found) = self.secret(setting)? {
            return Ok(Some(found));
        }
        self.of_env_file(setting)
    }

    fn secret(&mut self, setting: &Setting) -> Result<Option<Candidate>, Problem> {
        for (name, is_older) in setting.names() {
            let variable = format!("{name}{NAME_SUFFIX}");
            let Some(path) = self.environment.path(&variable) else {
                continue;
            };
            let text = self.named_secret(&path, &format!("environment variable {variable}"))?;
            let origin = Origin::SecretFile {
                path,
                named_by: Some(variable),
            };
            return Ok(Some(candidate(text, is_older, origin)));
        }
        for (name, is_older) in setting.names() {
            let path = self.secrets.join(name);
            if !path.exists() {
                continue;
            }
            self.files.push(path.clone());
            let text =
                read_secret_or_nothing(&path).map_err(|text| Problem::new("secret file", text))?;
            // As the older tool has it: an empty file says nothing.
            if let Some(text) = text {
                let origin = Origin::SecretFile {
                    path,
                    named_by: None,
                };
                return Ok(Some(candidate(text, is_older, origin)));
            }
        }
        Ok(None)
    }

    fn of_env_file(&mut self, setting: &Setting) -> Result<Option<Candidate>, Problem> {
        let Some(file) = self.env_file else {
            return Ok(None);
        };
        for (name, is_older) in setting.names() {
            if let Some(line) = file.get(name) {
                let origin = Origin::EnvFile {
                    path: file.path.clone(),
                    line: line.number,
                    name: name.to_owned(),
                };
                return Ok(Some(candidate(line.value.clone(), is_older, origin)));
            }
        }
        for (name, is_older) in setting.names() {
            let variable = format!("{name}{NAME_SUFFIX}");
            let Some(line) = file.get(&variable) else {
                continue;
            };
            let place = format!("{}:{}: {variable}", file.path.display(), line.number);
            let path = PathBuf::from(&line.value);
            let text = self.named_secret(&path, &place)?;
            let origin = Origin::SecretFile {
                path,
                named_by: Some(place),
            };
            return Ok(Some(candidate(text, is_older, origin)));
        }
        Ok(None)
    }

    /// Reads a file that somebody named: it must be there and hold something.
    fn named_secret(&mut self, path: &Path, named_by: &str) -> Result<String, Problem> {
        self.files.push(path.to_owned());
        read_secret(path).map_err(|text| Problem::new(named_by, text))
    }
}

fn candidate(text: String, is_older: bool, origin: Origin) -> Candidate {
    Candidate {
        given: Given::One(text),
        dialect: if is_older {
            Dialect::Older
        } else {
            Dialect::Ours
        },
        origin,
    }
}

/// Returns what a setting holds when nobody says anything.
pub(crate) fn default(
    setting: &'static Setting,
    environment: &Environment,
    resolved: &BTreeMap<&'static str, Resolved>,
) -> Resolved {
    let text = match setting.default {
        DefaultValue::Unset => None,
        DefaultValue::Text(text) => Some(text.to_owned()),
        DefaultValue::Found { find, .. } => find(&Surroundings {
            environment,
            resolved,
        }),
    };
    let parse = |text| {
        setting
            .kind
            .parse(Given::One(text), Dialect::Ours, setting.is_secret, None)
            .ok()
    };
    let nothing = if setting.kind.is_list() {
        Value::List(Vec::new())
    } else {
        Value::Unset
    };
    Resolved {
        setting,
        value: text.and_then(parse).unwrap_or(nothing),
        origin: Origin::Default,
    }
}

fn read_secret(path: &Path) -> Result<String, String> {
    read_secret_or_nothing(path)?.ok_or_else(|| format!("{} is empty", path.display()))
}

fn read_secret_or_nothing(path: &Path) -> Result<Option<String>, String> {
    let text = read_file(path, SECRET_SIZE_BYTES_MAX)?;
    Ok(Some(text.trim().to_owned()).filter(|text| !text.is_empty()))
}

/// Reads a small text file.
///
/// # Errors
///
/// It is not there, no regular file, not readable, too large or not UTF-8: the sentence says which.
pub(crate) fn read_file(path: &Path, size_bytes_max: u64) -> Result<String, String> {
    use std::io::Read as _;

    let shown = path.display();
    let cannot = |error: std::io::Error| format!("cannot read {shown}: {error}");
    let metadata = std::fs::metadata(path).map_err(cannot)?;
    // A FIFO would be waited for, a device may never end. /dev/fd/N of a shell is a FIFO too, but
    // settings are read again while the program runs, which no FIFO survives.
    if !metadata.is_file() {
        return Err(format!("{shown} is no regular file"));
    }
    let mut bytes = Vec::new();
    std::fs::File::open(path)
        .and_then(|file| file.take(size_bytes_max + 1).read_to_end(&mut bytes))
        .map_err(cannot)?;
    if bytes.len() as u64 > size_bytes_max {
        return Err(format!("{shown} is larger than {size_bytes_max} bytes"));
    }
    String::from_utf8(bytes).map_err(|_| format!("{shown} is not UTF-8 text"))
}

/// Reads checked values by key. A key that is not in the table, or of another kind, is a slip in
/// our own code.
pub(crate) struct Values<'a>(pub(crate) &'a BTreeMap<&'static str, Resolved>);

impl Values<'_> {
    fn value(&self, key: &str) -> &Value {
        static UNSET: Value = Value::Unset;
        debug_assert!(super::table::find(key).is_some(), "{key} is no setting");
        self.0.get(key).map_or(&UNSET, |resolved| &resolved.value)
    }

    pub(crate) fn text(&self, key: &str) -> Option<String> {
        match self.value(key) {
            Value::Text(text) => Some(text.clone()),
            _ => None,
        }
    }

    pub(crate) fn secret(&self, key: &str) -> Option<Secret> {
        match self.value(key) {
            Value::Secret(secret) => Some(secret.clone()),
            _ => None,
        }
    }

    pub(crate) fn path(&self, key: &str) -> Option<PathBuf> {
        match self.value(key) {
            Value::Path(path) => Some(path.clone()),
            _ => None,
        }
    }

    pub(crate) fn boolean(&self, key: &str) -> bool {
        matches!(self.value(key), Value::Boolean(true))
    }

    pub(crate) fn number(&self, key: &str) -> Option<u64> {
        match self.value(key) {
            Value::Number(number) | Value::Size(number) => Some(*number),
            _ => None,
        }
    }

    pub(crate) fn duration(&self, key: &str) -> Option<std::time::Duration> {
        match self.value(key) {
            Value::Duration(duration) => Some(*duration),
            _ => None,
        }
    }

    pub(crate) fn list(&self, key: &str) -> Vec<String> {
        match self.value(key) {
            Value::List(items) => items.clone(),
            _ => Vec::new(),
        }
    }

    pub(crate) fn paths(&self, key: &str) -> Vec<PathBuf> {
        self.list(key).into_iter().map(PathBuf::from).collect()
    }

    pub(crate) fn severities(&self, key: &str) -> Vec<Severity> {
        match self.value(key) {
            Value::Severities(severities) => severities.clone(),
            _ => Vec::new(),
        }
    }

    pub(crate) fn statuses(&self, key: &str) -> Vec<FixStatus> {
        match self.value(key) {
            Value::Statuses(statuses) => statuses.clone(),
            _ => Vec::new(),
        }
    }

    pub(crate) fn raw(&self, key: &str) -> &Value {
        self.value(key)
    }
}
