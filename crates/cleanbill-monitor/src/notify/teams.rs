//! Microsoft Teams: an Adaptive Card to a workflow or an incoming webhook.
//!
//! Texts are runs of a rich text block, which no markup is read in. Source: Microsoft, "Format
//! cards in Microsoft Teams", "Create incoming webhooks" (a message has 28 KB), Adaptive Cards
//! 1.4.

#[cfg(test)]
mod tests;

use cleanbill_core::Severity;
use serde_json::{Value, json};

use super::channel::{
    Channel, ChannelError, ChannelInfo, ChannelSettings, HttpChannel, Service, Surroundings,
    require,
};
use super::message::Notification;
use super::outline::{Detail, Entry, Line, Outline, Piece, Rendered, mark, render_fitting};

pub(super) const INFO: ChannelInfo = ChannelInfo {
    name: "teams",
    title: "Microsoft Teams",
    open,
};

/// Bytes of a message; the limit is 28 KB, and it is not said what is counted.
const MESSAGE_SIZE_BYTES_MAX: usize = 26_000;

#[derive(Clone, Copy, Debug)]
struct Teams;

fn open(
    settings: &ChannelSettings,
    surroundings: &Surroundings,
) -> Option<Result<Box<dyn Channel>, ChannelError>> {
    let ChannelSettings::Teams(settings) = settings else {
        return None;
    };
    let url = &settings.webhook_url;
    let opened = require(&INFO, "webhook_url", url.expose()).and_then(|url| {
        HttpChannel::open(&INFO, url, settings.allow_plain_http, surroundings, Teams)
    });
    Some(opened)
}

impl Service for Teams {
    fn render(&self, message: &Notification) -> Rendered {
        render_fitting(
            message,
            |shown| payload(message, shown).to_string(),
            |body| body.len() <= MESSAGE_SIZE_BYTES_MAX,
        )
    }

    /// Workflows answer nothing, incoming webhooks `1`; the latter also answer 200 with a text
    /// when the message was not taken.
    fn is_acknowledged(&self, answer: &str) -> bool {
        let answer = answer.trim();
        !answer.contains("Webhook message delivery failed") && !answer.starts_with('<')
    }
}

fn payload(message: &Notification, shown: usize) -> Value {
    let outline = Outline::new(message, shown, Detail::CHAT);
    let mut body = vec![json!({
        "type": "TextBlock",
        "text": outline.title,
        "size": "Large",
        "weight": "Bolder",
        "wrap": true,
        "style": "heading",
    })];
    body.extend(outline.summary.iter().map(|line| block(line, None)));
    body.extend(outline.entries.iter().map(container));
    body.extend(outline.footer.iter().map(|line| {
        let mut block = block(line, None);
        block["spacing"] = json!("Small");
        block
    }));
    json!({
        "type": "message",
        "summary": outline.title,
        "attachments": [{
            "contentType": "application/vnd.microsoft.card.adaptive",
            "contentUrl": null,
            "content": {
                "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
                "type": "AdaptiveCard",
                "version": "1.4",
                "fallbackText": outline.title,
                "msteams": {"width": "Full"},
                "body": body,
            },
        }],
    })
}

fn container(entry: &Entry) -> Value {
    let mut sign = entry.severity.map(mark);
    let items: Vec<Value> = entry
        .lines
        .iter()
        .map(|line| block(line, sign.take()))
        .collect();
    json!({
        "type": "Container",
        "style": style(entry),
        "separator": true,
        "spacing": "Small",
        "items": items,
    })
}

fn style(entry: &Entry) -> &'static str {
    match entry.severity {
        None if entry.is_failure => "attention",
        Some(Severity::Critical) => "attention",
        Some(Severity::High) => "warning",
        Some(Severity::Medium | Severity::Low | Severity::Unknown) => "emphasis",
        None => "default",
    }
}

/// Shows a line. A block without any run is not valid.
fn block(line: &Line, sign: Option<&str>) -> Value {
    let mut runs = Vec::new();
    if let Some(sign) = sign {
        runs.push(json!({"type": "TextRun", "text": format!("{sign} ")}));
    }
    if line.is_item {
        runs.push(json!({"type": "TextRun", "text": "• "}));
    }
    runs.extend(line.pieces.iter().map(run));
    json!({"type": "RichTextBlock", "spacing": "Small", "inlines": runs})
}

fn run(piece: &Piece) -> Value {
    match piece {
        Piece::Text(text) => json!({"type": "TextRun", "text": text}),
        Piece::Strong(text) => json!({"type": "TextRun", "text": text, "weight": "Bolder"}),
        Piece::Code(text) => json!({"type": "TextRun", "text": text, "fontType": "Monospace"}),
        Piece::Link { text, url } => json!({
            "type": "TextRun",
            "text": text,
            "weight": "Bolder",
            "color": "Accent",
            "selectAction": {"type": "Action.OpenUrl", "url": url},
        }),
    }
}
