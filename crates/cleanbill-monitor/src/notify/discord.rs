//! Discord: embeds to a webhook.
//!
//! Source: Discord, "Webhook resource: execute webhook" (2,000 characters of content, 10 embeds)
//! and "Message resource: embed limits" (4,096 of a description, 2,048 of a footer, 6,000 in all).

#[cfg(test)]
mod tests;

use cleanbill_core::Severity;
use serde_json::{Value, json};

use super::channel::{
    Channel, ChannelError, ChannelInfo, ChannelSettings, HttpChannel, Service, Surroundings,
    require,
};
use super::message::Notification;
use super::outline::{
    Detail, Line, Markdown, Outline, PlainText, Rendered, join_lines, mark, render_fitting,
    utf16_units, write_line,
};
use super::words::clip;

pub(super) const INFO: ChannelInfo = ChannelInfo {
    name: "discord",
    title: "Discord",
    open,
};

const CONTENT_CHARS_MAX: usize = 2_000;
const EMBEDS_MAX: usize = 10;
const EMBEDS_CHARS_MAX: usize = 6_000;
const FOOTER_CHARS_MAX: usize = 2_048;

/// Characters of the description of one embed: so few that the largest one fits with a footer.
const DESCRIPTION_CHARS_MAX: usize = 3_500;

#[derive(Clone, Copy, Debug)]
struct Discord;

fn open(
    settings: &ChannelSettings,
    surroundings: &Surroundings,
) -> Option<Result<Box<dyn Channel>, ChannelError>> {
    let ChannelSettings::Discord(settings) = settings else {
        return None;
    };
    let url = settings.webhook_url.expose();
    let opened = require(&INFO, "webhook_url", url).and_then(|url| {
        // Without this Discord answers before it has looked at the message.
        let joint = if url.contains('?') { '&' } else { '?' };
        let address = format!("{}{joint}wait=true", url.trim());
        HttpChannel::open(
            &INFO,
            &address,
            settings.allow_plain_http,
            surroundings,
            Discord,
        )
    });
    Some(opened)
}

impl Service for Discord {
    fn render(&self, message: &Notification) -> Rendered {
        render_fitting(message, |shown| payload(message, shown).to_string(), fits)
    }

    fn is_acknowledged(&self, answer: &str) -> bool {
        answer.trim_start().starts_with('{')
    }
}

fn fits(body: &str) -> bool {
    let Ok(payload) = serde_json::from_str::<Value>(body) else {
        return false;
    };
    let embeds = payload.get("embeds").and_then(Value::as_array);
    let Some(embeds) = embeds else { return false };
    let text = |value: Option<&Value>| value.and_then(Value::as_str).map_or(0, utf16_units);
    let total: usize = embeds
        .iter()
        .map(|embed| text(embed.get("description")) + text(embed.pointer("/footer/text")))
        .sum();
    embeds.len() <= EMBEDS_MAX && total <= EMBEDS_CHARS_MAX
}

fn payload(message: &Notification, shown: usize) -> Value {
    let outline = Outline::new(message, shown, Detail::CHAT);
    let mut embeds = Vec::new();
    let mut loose = Loose::new(lines(&outline.summary));
    for entry in &outline.entries {
        match entry.severity {
            Some(severity) => {
                embeds.extend(loose.take());
                let mut lines = lines(&entry.lines);
                if let Some(first) = lines.first_mut() {
                    first.insert_str(0, &format!("{} ", mark(severity)));
                }
                embeds.extend(embed(&lines, colour(severity)));
            }
            None => {
                embeds.extend(loose.push(lines(&entry.lines)));
                loose.has_failure |= entry.is_failure;
            }
        }
    }
    embeds.extend(loose.take());
    let footer: Vec<String> = outline
        .footer
        .iter()
        .map(|line| write_line(line, &PlainText))
        .collect();
    let footer = json!({"text": join_lines(&footer, FOOTER_CHARS_MAX, utf16_units)});
    match embeds.last_mut() {
        Some(last) => last["footer"] = footer,
        None => embeds.push(json!({"color": NEUTRAL, "footer": footer})),
    }
    json!({
        "content": Markdown::COMMON.heading(&clip(&outline.title, CONTENT_CHARS_MAX / 4)),
        "embeds": embeds,
        "allowed_mentions": {"parse": []},
    })
}

/// Lines that share an embed.
#[derive(Default)]
struct Loose {
    lines: Vec<String>,
    /// Some of them are about images that could not be assessed completely.
    has_failure: bool,
}

impl Loose {
    fn new(lines: Vec<String>) -> Self {
        Self {
            lines,
            has_failure: false,
        }
    }

    /// Adds lines. Returns the embed of those before where they would not fit.
    fn push(&mut self, lines: Vec<String>) -> Option<Value> {
        let size = |lines: &[String]| {
            lines
                .iter()
                .map(|line| utf16_units(line) + 1)
                .sum::<usize>()
        };
        let is_full = size(&self.lines) + size(&lines) > DESCRIPTION_CHARS_MAX;
        let before = is_full.then(|| self.take()).flatten();
        self.lines.extend(lines);
        before
    }

    /// Makes an embed of the lines; `None` if there are none.
    fn take(&mut self) -> Option<Value> {
        let Self { lines, has_failure } = std::mem::take(self);
        embed(&lines, if has_failure { FAILED } else { NEUTRAL })
    }
}

fn embed(lines: &[String], colour: u32) -> Option<Value> {
    let description = join_lines(lines, DESCRIPTION_CHARS_MAX, utf16_units);
    (!description.is_empty()).then(|| json!({"description": description, "color": colour}))
}

const NEUTRAL: u32 = 0x5b_67_70;
/// What could not be assessed may hide anything.
const FAILED: u32 = 0xb0_10_2a;

fn colour(severity: Severity) -> u32 {
    match severity {
        Severity::Critical => 0xb0_10_2a,
        Severity::High => 0xd9_5b_0a,
        Severity::Medium => 0xc9_9a_06,
        Severity::Low => 0x2f_6f_b7,
        Severity::Unknown => NEUTRAL,
    }
}

fn lines(lines: &[Line]) -> Vec<String> {
    lines
        .iter()
        .map(|line| write_line(line, &Markdown::COMMON))
        .collect()
}
