//! The configuration file, held against the table of settings.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use cleanbill_core::ImagePattern;
use cleanbill_core::Severity;

use super::channels::{self, CHANNEL_KINDS, Route};
use super::given::Given;
use super::problem::Problem;
use super::suggest::nearest;
use super::table::{SETTINGS, Setting, find};
use super::yaml::{self, Content, Node, Place};

/// The version of the file's form.
pub(crate) const VERSION: &str = "1";

/// What the key of a secret has behind it where a file is named in place of the secret.
pub(crate) const FILE_SUFFIX: &str = "_file";

/// Keys that are no settings, with what they hold.
const CHANNELS: &str = "notify.channels";
const ROUTES: &str = "notify.routes";

/// What a route may say.
const ROUTE_KEYS: &[&str] = &["severity", "images", "labels", "to"];

/// Holds what a configuration file says, before values are checked.
#[derive(Clone, Debug, Default)]
pub(crate) struct FileContent {
    /// The file; empty if there is none.
    pub(crate) path: PathBuf,
    /// By key.
    pub(crate) values: BTreeMap<&'static str, Entry>,
    /// In the order of the file.
    pub(crate) channels: Vec<RawChannel>,
    /// In the order of the file, checked but for the names of channels.
    pub(crate) routes: Vec<(Place, Route)>,
    /// A secret stands in the file itself.
    pub(crate) holds_secrets: bool,
}

/// One value.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) place: Place,
    pub(crate) value: EntryValue,
}

/// A value, or the file that holds it.
#[derive(Clone, Debug)]
pub(crate) enum EntryValue {
    Given(Given),
    ValueFile(PathBuf),
}

/// One channel of `notify.channels`.
#[derive(Clone, Debug)]
pub(crate) struct RawChannel {
    pub(crate) name: String,
    pub(crate) place: Place,
    pub(crate) kind: &'static str,
    /// By key of the table, `notify.KIND.FIELD`.
    pub(crate) values: BTreeMap<&'static str, Entry>,
}

impl FileContent {
    /// Returns the directory that relative paths are relative to.
    pub(crate) fn directory(&self) -> Option<&Path> {
        self.path
            .parent()
            .filter(|path| !path.as_os_str().is_empty())
    }
}

/// Reads a configuration file's text. What is wrong is added to `problems`; the rest is returned.
pub(crate) fn parse(text: &str, path: &Path, problems: &mut Vec<Problem>) -> FileContent {
    let mut reader = Reader {
        file: path.display().to_string(),
        content: FileContent {
            path: path.to_owned(),
            ..FileContent::default()
        },
        problems,
    };
    match yaml::parse(text, &reader.file) {
        Ok(root) => reader.root(root),
        Err(problem) => reader.problems.push(problem),
    }
    reader.content
}

struct Reader<'a> {
    file: String,
    content: FileContent,
    problems: &'a mut Vec<Problem>,
}

