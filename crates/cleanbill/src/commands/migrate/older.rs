//! What lies in the older tool's directory.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use cleanbill_core::count;

use super::compose::Compose;
use crate::error::CommandError;
use crate::settings::{
    Dialect, EnvFile, Given, Kind, REDACTED, SETTINGS, Setting, Value, read_file,
};

/// Bytes that a file of the directory may have.
const FILE_SIZE_BYTES_MAX: u64 = 1 << 20;

/// Variables of the older tool that are no settings, and what became of them.
const OTHERS: &[(&str, &str)] = &[(
    "TRIVY_VERSION",
    "it named the Trivy to build in; an installed Trivy is used as it is",
)];

/// Holds what the new file says, and what is to be told about it.
#[derive(Debug, Default)]
pub(super) struct Older {
    /// By key, in the order of the table when written.
    pub(super) values: BTreeMap<&'static str, Found>,
    /// What was read and done.
    did: Vec<String>,
    /// What is for the user to do.
    to_do: Vec<String>,
    not_understood: Vec<String>,
}

/// A value for the new file.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) content: FoundValue,
    /// Where it stood.
    pub(super) from: String,
}

/// How it is written.
#[derive(Debug)]
pub(super) enum FoundValue {
    Value(serde_json::Value),
    /// A file holds it.
    File(PathBuf),
    /// It stood there in clear, and has to be put into this file.
    Missing(PathBuf),
}

impl Older {
    /// Says what was done, and what was not.
    pub(super) fn report(&self) -> String {
        let mut text = String::new();
        let mut list = |title: &str, lines: &[String]| {
            if !lines.is_empty() {
                text.push_str(title);
                for line in lines {
                    text.push_str(&format!("  {}\n", cleanbill_report::text::clean(line)));
                }
            }
        };
        list("Read:\n", &self.did);
        list("\nFor you to do:\n", &self.to_do);
        list("\nNot understood, and left out:\n", &self.not_understood);
        text
    }

    fn put(&mut self, key: &'static str, content: FoundValue, from: &str) {
        let from = from.to_owned();
        self.values.insert(key, Found { content, from });
    }
}

/// Reads the directory.
///
/// # Errors
///
/// It is not one of the older tool.
pub(super) fn read(directory: &Path) -> Result<Older, CommandError> {
    let is_older = [
        ".env",
        "secrets",
        "snapshots",
        "ignore-images.txt",
        "docker-compose.yaml",
    ]
    .iter()
    .any(|name| directory.join(name).exists());
    if !is_older {
        return Err(CommandError::usage_text(format!(
            "{} has neither .env, secrets, snapshots, ignore-images.txt nor docker-compose.yaml",
            directory.display()
        ))
        .hint("name the directory that run.py lies in, usually security/"));
    }
    let mut older = Older::default();
    let env_file = read_env_file(directory, &mut older);
    let compose = read_compose(directory, &env_file, &mut older);
    // As it was: the environment of the service, which compose fills from .env, then secrets.
    read_secrets(directory, &mut older);
    let mut variables: BTreeMap<String, (String, String)> = BTreeMap::new();
    for line in &env_file.lines {
        if env_file.get(&line.name) == Some(line) {
            let from = format!(".env:{}", line.number);
            variables.insert(line.name.clone(), (line.value.clone(), from));
        }
    }
    for (name, value) in &compose.environment {
        let is_of_env_file = env_file.get(name).is_some_and(|line| line.value == *value);
        if !is_of_env_file {
            let from = "docker-compose.yaml".to_owned();
            variables.insert(name.clone(), (value.clone(), from));
        }
    }
    for (name, (value, from)) in &variables {
        read_variable(directory, &compose, name, value, from, &mut older);
    }
    read_places(directory, &compose, &mut older);
    note_trivy(&mut older);
    Ok(older)
}

fn read_env_file(directory: &Path, older: &mut Older) -> EnvFile {
    let path = directory.join(".env");
    if !path.exists() {
        return EnvFile::default();
    }
    let text = match read_file(&path, FILE_SIZE_BYTES_MAX) {
        Ok(text) => text,
        Err(error) => {
            older.not_understood.push(error);
            return EnvFile::default();
        }
    };
    match EnvFile::parse(&text, Path::new(".env")) {
        Ok(file) => {
            older
                .did
                .push(format!(".env: {} lines with values", file.lines.len()));
            file
        }
        Err(problems) => {
            let texts = problems.iter().map(ToString::to_string);
            older.not_understood.extend(texts);
            EnvFile::default()
        }
    }
}

