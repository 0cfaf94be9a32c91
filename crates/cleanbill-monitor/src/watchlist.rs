//! Which images of a host are watched.

use std::collections::{BTreeMap, BTreeSet};

use cleanbill_core::{Digest, ImagePattern, Severity};

/// A container's label that takes the image it runs off the list (`false`).
pub const LABEL_ENABLE: &str = "cleanbill.enable";
/// A container's label that names the severities that count for the image it runs.
pub const LABEL_SEVERITY: &str = "cleanbill.severity";
/// A container's label that names the channels that are told of the image it runs.
pub const LABEL_NOTIFY: &str = "cleanbill.notify";

/// What a host has, at one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Listing {
    /// Each name that an image has, once.
    pub images: Vec<ListedImage>,
    /// The containers, running or not.
    pub containers: Vec<ListedContainer>,
}

/// A name of an image.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ListedImage {
    /// The tag; where there is none, the digest.
    pub name: String,
    /// The image that it means.
    pub id: Digest,
}

/// A container.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct ListedContainer {
    /// Its name.
    pub name: String,
    /// Its id.
    pub id: String,
    /// The name of its image, as it was given.
    pub image: String,
    /// The image that it was made from.
    pub image_id: Option<Digest>,
    /// It runs.
    pub is_running: bool,
    /// Its labels.
    pub labels: BTreeMap<String, String>,
}

/// Says which images are watched.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WatchRules {
    /// Only these; all if empty.
    pub only: Vec<ImagePattern>,
    /// Never these.
    pub ignored: Vec<ImagePattern>,
    /// Only images that a container runs.
    pub running_only: bool,
}

/// An image that is watched.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WatchedImage {
    /// The name that it is watched by.
    pub name: String,
    /// The image that the name means; `None` if the host has none of that name.
    pub id: Option<Digest>,
    /// The containers that run it, by name.
    pub containers: Vec<String>,
    /// The severities that its labels ask for; empty if they say nothing.
    pub severities: BTreeSet<Severity>,
    /// The labels of the containers that run it; a name may occur several times.
    pub labels: Vec<(String, String)>,
}

/// What the rules make of a listing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Watchlist {
    /// The images that are watched, by name.
    pub watched: Vec<WatchedImage>,
    /// The names that the rules or labels leave out, sorted.
    pub ignored: Vec<String>,
    /// Labels that make no sense: container, label and value.
    pub odd_labels: Vec<String>,
}

/// Applies the rules. A name that is asked for and that the host does not have is watched all the
/// same: that it cannot be looked at is something to tell.
pub fn watchlist(listing: &Listing, rules: &WatchRules) -> Watchlist {
    let mut list = Watchlist::default();
    let mut images: Vec<&ListedImage> = listing.images.iter().collect();
    images.sort();
    images.dedup_by(|a, b| a.name == b.name);
    for image in images {
        let is_asked_for = rules.only.is_empty() || matches(&rules.only, &image.name);
        if !is_asked_for {
            continue;
        }
        let running = running(listing, image);
        let is_left_out = matches(&rules.ignored, &image.name) || is_disabled(&running);
        if is_left_out {
            list.ignored.push(image.name.clone());
        } else if !(rules.running_only && running.is_empty()) {
            list.watched
                .push(watched(image, &running, &mut list.odd_labels));
        }
    }
    for name in absent(listing, rules) {
        list.watched.push(WatchedImage {
            name,
            ..WatchedImage::default()
        });
    }
    list.watched.sort_by(|a, b| a.name.cmp(&b.name));
    list.odd_labels.sort();
    list.odd_labels.dedup();
    list
}

fn matches(patterns: &[ImagePattern], name: &str) -> bool {
    patterns.iter().any(|pattern| pattern.matches(name))
}

/// The containers that run an image. One that was made from what a name meant before runs another
/// image by now.
fn running<'a>(listing: &'a Listing, image: &ListedImage) -> Vec<&'a ListedContainer> {
    let mut running: Vec<_> = listing
        .containers
        .iter()
        .filter(|container| container.is_running && container.image_id == Some(image.id))
        .collect();
    running.sort();
    running
}

/// An image is off the list if a container that runs it says so and none says the contrary.
fn is_disabled(running: &[&ListedContainer]) -> bool {
    let mut answers = running
        .iter()
        .filter_map(|container| container.labels.get(LABEL_ENABLE))
        .peekable();
    answers.peek().is_some() && answers.all(|answer| is_no(answer))
}

fn is_no(answer: &str) -> bool {
    ["false", "0", "no", "off"]
        .iter()
        .any(|no| answer.trim().eq_ignore_ascii_case(no))
}

fn watched(
    image: &ListedImage,
    running: &[&ListedContainer],
    odd_labels: &mut Vec<String>,
) -> WatchedImage {
    let mut watched = WatchedImage {
        name: image.name.clone(),
        id: Some(image.id),
        containers: running
            .iter()
            .map(|container| container.name.clone())
            .collect(),
        ..WatchedImage::default()
    };
    for container in running {
        for word in words(container.labels.get(LABEL_SEVERITY)) {
            match word.parse() {
                Ok(severity) => {
                    watched.severities.insert(severity);
                }
                Err(error) => odd_labels.push(format!(
                    "label {LABEL_SEVERITY} of container {}: {error}",
                    container.name
                )),
            }
        }
        let labels = container.labels.iter();
        watched
            .labels
            .extend(labels.map(|(name, value)| (name.clone(), value.clone())));
    }
    watched
}

fn words(list: Option<&String>) -> impl Iterator<Item = &str> {
    list.map_or("", String::as_str)
        .split(',')
        .map(str::trim)
        .filter(|word| !word.is_empty())
}

/// The names that are asked for exactly and that the host does not have.
fn absent(listing: &Listing, rules: &WatchRules) -> BTreeSet<String> {
    rules
        .only
        .iter()
        .filter(|pattern| pattern.is_exact())
        .filter(|pattern| {
            !listing
                .images
                .iter()
                .any(|image| pattern.matches(&image.name))
        })
        .filter(|pattern| !matches(&rules.ignored, pattern.as_str()))
        .map(|pattern| pattern.as_str().to_owned())
        .collect()
}

#[cfg(test)]
mod tests;
