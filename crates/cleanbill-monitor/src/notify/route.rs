//! Who hears of what.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use cleanbill_core::change::{Change, ChangeKind};
use cleanbill_core::{ImagePattern, Severity};

use super::compose::ImageFacts;
use crate::LABEL_NOTIFY;

/// Sends what matches to channels. Every condition that is stated must hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Route {
    /// The names of the channels.
    pub channels: Vec<String>,
    /// These severities; any if there is none. Whether an image can be assessed at all has no
    /// severity and passes: a finding that nobody could look for may be of any.
    pub severities: Vec<Severity>,
    /// Images whose name matches one of these; any image if there is none.
    pub images: Vec<ImagePattern>,
    /// Images with all of these labels, name and value; any image if there is none. An empty
    /// value stands for every value.
    pub labels: Vec<(String, String)>,
}

/// Says who hears of what.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RouteRules {
    /// Every channel by name.
    pub channels: Vec<String>,
    /// The routes; all that match count. Without any, every channel hears of everything.
    pub routes: Vec<Route>,
}

/// Holds what one channel is told.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Routed {
    /// The changes, by their place in the list that was given.
    pub changes: Vec<usize>,
    /// The images that it hears of, by their place in the list that was given.
    pub images: Vec<usize>,
}

/// Decides for each channel what it is told. Channels that are told nothing are absent; routes
/// and labels that name a channel that does not exist lead nowhere.
pub fn route(
    changes: &[Change],
    images: &[ImageFacts],
    rules: &RouteRules,
) -> BTreeMap<String, Routed> {
    let facts: BTreeMap<&str, &ImageFacts> = images
        .iter()
        .map(|facts| (facts.name.as_str(), facts))
        .collect();
    let mut routed: BTreeMap<String, Routed> = BTreeMap::new();
    for channel in &rules.channels {
        let changes = positions(changes, |change| {
            let severities = severities(change);
            let facts = facts.get(change.image.as_str()).copied();
            rules.reaches(channel, &change.image, facts, &severities)
        });
        let images = positions(images, |facts| {
            rules.reaches(channel, &facts.name, Some(facts), &[])
        });
        if !changes.is_empty() || !images.is_empty() {
            routed.insert(channel.clone(), Routed { changes, images });
        }
    }
    routed
}

/// Returns the severities that a change is about: who was told that something is bad is told that
/// it is not.
fn severities(change: &Change) -> Vec<Severity> {
    let Some(finding) = &change.finding else {
        return Vec::new();
    };
    match change.kind {
        ChangeKind::SeverityChanged { from } => vec![from, finding.severity],
        _ => vec![finding.severity],
    }
}

/// Returns the channels that labels name and that there are not: nobody hears there.
pub(crate) fn channels_missing<'a>(
    labels: &'a [(String, String)],
    channels: &[String],
) -> Vec<&'a str> {
    match Wish::of(labels) {
        Wish::Nobody | Wish::Routes => Vec::new(),
        Wish::Channels(mut names) => {
            names.retain(|name| !channels.iter().any(|channel| channel == name));
            names
        }
    }
}

fn positions<T>(entries: &[T], is_wanted: impl Fn(&T) -> bool) -> Vec<usize> {
    let wanted = entries.iter().enumerate();
    wanted
        .filter(|(_, entry)| is_wanted(entry))
        .map(|(position, _)| position)
        .collect()
}

impl RouteRules {
    /// Says whether a channel hears of something. The label decides before the routes.
    fn reaches(
        &self,
        channel: &str,
        image: &str,
        facts: Option<&ImageFacts>,
        severities: &[Severity],
    ) -> bool {
        let labels = facts.map_or(&[][..], |facts| facts.labels.as_slice());
        match Wish::of(labels) {
            Wish::Nobody => false,
            Wish::Channels(names) => names.contains(&channel),
            Wish::Routes if self.routes.is_empty() => true,
            Wish::Routes => self.routes.iter().any(|route| {
                route.channels.iter().any(|name| name == channel)
                    && route.matches(image, labels, severities)
            }),
        }
    }
}

impl Route {
    fn matches(&self, image: &str, labels: &[(String, String)], severities: &[Severity]) -> bool {
        let is_wanted = self.severities.is_empty()
            || severities.is_empty()
            || severities
                .iter()
                .any(|severity| self.severities.contains(severity));
        let has_label = |(name, value): &(String, String)| {
            labels
                .iter()
                .any(|(key, text)| key == name && (value.is_empty() || text == value))
        };
        is_wanted
            && (self.images.is_empty() || self.images.iter().any(|pattern| pattern.matches(image)))
            && self.labels.iter().all(has_label)
    }
}

/// What the label [`LABEL_NOTIFY`] says about who hears of an image: names of channels separated
/// by commas; `false`, `off`, `no` or `0` for nobody; `true`, `on`, `yes` or `1` for whom the
/// routes name.
enum Wish<'a> {
    Routes,
    Nobody,
    Channels(Vec<&'a str>),
}

impl<'a> Wish<'a> {
    /// Reads the labels. Several containers may run an image: if one of them names channels,
    /// those hear of it; only if all say nobody, nobody does.
    fn of(labels: &'a [(String, String)]) -> Self {
        let mut values = labels
            .iter()
            .filter(|(name, _)| name == LABEL_NOTIFY)
            .map(|(_, value)| value.trim())
            .peekable();
        if values.peek().is_none() {
            return Wish::Routes;
        }
        let mut names = Vec::new();
        let mut asks_routes = false;
        for value in values {
            match value.to_ascii_lowercase().as_str() {
                "" | "1" | "true" | "yes" | "on" => asks_routes = true,
                "0" | "false" | "no" | "off" => {}
                _ => names.extend(value.split(',').map(str::trim)),
            }
        }
        match (names.is_empty(), asks_routes) {
            (false, _) => Wish::Channels(names),
            (true, true) => Wish::Routes,
            (true, false) => Wish::Nobody,
        }
    }
}