fn read_compose(directory: &Path, env_file: &EnvFile, older: &mut Older) -> Compose {
    let path = directory.join("docker-compose.yaml");
    if !path.exists() {
        return Compose::default();
    }
    let mut compose = match read_file(&path, FILE_SIZE_BYTES_MAX) {
        Ok(text) => Compose::parse(&text, directory, env_file),
        Err(error) => {
            older.not_understood.push(error);
            return Compose::default();
        }
    };
    older.not_understood.append(&mut compose.not_understood);
    if compose.is_read {
        let text = format!(
            "docker-compose.yaml: {} variables of its own, places of the host",
            compose.environment.len()
        );
        older.did.push(text);
    }
    compose
}

/// Refers to the files of secrets; their content is read only where no file can be named.
fn read_secrets(directory: &Path, older: &mut Older) {
    let mut names: Vec<String> = std::fs::read_dir(directory.join("secrets"))
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| entry.file_name().into_string().ok())
        .filter(|name| !name.starts_with('.'))
        .collect();
    names.sort();
    for name in names {
        let path = directory.join("secrets").join(&name);
        let from = format!("secrets/{name}");
        match setting(&name) {
            _ if !path.is_file() => {}
            Some(setting) if setting.can_lie_in_file() => {
                older.did.push(format!("{from}: referred to, not copied"));
                older.put(setting.key, FoundValue::File(path), &from);
            }
            Some(setting) => match read_file(&path, FILE_SIZE_BYTES_MAX) {
                Ok(text) => {
                    let text = text.trim().to_owned();
                    put_value(setting, text, &from, older);
                }
                Err(error) => older.not_understood.push(error),
            },
            None => older
                .not_understood
                .push(format!("{from}: no setting has this name")),
        }
    }
}

fn read_variable(
    directory: &Path,
    compose: &Compose,
    name: &str,
    value: &str,
    from: &str,
    older: &mut Older,
) {
    if let Some((_, what)) = OTHERS.iter().find(|(other, _)| *other == name) {
        older
            .not_understood
            .push(format!("{name} ({from}): {what}"));
        return;
    }
    let Some(setting) = setting(name) else {
        let text = format!("{name} ({from}): the older tool has no such setting");
        older.not_understood.push(text);
        return;
    };
    if value.is_empty() {
        return;
    }
    if setting.is_secret {
        return put_secret(directory, setting, (name, value), from, older);
    }
    let is_path = matches!(setting.kind, Kind::Path);
    let text = if is_path {
        // Places in the container are those that the tool was given from outside.
        let inside = Path::new(value);
        let host = compose.on_host(directory, inside);
        let host = host.unwrap_or_else(|| directory.join(inside));
        host.display().to_string()
    } else {
        value.to_owned()
    };
    put_value(setting, text, from, older);
}

/// Says what to do about a secret that stands somewhere in clear. That counted before a file of
/// secrets, so such a file is used only if it says the same.
fn put_secret(
    directory: &Path,
    setting: &'static Setting,
    (name, value): (&str, &str),
    from: &str,
    older: &mut Older,
) {
    if let Some(Found {
        content: FoundValue::File(path),
        ..
    }) = older.values.get(setting.key)
    {
        let path = path.clone();
        let is_same = read_file(&path, FILE_SIZE_BYTES_MAX).is_ok_and(|text| text.trim() == value);
        if is_same {
            older.to_do.push(format!(
                "{name} stands in clear in {from} too, the same as in secrets/{name}, which is used \
                 now: delete the line"
            ));
            return;
        }
        older.to_do.push(format!(
            "{name} in {from} is another one than in secrets/{name}, and had precedence: put the \
             one that is right into {}, delete the line, and take the mark of a comment from its \
             line in the new file; until then, start with --env-file {}",
            path.display(),
            directory.join(".env").display()
        ));
        older
            .did
            .retain(|line| !line.starts_with(&format!("secrets/{name}:")));
        older.put(setting.key, FoundValue::Missing(path), from);
        return;
    }
    let path = directory.join("secrets").join(name);
    older.to_do.push(format!(
        "{name} stands in clear in {from} and was not copied: put it into {}, which only you can \
         read, and take the mark of a comment from its line in the new file; until then, start \
         with --env-file {}",
        path.display(),
        directory.join(".env").display()
    ));
    older.put(setting.key, FoundValue::Missing(path), from);
}

fn put_value(setting: &'static Setting, text: String, from: &str, older: &mut Older) {
    note_false(setting, &text, from, older);
    let given = Given::One(text);
    let parsed = setting
        .kind
        .parse(given, Dialect::Older, setting.is_secret, None);
    match parsed.map(|value| value.to_json()) {
        Ok(json) if json.to_string().contains(REDACTED) => older.to_do.push(format!(
            "{} has a password in {from} and was not copied",
            setting.key
        )),
        Ok(json) => older.put(setting.key, FoundValue::Value(json), from),
        Err(error) => older.not_understood.push(format!("{from}: {error}")),
    }
}

