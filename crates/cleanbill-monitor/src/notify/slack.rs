//! Slack: Block Kit to an incoming webhook.
//!
//! Source: Slack, "Reference: blocks" (a message has 50 blocks, a section 3,000 characters, a
//! header 150) and "Sending messages using incoming webhooks".

#[cfg(test)]
mod tests;

use serde_json::{Value, json};

use super::channel::{
    Channel, ChannelError, ChannelInfo, ChannelSettings, HttpChannel, Service, Surroundings,
    require,
};
use super::message::Notification;
use super::outline::{
    Detail, Entry, Line, Markup as _, Outline, Rendered, SlackText, join_lines, mark,
    render_fitting, utf16_units, write_line,
};
use super::words::clip;

pub(super) const INFO: ChannelInfo = ChannelInfo {
    name: "slack",
    title: "Slack",
    open,
};

const BLOCKS_MAX: usize = 50;
const SECTION_CHARS_MAX: usize = 3_000;
const HEADER_CHARS_MAX: usize = 150;

#[derive(Clone, Copy, Debug)]
struct Slack;

fn open(
    settings: &ChannelSettings,
    surroundings: &Surroundings,
) -> Option<Result<Box<dyn Channel>, ChannelError>> {
    let ChannelSettings::Slack(settings) = settings else {
        return None;
    };
    let url = &settings.webhook_url;
    let opened = require(&INFO, "webhook_url", url.expose()).and_then(|url| {
        HttpChannel::open(&INFO, url, settings.allow_plain_http, surroundings, Slack)
    });
    Some(opened)
}

impl Service for Slack {
    fn render(&self, message: &Notification) -> Rendered {
        let fits = |body: &str| {
            serde_json::from_str::<Value>(body)
                .ok()
                .and_then(|value| value.get("blocks")?.as_array().map(Vec::len))
                .is_some_and(|count| count <= BLOCKS_MAX)
        };
        render_fitting(message, |shown| payload(message, shown).to_string(), fits)
    }

    fn is_acknowledged(&self, answer: &str) -> bool {
        answer.trim() == "ok"
    }
}

fn payload(message: &Notification, shown: usize) -> Value {
    let outline = Outline::new(message, shown, Detail::CHAT);
    let title = clip(&outline.title, HEADER_CHARS_MAX);
    let mut blocks = vec![json!({
        "type": "header",
        "text": {"type": "plain_text", "text": title, "emoji": false},
    })];
    blocks.extend(sections(&lines(&outline.summary)));
    let mut loose = Vec::new();
    for entry in &outline.entries {
        match entry.severity {
            Some(_) => {
                blocks.extend(sections(&std::mem::take(&mut loose)));
                blocks.extend(group_section(entry));
            }
            None => loose.extend(lines(&entry.lines)),
        }
    }
    blocks.extend(sections(&loose));
    let footer = join_lines(&lines(&outline.footer), SECTION_CHARS_MAX, utf16_units);
    blocks.push(json!({
        "type": "context",
        "elements": [{"type": "mrkdwn", "text": footer, "verbatim": true}],
    }));
    json!({
        "text": SlackText.text(&title),
        "blocks": blocks,
        "unfurl_links": false,
        "unfurl_media": false,
    })
}

/// Shows a vulnerability in one section; what does not fit into it is left out by lines.
fn group_section(entry: &Entry) -> Option<Value> {
    let mut lines = lines(&entry.lines);
    if let (Some(first), Some(severity)) = (lines.first_mut(), entry.severity) {
        first.insert_str(0, &format!("{} ", mark(severity)));
    }
    let text = join_lines(&lines, SECTION_CHARS_MAX, utf16_units);
    (!text.is_empty()).then(|| section(&text))
}

/// Packs lines into as few sections as they need.
fn sections(lines: &[String]) -> Vec<Value> {
    let mut texts: Vec<String> = Vec::new();
    for line in lines.iter().filter(|line| !line.is_empty()) {
        match texts.last_mut() {
            Some(text) if utf16_units(text) + 1 + utf16_units(line) <= SECTION_CHARS_MAX => {
                text.push('\n');
                text.push_str(line);
            }
            _ => texts.push(line.clone()),
        }
    }
    texts.iter().map(|text| section(text)).collect()
}

fn section(text: &str) -> Value {
    // Verbatim: Slack makes neither links nor mentions of what merely looks like them.
    json!({"type": "section", "text": {"type": "mrkdwn", "text": text, "verbatim": true}})
}

fn lines(lines: &[Line]) -> Vec<String> {
    lines
        .iter()
        .map(|line| write_line(line, &SlackText))
        .collect()
}
