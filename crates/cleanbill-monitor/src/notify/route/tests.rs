use std::collections::BTreeMap;

use super::{Route, RouteRules, Routed, channels_missing, route};
use crate::LABEL_NOTIFY;
use crate::notify::compose::ImageFacts;
use crate::notify::message::Counts;
use crate::notify::samples::{advisory_changed, change, facts, finding};
use cleanbill_core::Severity;
use cleanbill_core::change::{Change, ChangeKind};

fn channels(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

fn changes() -> Vec<Change> {
    [
        ("shop/web:1", ChangeKind::New, Severity::Critical),
        ("shop/web:1", ChangeKind::New, Severity::Low),
        ("db/pg:16", ChangeKind::New, Severity::High),
        (
            "db/pg:16",
            ChangeKind::SeverityChanged {
                from: Severity::Critical,
            },
            Severity::Low,
        ),
    ]
    .map(|(image, kind, severity)| {
        change(
            image,
            kind,
            advisory_changed(),
            finding("CVE-1", severity, "a"),
        )
    })
    .to_vec()
}

fn images(labels: &[(&str, &str)]) -> Vec<ImageFacts> {
    let mut web = facts("shop/web:1", Counts::default());
    web.labels = labels
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect();
    vec![web, facts("db/pg:16", Counts::default())]
}

/// Checks which changes reach which channel.
#[track_caller]
fn check(routes: Vec<Route>, labels: &[(&str, &str)], expected: &[(&str, &[usize])]) {
    let rules = RouteRules {
        channels: channels(&["mail", "chat"]),
        routes,
    };
    let routed: BTreeMap<String, Routed> = route(&changes(), &images(labels), &rules);
    let found: Vec<(&str, &[usize])> = routed
        .iter()
        .filter(|(_, routed)| !routed.changes.is_empty())
        .map(|(name, routed)| (name.as_str(), routed.changes.as_slice()))
        .collect();
    assert_eq!(found, expected);
}

fn to(names: &[&str]) -> Route {
    Route {
        channels: channels(names),
        ..Route::default()
    }
}

#[test]
fn without_routes_everybody_hears_everything() {
    check(
        Vec::new(),
        &[],
        &[("chat", &[0, 1, 2, 3]), ("mail", &[0, 1, 2, 3])],
    );
}

#[test]
fn routes_ask_for_severity_image_and_label() {
    let severe = Route {
        severities: vec![Severity::Critical],
        ..to(&["chat"])
    };
    // The last one was critical: who was told so is told that it is not any more.
    check(vec![severe.clone()], &[], &[("chat", &[0, 3])]);
    let images = Route {
        images: vec!["db/*".parse().unwrap()],
        ..to(&["mail"])
    };
    check(vec![images.clone()], &[], &[("mail", &[2, 3])]);
    check(
        vec![severe, images],
        &[],
        &[("chat", &[0, 3]), ("mail", &[2, 3])],
    );
    let label = |value: &str| Route {
        labels: vec![("team".to_owned(), value.to_owned())],
        ..to(&["mail"])
    };
    check(
        vec![label("shop")],
        &[("team", "shop")],
        &[("mail", &[0, 1])],
    );
    check(vec![label("")], &[("team", "any")], &[("mail", &[0, 1])]);
    check(vec![label("shop")], &[("team", "other")], &[]);
    let both = Route {
        labels: ["team", "stage"]
            .map(|name| (name.to_owned(), "a".to_owned()))
            .to_vec(),
        ..to(&["mail"])
    };
    check(vec![both.clone()], &[("team", "a")], &[]);
    check(
        vec![both],
        &[("team", "a"), ("stage", "a")],
        &[("mail", &[0, 1])],
    );
}

#[test]
fn the_label_of_an_image_decides_before_the_routes() {
    let all = || vec![to(&["mail"])];
    check(
        all(),
        &[("cleanbill.notify", "chat")],
        &[("chat", &[0, 1]), ("mail", &[2, 3])],
    );
    check(all(), &[("cleanbill.notify", "off")], &[("mail", &[2, 3])]);
    check(
        all(),
        &[("cleanbill.notify", "true")],
        &[("mail", &[0, 1, 2, 3])],
    );
    let both = [
        ("cleanbill.notify", "off"),
        ("cleanbill.notify", "chat, nobody"),
    ];
    check(all(), &both, &[("chat", &[0, 1]), ("mail", &[2, 3])]);
}

#[test]
fn channels_that_there_are_not_are_named() {
    let label = |value: &str| vec![(LABEL_NOTIFY.to_owned(), value.to_owned())];
    let channels = ["mail".to_owned(), "chat".to_owned()];
    for (value, expected) in [
        ("chat, nobody", &["nobody"][..]),
        ("mail,chat", &[]),
        ("off", &[]),
        ("true", &[]),
    ] {
        assert_eq!(channels_missing(&label(value), &channels), expected);
    }
    assert!(channels_missing(&[], &channels).is_empty());
}