/// Says what the older tool took for false without a word, and that mail goes without encryption.
fn note_false(setting: &Setting, text: &str, from: &str, older: &mut Older) {
    let parse = |dialect| {
        let given = Given::One(text.to_owned());
        setting.kind.parse(given, dialect, false, None)
    };
    if setting.kind != Kind::Boolean || !matches!(parse(Dialect::Older), Ok(Value::Boolean(false)))
    {
        return;
    }
    if parse(Dialect::Ours).is_err() {
        older.to_do.push(format!(
            "{from}: '{text}' is neither true nor false; {} is false, as the older tool took it",
            setting.key
        ));
    }
    if setting.key == "notify.smtp.tls" {
        older.to_do.push(format!(
            "{from}: mail is sent in plain text, passwords included, until notify.smtp.tls is true"
        ));
    }
}

/// Names the places that the older tool had by default.
fn read_places(directory: &Path, compose: &Compose, older: &mut Older) {
    for (key, inside) in [
        ("baseline.directory", "/snapshots"),
        ("log.directory", "/var/log/security-scans"),
        ("watch.ignore_list", "/ignore-images.txt"),
    ] {
        let Some(path) = compose.on_host(directory, Path::new(inside)) else {
            continue;
        };
        if !older.values.contains_key(key) && path.exists() {
            let value = FoundValue::Value(path.display().to_string().into());
            older.put(key, value, &format!("{inside} of the container"));
        }
    }
    if let Some(path) = found_path(older, "baseline.directory") {
        older.did.push(baselines(&path));
    }
    if let Some(path) = found_path(older, "watch.ignore_list")
        && let Ok(text) = read_file(&path, FILE_SIZE_BYTES_MAX)
    {
        let lines = text
            .lines()
            .map(|line| line.split('#').next().unwrap_or_default());
        let number = lines.filter(|line| !line.trim().is_empty()).count();
        older.did.push(format!(
            "{}: {} to leave out, used where it is",
            path.display(),
            count(number as u64, "image")
        ));
    }
    // Trivy's cache is a place for the database if one lies there.
    let is_empty = |path: &Path| !path.join("db/trivy.db").is_file();
    let cache = compose.on_host(directory, Path::new("/trivy-cache"));
    let cache = found_path(older, "database.path").or(cache);
    match cache {
        Some(path) if is_empty(&path) => {
            if let Some(found) = older.values.remove("database.path") {
                older.did.push(format!(
                    "{}: no advisory database lies there, so the place named in {} is left out; \
                     watch fetches one into a place of its own",
                    path.display(),
                    found.from
                ));
            }
        }
        Some(path) => {
            older.did.push(format!(
                "{}: its advisory database is used where it is",
                path.display()
            ));
            let value = FoundValue::Value(path.display().to_string().into());
            older.put("database.path", value, "/trivy-cache of the container");
        }
        None => {}
    }
}

/// Says that flags for Trivy need a Trivy.
fn note_trivy(older: &mut Older) {
    let Some(Found {
        content: FoundValue::Value(value),
        from,
    }) = older.values.get("scan.trivy_args")
    else {
        return;
    };
    if value.as_array().is_some_and(|flags| !flags.is_empty()) {
        older.to_do.push(format!(
            "TRIVY_EXTRA_ARGS ({from}) has watch run an installed Trivy, and without one it does \
             not start: install Trivy where watch runs, or delete scan.trivy_args from the new \
             file, for the native engine, which finds the same"
        ));
    }
}

fn found_path(older: &Older, key: &str) -> Option<PathBuf> {
    match &older.values.get(key)?.content {
        FoundValue::Value(value) => value.as_str().map(PathBuf::from),
        _ => None,
    }
}

fn baselines(directory: &Path) -> String {
    let names: Vec<PathBuf> = std::fs::read_dir(directory)
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "json"))
        .collect();
    let is_wrong = |path: &&PathBuf| {
        let text = read_file(path, 64 * FILE_SIZE_BYTES_MAX).unwrap_or_default();
        let value: Result<serde_json::Value, _> = serde_json::from_str(&text);
        !value.is_ok_and(|value| value["vulnerabilities"].is_array())
    };
    let mut wrong: Vec<String> = names
        .iter()
        .filter(is_wrong)
        .map(|path| path.display().to_string())
        .collect();
    wrong.sort();
    let wrong = if wrong.is_empty() {
        String::new()
    } else {
        format!("; damaged: {}", wrong.join(", "))
    };
    format!(
        "{}: {} baselines, used where they are{wrong}",
        directory.display(),
        names.len()
    )
}

fn setting(name: &str) -> Option<&'static Setting> {
    SETTINGS
        .iter()
        .find(|setting| setting.names().any(|(known, _)| known == name))
}