impl Reader<'_> {
    fn problem(&mut self, place: Place, text: impl Into<String>) {
        let place = format!("{}:{place}", self.file);
        self.problems.push(Problem::new(place, text));
    }

    fn root(&mut self, root: Node) {
        let place = root.place;
        let Content::Mapping(pairs) = root.content else {
            let text = format!(
                "expected settings such as 'version: {VERSION}', found {}",
                root.content.kind()
            );
            return self.problem(place, text);
        };
        let mut has_version = false;
        let mut others = Vec::new();
        for (key, place, value) in pairs {
            match key.as_str() {
                "version" => {
                    has_version = true;
                    if !matches!(&value.content, Content::Scalar(text) if text == VERSION) {
                        self.problem(value.place, format!("version: only {VERSION} is known"));
                    }
                }
                // A place for what anchors refer to, as in compose files.
                key if key.starts_with("x-") => {}
                _ => others.push((key, place, value)),
            }
        }
        if !has_version {
            self.problem(place, format!("the line 'version: {VERSION}' is missing"));
        }
        self.group("", others);
    }

    /// Reads the keys below a prefix, which is empty or ends with a dot.
    fn group(&mut self, prefix: &str, pairs: Vec<(String, Place, Node)>) {
        for (name, place, node) in pairs {
            let key = format!("{prefix}{name}");
            let below = format!("{key}.");
            if key == CHANNELS {
                self.channels(node);
            } else if key == ROUTES {
                self.routes(node);
            } else if let Some(setting) = find(&key) {
                let entry = self.entry(setting, node, &key);
                self.keep(setting, entry);
            } else if let Some(setting) = file_of(&key) {
                let entry = self.value_file(node, &key);
                self.keep(setting, entry);
            } else if SETTINGS
                .iter()
                .any(|setting| setting.key.starts_with(&below))
            {
                match node.content {
                    Content::Mapping(pairs) => self.group(&below, pairs),
                    Content::Null => {}
                    other => {
                        let found = other.kind();
                        self.problem(
                            node.place,
                            format!("{key}: expected settings below it, found {found}"),
                        );
                    }
                }
            } else {
                self.problem(place, unknown_key(prefix, &name));
            }
        }
    }

    fn keep(&mut self, setting: &'static Setting, entry: Option<Entry>) {
        let Some(entry) = entry else { return };
        if let Some(other) = self.content.values.get(setting.key) {
            let text = format!(
                "{key} and {key}{FILE_SUFFIX} are both given; one is enough",
                key = setting.key
            );
            let place = entry.place.max(other.place);
            return self.problem(place, text);
        }
        self.content.values.insert(setting.key, entry);
    }

    /// Reads the value of a setting; none if nothing stands there.
    fn entry(&mut self, setting: &Setting, node: Node, key: &str) -> Option<Entry> {
        let given = match node.content {
            Content::Null => return None,
            Content::Scalar(text) => Given::One(text),
            Content::Sequence(items) => Given::Many(self.scalars(items, key)),
            Content::Mapping(_) => {
                self.problem(
                    node.place,
                    format!("{key}: expected a value, found a mapping"),
                );
                return None;
            }
        };
        self.content.holds_secrets |= setting.is_secret;
        Some(Entry {
            place: node.place,
            value: EntryValue::Given(given),
        })
    }

    fn value_file(&mut self, node: Node, key: &str) -> Option<Entry> {
        match node.content {
            Content::Null => None,
            Content::Scalar(path) => {
                let path = match self.content.directory() {
                    Some(directory) => directory.join(path),
                    None => PathBuf::from(path),
                };
                Some(Entry {
                    place: node.place,
                    value: EntryValue::ValueFile(path),
                })
            }
            other => {
                let found = other.kind();
                self.problem(
                    node.place,
                    format!("{key}: expected the path of a file, found {found}"),
                );
                None
            }
        }
    }

    fn scalars(&mut self, items: Vec<Node>, key: &str) -> Vec<String> {
        let mut texts = Vec::new();
        for item in items {
            match item.content {
                Content::Scalar(text) => texts.push(text),
                other => {
                    let found = other.kind();
                    self.problem(
                        item.place,
                        format!("{key}: expected a value, found {found}"),
                    );
                }
            }
        }
        texts
    }

    fn channels(&mut self, node: Node) {
        let pairs = match node.content {
            Content::Mapping(pairs) => pairs,
            Content::Null => return,
            other => {
                let found = other.kind();
                return self.problem(
                    node.place,
                    format!("{CHANNELS}: expected channels by their names, found {found}"),
                );
            }
        };
        for (name, place, node) in pairs {
            self.channel(name, place, node);
        }
    }

    fn channel(&mut self, name: String, place: Place, node: Node) {
        let path = format!("{CHANNELS}.{name}");
        let Content::Mapping(pairs) = node.content else {
            let found = node.content.kind();
            let text = format!("{path}: expected 'kind' and its fields, found {found}");
            return self.problem(node.place, text);
        };
        if name.is_empty() || name.contains(|c: char| c.is_whitespace() || c == ',') {
            let text = format!("{CHANNELS}: a name has no blanks and no commas, '{name}' has");
            return self.problem(place, text);
        }
        let (kinds, fields): (Vec<_>, Vec<_>) =
            pairs.into_iter().partition(|(key, ..)| key == "kind");
        let Some(kind) = self.channel_kind(&path, place, kinds) else {
            return;
        };
        let mut channel = RawChannel {
            name,
            place,
            kind,
            values: BTreeMap::new(),
        };
        for (field, place, node) in fields {
            let key = format!("notify.{kind}.{field}");
            let shown = format!("{path}.{field}");
            let (setting, entry) = if let Some(setting) = find(&key) {
                (setting, self.entry(setting, node, &shown))
            } else if let Some(setting) = file_of(&key) {
                (setting, self.value_file(node, &shown))
            } else {
                self.problem(place, unknown_field(kind, &field));
                continue;
            };
            let Some(entry) = entry else { continue };
            if channel.values.insert(setting.key, entry).is_some() {
                let text = format!("{shown}: a secret and its file are both given; one is enough");
                self.problem(place, text);
            }
        }
        self.content.channels.push(channel);
    }

    fn channel_kind(
        &mut self,
        path: &str,
        place: Place,
        found: Vec<(String, Place, Node)>,
    ) -> Option<&'static str> {
        let names = || CHANNEL_KINDS.iter().map(|(name, _)| *name);
        let expected = names().collect::<Vec<_>>().join(", ");
        let Some((_, _, node)) = found.into_iter().next() else {
            self.problem(place, format!("{path}: 'kind' is missing: {expected}"));
            return None;
        };
        let text = match &node.content {
            Content::Scalar(text) => text.as_str(),
            _ => "",
        };
        let kind = names().find(|name| *name == text);
        if kind.is_none() {
            let meant = did_you_mean(nearest(text, names()));
            let text = format!("{path}.kind: expected {expected}{meant}");
            self.problem(node.place, text);
        }
        kind
    }

    fn routes(&mut self, node: Node) {
        match node.content {
            Content::Sequence(items) => {
                for item in items {
                    self.route(item);
                }
            }
            Content::Null => {}
            other => {
                let found = other.kind();
                self.problem(
                    node.place,
                    format!("{ROUTES}: expected a list of routes, found {found}"),
                );
            }
        }
    }

    fn route(&mut self, node: Node) {
        let Content::Mapping(pairs) = node.content else {
            let found = node.content.kind();
            let text = format!("{ROUTES}: expected 'to' and conditions, found {found}");
            return self.problem(node.place, text);
        };
        let mut route = Route::default();
        for (key, place, value) in pairs {
            let at = value.place;
            match key.as_str() {
                "severity" => {
                    for text in self.texts(value, &key) {
                        match text.parse::<Severity>() {
                            Ok(severity) => route.severities.push(severity),
                            Err(_) => self.problem(
                                at,
                                format!(
                                    "{ROUTES}: '{text}' is no severity: expected UNKNOWN, LOW, \
                                     MEDIUM, HIGH or CRITICAL"
                                ),
                            ),
                        }
                    }
                }
                "images" => {
                    route.images = self.texts(value, &key);
                    let wrong = route
                        .images
                        .iter()
                        .find_map(|text| text.parse::<ImagePattern>().err());
                    if let Some(error) = wrong {
                        self.problem(at, format!("{ROUTES}: {error}"));
                    }
                }
                "labels" => route.labels = self.labels(value),
                "to" => route.channels = self.texts(value, &key),
                _ => {
                    let meant = did_you_mean(nearest(&key, ROUTE_KEYS.iter().copied()));
                    self.problem(place, format!("{ROUTES}: unknown key '{key}'{meant}"));
                }
            }
        }
        if route.channels.is_empty() {
            self.problem(
                node.place,
                format!("{ROUTES}: 'to' is missing: the names of channels"),
            );
        }
        self.content.routes.push((node.place, route));
    }

    /// Reads a list, or a text that is separated by commas.
    fn texts(&mut self, node: Node, key: &str) -> Vec<String> {
        match node.content {
            Content::Scalar(text) => Given::One(text).into_items(),
            Content::Sequence(items) => self.scalars(items, &format!("{ROUTES}.{key}")),
            Content::Null => Vec::new(),
            Content::Mapping(_) => {
                self.problem(
                    node.place,
                    format!("{ROUTES}.{key}: expected a list, found a mapping"),
                );
                Vec::new()
            }
        }
    }

    fn labels(&mut self, node: Node) -> BTreeMap<String, String> {
        let mut labels = BTreeMap::new();
        match node.content {
            Content::Mapping(pairs) => {
                for (name, _, value) in pairs {
                    match value.content {
                        Content::Scalar(text) => {
                            labels.insert(name, text);
                        }
                        other => {
                            let found = other.kind();
                            self.problem(
                                value.place,
                                format!("{ROUTES}.labels.{name}: expected a value, found {found}"),
                            );
                        }
                    }
                }
            }
            Content::Null => {}
            other => {
                let found = other.kind();
                self.problem(
                    node.place,
                    format!("{ROUTES}.labels: expected labels and their values, found {found}"),
                );
            }
        }
        labels
    }
}

