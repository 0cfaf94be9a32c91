//! What the older tool's `docker-compose.yaml` says, as far as it is simple.

use std::path::{Path, PathBuf};

use crate::settings::{Content, EnvFile, parse_yaml};

/// The service of the older tool.
const SERVICE: &str = "image-scanner";

/// Where things lie in the older tool's container, and in its directory.
const PLACES: [(&str, &str); 5] = [
    ("/var/log/security-scans", "logs"),
    ("/trivy-cache", "cache"),
    ("/snapshots", "snapshots"),
    ("/ignore-images.txt", "ignore-images.txt"),
    ("/run/secrets", "secrets"),
];

/// Holds what a compose file says of the service.
#[derive(Debug, Default)]
pub(super) struct Compose {
    /// Variables and their values, with replaced variables filled in.
    pub(super) environment: Vec<(String, String)>,
    /// Places of the host and of the container.
    volumes: Vec<(PathBuf, PathBuf)>,
    /// What was not understood.
    pub(super) not_understood: Vec<String>,
    /// The service was found.
    pub(super) is_read: bool,
}

impl Compose {
    /// Reads a compose file's text. Anything that is not simple is named and left out.
    pub(super) fn parse(text: &str, directory: &Path, env_file: &EnvFile) -> Self {
        let mut compose = Self::default();
        let root = match parse_yaml(text, "docker-compose.yaml") {
            Ok(root) => root.content,
            Err(problem) => {
                compose.not_understood.push(problem.to_string());
                return compose;
            }
        };
        let Some(service) = member(root, "services").and_then(|all| member(all, SERVICE)) else {
            let text = format!("docker-compose.yaml: there is no service {SERVICE}");
            compose.not_understood.push(text);
            return compose;
        };
        let Content::Mapping(pairs) = service else {
            let text = format!("docker-compose.yaml: the service {SERVICE} is no mapping");
            compose.not_understood.push(text);
            return compose;
        };
        compose.is_read = true;
        for (key, _, node) in pairs {
            match key.as_str() {
                "environment" => compose.read_environment(node.content, env_file),
                "volumes" => compose.read_volumes(node.content, directory, env_file),
                _ => {}
            }
        }
        compose
    }

    /// Returns the place on the host of a place in the container.
    pub(super) fn on_host(&self, directory: &Path, inside: &Path) -> Option<PathBuf> {
        let of_file = self
            .volumes
            .iter()
            .find_map(|(host, place)| Some(host.join(inside.strip_prefix(place).ok()?)));
        let usual = || {
            PLACES.iter().find_map(|(place, name)| {
                let rest = inside.strip_prefix(place).ok()?;
                Some(directory.join(name).join(rest))
            })
        };
        let host = of_file.or_else(usual)?;
        // Joining nothing leaves a slash behind, which makes a file a directory.
        Some(host.components().collect())
    }

    fn read_environment(&mut self, content: Content, env_file: &EnvFile) {
        let pairs: Vec<(String, Option<String>)> = match content {
            Content::Mapping(pairs) => pairs
                .into_iter()
                .map(|(name, _, node)| (name, scalar(node.content)))
                .collect(),
            Content::Sequence(items) => items
                .into_iter()
                .filter_map(|item| scalar(item.content))
                .map(|text| match text.split_once('=') {
                    Some((name, value)) => (name.to_owned(), Some(value.to_owned())),
                    None => (text, None),
                })
                .collect(),
            _ => Vec::new(),
        };
        for (name, value) in pairs {
            // Without a value it is passed on from where compose is called.
            let Some(value) = value else { continue };
            match filled(&value, env_file) {
                Some(value) if value.is_empty() => {}
                Some(value) => self.environment.push((name, value)),
                None => self.not_understood.push(format!(
                    "docker-compose.yaml: {name}: the value is made of variables"
                )),
            }
        }
    }

    fn read_volumes(&mut self, content: Content, directory: &Path, env_file: &EnvFile) {
        let Content::Sequence(items) = content else {
            return;
        };
        for item in items {
            let text = scalar(item.content).and_then(|text| filled(&text, env_file));
            let Some(text) = text else {
                let text = "docker-compose.yaml: a volume is not of the form HOST:CONTAINER";
                self.not_understood.push(text.to_owned());
                continue;
            };
            let mut parts = text.split(':');
            let (Some(host), Some(inside)) = (parts.next(), parts.next()) else {
                continue;
            };
            // What is no path is the name of a volume, whose place only the engine knows.
            if host.starts_with(['.', '/']) {
                let host = directory.join(host).components().collect();
                self.volumes.push((host, PathBuf::from(inside)));
            } else {
                self.not_understood.push(format!(
                    "docker-compose.yaml: volume {host}: only the engine knows where it lies"
                ));
            }
        }
    }
}

fn member(content: Content, name: &str) -> Option<Content> {
    let Content::Mapping(pairs) = content else {
        return None;
    };
    let pair = pairs.into_iter().find(|(key, ..)| key == name);
    pair.map(|(_, _, node)| node.content)
}

fn scalar(content: Content) -> Option<String> {
    match content {
        Content::Scalar(text) => Some(text),
        _ => None,
    }
}

/// Replaces `${NAME}`, `${NAME:-default}` and `${NAME-default}`; none if there is more to it.
fn filled(text: &str, env_file: &EnvFile) -> Option<String> {
    let mut value = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('$') {
        value.push_str(before);
        if let Some(after) = after.strip_prefix('$') {
            value.push('$');
            rest = after;
            continue;
        }
        let (inside, after) = after.strip_prefix('{')?.split_once('}')?;
        let (name, default) = inside
            .split_once(":-")
            .or_else(|| inside.split_once('-'))
            .unwrap_or((inside, ""));
        let is_name = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        if name.is_empty() || !is_name || default.contains('$') {
            return None;
        }
        match env_file.get(name) {
            Some(line) => value.push_str(&line.value),
            None => value.push_str(default),
        }
        rest = after;
    }
    value.push_str(rest);
    Some(value)
}
