//! `config show`: the values that are in force, and where each came from.

use std::fmt::Write as _;

use serde_json::{Value as Json, json};

use super::loader::{Loaded, LoadedChannel};
use super::origin::Origin;
use super::resolve::Resolved;
use super::table::SETTINGS;
use super::watch_settings::WatchSettings;

/// Characters that a value may have before its origin is moved further right.
const VALUE_WIDTH_MAX: usize = 48;

/// Returns a table for people: key, value, origin.
pub(crate) fn as_text(loaded: &Loaded) -> String {
    let mut rows: Vec<[String; 3]> = vec![["SETTING".into(), "VALUE".into(), "FROM".into()]];
    for setting in SETTINGS {
        if let Some(one) = loaded.resolved.get(setting.key) {
            rows.push([setting.key.to_owned(), shown(one), one.origin.to_string()]);
        }
    }
    for channel in loaded.channels.iter().filter(|channel| channel.is_named) {
        let name = &channel.name;
        let origin = channel_origin(channel);
        rows.push([
            format!("notify.channels.{name}.kind"),
            channel.kind.to_owned(),
            origin,
        ]);
        for one in channel.values.values().filter(|one| !one.is_empty()) {
            let field = one.setting.last_name();
            rows.push([
                format!("notify.channels.{name}.{field}"),
                shown(one),
                one.origin.to_string(),
            ]);
        }
    }
    let mut text = table(&rows);
    sentences(&mut text, loaded);
    text
}

fn table(rows: &[[String; 3]]) -> String {
    let width = |column: usize, max: usize| {
        let widths = rows.iter().map(|row| row[column].chars().count());
        widths.filter(|width| *width <= max).max().unwrap_or(0)
    };
    let (first, second) = (width(0, usize::MAX), width(1, VALUE_WIDTH_MAX));
    let mut text = String::new();
    for [key, value, origin] in rows {
        add(
            &mut text,
            format_args!("{key:first$}  {value:second$}  {origin}\n"),
        );
    }
    text
}

/// Says what follows from the settings for channels, routes and passes.
fn sentences(text: &mut String, loaded: &Loaded) {
    let WatchSettings {
        notify, schedule, ..
    } = &loaded.settings;
    let names: Vec<&str> = notify.channels.iter().map(|c| c.name.as_str()).collect();
    let told = match (names.as_slice(), notify.routes.len()) {
        ([], _) => "Nobody is told: no channel is set up.".to_owned(),
        (names, 0) => format!("Everything is told to: {}.", names.join(", ")),
        (names, 1) => format!("Told by one route to: {}.", names.join(", ")),
        (names, count) => format!("Told by {count} routes to: {}.", names.join(", ")),
    };
    let delay = super::text::print_duration(schedule.jitter);
    add(
        text,
        format_args!("\n{told}\nA pass begins up to {delay} late, by chance.\n"),
    );
}

fn shown(one: &Resolved) -> String {
    if one.is_empty() {
        return "-".to_owned();
    }
    cleanbill_report::text::clean(&one.value.to_string()).into_owned()
}

fn channel_origin(channel: &LoadedChannel) -> String {
    let mut origins = channel.values.values().map(|one| &one.origin);
    match origins.find_map(|origin| match origin {
        Origin::File { path, .. } => Some(path),
        _ => None,
    }) {
        Some(path) => path.display().to_string(),
        None => "file".to_owned(),
    }
}

/// Returns the same for machines.
pub(crate) fn as_json(loaded: &Loaded) -> Json {
    let settings: Vec<Json> = SETTINGS
        .iter()
        .filter_map(|setting| loaded.resolved.get(setting.key))
        .map(|one| entry(one.setting.key, one))
        .collect();
    let channels: Vec<Json> = loaded
        .channels
        .iter()
        .map(|channel| {
            let fields: Vec<Json> = channel
                .values
                .values()
                .filter(|one| !one.is_empty())
                .map(|one| entry(one.setting.last_name(), one))
                .collect();
            json!({"name": channel.name, "kind": channel.kind, "fields": fields})
        })
        .collect();
    let routes: Vec<Json> = loaded
        .settings
        .notify
        .routes
        .iter()
        .map(|route| {
            let severities: Vec<String> =
                route.severities.iter().map(ToString::to_string).collect();
            json!({
                "severity": severities,
                "images": route.images,
                "labels": route.labels,
                "to": route.channels,
            })
        })
        .collect();
    json!({
        "settings": settings,
        "channels": channels,
        "routes": routes,
        "warnings": loaded.warnings,
    })
}

fn entry(key: &str, one: &Resolved) -> Json {
    json!({
        "key": key,
        "value": one.value.to_json(),
        "origin": one.origin.kind(),
        "from": one.origin.to_string(),
    })
}

fn add(text: &mut String, more: std::fmt::Arguments<'_>) {
    text.write_fmt(more)
        .expect("writing to a string does not fail");
}