/// Returns the setting whose file a key names.
fn file_of(key: &str) -> Option<&'static Setting> {
    find(key.strip_suffix(FILE_SUFFIX)?).filter(|setting| setting.can_lie_in_file())
}

fn unknown_key(prefix: &str, name: &str) -> String {
    let group = prefix.trim_end_matches('.');
    let stands_in = if group.is_empty() {
        String::new()
    } else {
        format!(" in '{group}'")
    };
    let meant = nearest(name, siblings(prefix).iter().copied()).or_else(|| elsewhere(name));
    format!("unknown key '{name}'{stands_in}{}", did_you_mean(meant))
}

fn unknown_field(kind: &str, name: &str) -> String {
    let known = channels::fields(kind).map(Setting::last_name);
    let meant = did_you_mean(nearest(name, known));
    format!("unknown key '{name}' in a channel of kind {kind}{meant}")
}

/// Lists the names that may stand below a prefix.
pub(super) fn siblings(prefix: &str) -> Vec<&'static str> {
    let of_table = SETTINGS
        .iter()
        .filter_map(|setting| setting.key.strip_prefix(prefix))
        .map(|rest| rest.split('.').next().unwrap_or(rest));
    let others = [CHANNELS, ROUTES, "version"]
        .into_iter()
        .filter_map(|key| key.strip_prefix(prefix))
        .filter(|rest| !rest.contains('.'));
    let mut names: Vec<&str> = of_table.chain(others).collect();
    names.sort_unstable();
    names.dedup();
    names
}

/// Returns the whole key of a setting of that name in another group.
fn elsewhere(name: &str) -> Option<&'static str> {
    let is_meant = |setting: &&Setting| {
        setting.last_name() == name || setting.flag == name || setting.older.contains(&name)
    };
    SETTINGS.iter().find(is_meant).map(|setting| setting.key)
}

fn did_you_mean(name: Option<&str>) -> String {
    name.map(|name| format!("; did you mean '{name}'?"))
        .unwrap_or_default()
}
