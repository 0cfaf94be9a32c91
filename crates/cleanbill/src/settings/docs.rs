//! The page of the documentation, made of the table.

use std::fmt::Write as _;

use super::channels::{self, CHANNEL_KINDS};
use super::default::DefaultValue;
use super::kind::Kind;
use super::table::{SETTINGS, Setting};

/// What stands above the tables.
const ABOVE: &str = include_str!("docs/above.md");

/// What stands below them.
const BELOW: &str = include_str!("docs/below.md");

/// Groups of settings with their headings, in order.
const GROUPS: &[(&str, &str)] = &[
    ("watch", "What is watched, and when"),
    ("baseline", "Baselines"),
    ("scan", "Scans"),
    ("docker", "Engine"),
    ("network", "Network"),
    ("cache", "Cache"),
    ("state", "State"),
    ("database", "Advisory database"),
    ("log", "Logs"),
    ("retention", "Retention"),
    ("metrics", "Metrics and health"),
    ("notify", "Messages"),
    ("notify.smtp", "E-mail"),
    ("notify.slack", "Slack"),
    ("notify.webhook", "Webhook"),
    ("notify.teams", "Microsoft Teams"),
    ("notify.discord", "Discord"),
    ("notify.mattermost", "Mattermost"),
    ("notify.ntfy", "ntfy"),
    ("notify.gotify", "Gotify"),
];

/// Returns `docs/settings.md`.
pub(crate) fn page() -> String {
    let mut page = ABOVE.to_owned();
    for (group, heading) in GROUPS {
        add(
            &mut page,
            format_args!(
                "\n### {heading}\n\n| Key | Flag | Environment | Older name | Value | Default | Meaning |\n\
                 |---|---|---|---|---|---|---|\n"
            ),
        );
        for setting in SETTINGS
            .iter()
            .filter(|setting| group_of(setting) == *group)
        {
            page.push_str(&row(setting));
        }
    }
    page.push_str("\n## Channels by name\n\n| Kind | Needs | May have |\n|---|---|---|\n");
    for (kind, required) in CHANNEL_KINDS {
        let name = |field: &str| format!("`{field}`");
        let others: Vec<String> = channels::fields(kind)
            .map(Setting::last_name)
            .filter(|field| !required.contains(field))
            .map(name)
            .collect();
        let required: Vec<String> = required.iter().map(|field| name(field)).collect();
        add(
            &mut page,
            format_args!(
                "| `{kind}` | {} | {} |\n",
                required.join(", "),
                others.join(", ")
            ),
        );
    }
    page.push_str(BELOW);
    page
}

/// Returns the part of a key that is no name of its own.
fn group_of(setting: &Setting) -> &'static str {
    setting.key.rsplit_once('.').map_or("", |(group, _)| group)
}

fn row(setting: &Setting) -> String {
    let names = |names: &[&str]| {
        let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
        names.join(", ")
    };
    let short = setting.short.map(|short| format!("`-{short}`, "));
    let alias = setting.flag_alias.map(|alias| format!(", `--{alias}`"));
    let mut help = setting.help.replace('|', "\\|");
    if setting.is_secret {
        help.push_str(". Secret");
    }
    if setting.needs_restart {
        help.push_str(". Takes effect after a restart");
    }
    if setting.commands != ["watch"] {
        help.push_str(&format!(". Read by {}", names(setting.commands)));
    }
    format!(
        "| `{}` | {}`--{}`{} | `{}` | {} | {} | {} | {help} |\n",
        setting.key,
        short.unwrap_or_default(),
        setting.flag,
        alias.unwrap_or_default(),
        setting.environment(),
        names(setting.older),
        value(setting.kind),
        default(setting),
    )
}

fn default(setting: &Setting) -> String {
    match setting.default {
        DefaultValue::Unset => String::new(),
        DefaultValue::Text(text) => format!("`{text}`"),
        DefaultValue::Found { words, .. } => words.to_owned(),
    }
}

fn value(kind: Kind) -> String {
    match kind {
        Kind::Text => "text".into(),
        Kind::Path => "path".into(),
        Kind::Program => "path or name".into(),
        Kind::Url | Kind::Server => "address".into(),
        Kind::EngineUrl => "`unix://`, `tcp://`, `http://` or `https://` address".into(),
        Kind::MailAddress => "mail address".into(),
        Kind::MailAddresses => "mail addresses".into(),
        Kind::Boolean => "true or false".into(),
        Kind::Number { min, max } => format!("{min} to {max}"),
        Kind::Size => "size".into(),
        Kind::Duration => "duration".into(),
        Kind::Schedule => "duration or cron expression".into(),
        Kind::Period => "`off`, `daily`, `weekly` or duration".into(),
        Kind::TimeZone => "time zone".into(),
        Kind::TimeOfDay => "time".into(),
        Kind::QuietHours => "`off` or `HH:MM-HH:MM`".into(),
        Kind::Choice(choices) => format!("`{}`", choices.join("`, `")),
        Kind::Choices(choices) => format!("some of `{}`", choices.join("`, `")),
        Kind::Severities => "severities".into(),
        Kind::FixStatuses => "states".into(),
        Kind::SeveritySources => "sources".into(),
        Kind::Thresholds => "`critical=0,high=5`".into(),
        Kind::Texts => "texts".into(),
        Kind::Paths => "paths".into(),
        Kind::ImagePatterns => "names or patterns".into(),
        Kind::Arguments => "words, as in a shell".into(),
        Kind::Listen => "`off`, port, or address with port".into(),
    }
}

fn add(page: &mut String, text: std::fmt::Arguments<'_>) {
    page.write_fmt(text)
        .expect("writing to a string does not fail");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_setting_stands_in_one_group() {
        for setting in SETTINGS {
            let group = group_of(setting);
            let count = GROUPS.iter().filter(|(name, _)| *name == group).count();
            assert_eq!(count, 1, "{}", setting.key);
        }
        let page = page();
        for setting in SETTINGS {
            assert_eq!(
                page.matches(&format!("\n| `{}` |", setting.key)).count(),
                1,
                "{}",
                setting.key
            );
        }
    }
}
