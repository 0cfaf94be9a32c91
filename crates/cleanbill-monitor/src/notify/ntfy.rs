//! ntfy: a push message to telephones.
//!
//! Source: ntfy, "Publishing: publish as JSON", "Limitations" (a message has 4,096 bytes; a
//! longer one becomes an attachment).

#[cfg(test)]
mod tests;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use cleanbill_image::Secret;
use cleanbill_report::escape::link::web_address;
use jiff::Timestamp;
use serde_json::json;

use super::channel::{
    Channel, ChannelError, ChannelInfo, ChannelSettings, HttpChannel, NtfySettings, Service,
    Surroundings, require,
};
use super::message::{Notification, NotificationKind};
use super::outline::{
    Detail, Line, Outline, PlainText, Rendered, join_lines, mark, render_fitting, write_line,
};
use super::urgency::{Urgency, urgency};
use super::words::clip;

pub(super) const INFO: ChannelInfo = ChannelInfo {
    name: "ntfy",
    title: "ntfy",
    open,
};

const MESSAGE_SIZE_BYTES_MAX: usize = 4_096;

/// Bytes of one entry: so few that the largest one fits with the rest.
const ENTRY_SIZE_BYTES_MAX: usize = 2_000;

/// Characters of the title, which a telephone shows in one line.
const TITLE_CHARS_MAX: usize = 200;

#[derive(Clone, Debug)]
struct Ntfy {
    topic: Secret,
    authorization: Secret,
}

fn open(
    settings: &ChannelSettings,
    surroundings: &Surroundings,
) -> Option<Result<Box<dyn Channel>, ChannelError>> {
    let ChannelSettings::Ntfy(settings) = settings else {
        return None;
    };
    Some(open_settings(settings, surroundings))
}

fn open_settings(
    settings: &NtfySettings,
    surroundings: &Surroundings,
) -> Result<Box<dyn Channel>, ChannelError> {
    let server = require(&INFO, "server", &settings.server)?;
    let topic = require(&INFO, "topic", settings.topic.expose())?;
    let service = Ntfy {
        topic: Secret::new(topic),
        authorization: authorization(settings),
    };
    HttpChannel::open(
        &INFO,
        server,
        settings.allow_plain_http,
        surroundings,
        service,
    )
}

fn authorization(settings: &NtfySettings) -> Secret {
    if !settings.token.is_empty() {
        return Secret::new(format!("Bearer {}", settings.token.expose()));
    }
    if settings.user.is_empty() {
        return Secret::default();
    }
    let pair = format!("{}:{}", settings.user, settings.password.expose());
    Secret::new(format!("Basic {}", STANDARD.encode(pair)))
}

impl Service for Ntfy {
    fn render(&self, message: &Notification) -> Rendered {
        let fits = |text: &str| text.len() <= MESSAGE_SIZE_BYTES_MAX;
        let text = render_fitting(message, |shown| text(message, shown), fits);
        let outline = Outline::new(message, 0, Detail::BRIEF);
        let mut payload = json!({
            "topic": self.topic.expose(),
            "title": clip(&outline.title, TITLE_CHARS_MAX),
            "message": text.body,
            "priority": priority(message),
            "tags": tags(message),
        });
        if let Some(address) = web_address(&message.report) {
            payload["click"] = json!(address);
        }
        Rendered {
            body: payload.to_string(),
            shown: text.shown,
        }
    }

    /// A telephone rings once; the rest is counted.
    fn parts_max(&self) -> u32 {
        1
    }

    fn headers(&self, _: &Notification, _: &str, _: Timestamp) -> Vec<(String, String)> {
        if self.authorization.is_empty() {
            return Vec::new();
        }
        vec![(
            "authorization".to_owned(),
            self.authorization.expose().to_owned(),
        )]
    }

    fn secrets(&self) -> Vec<&str> {
        vec![self.topic.expose()]
    }

    fn is_acknowledged(&self, answer: &str) -> bool {
        answer.trim_start().starts_with('{')
    }
}

/// Writes a message with its first `shown` entries as plain text; the title is shown elsewhere.
fn text(message: &Notification, shown: usize) -> String {
    let outline = Outline::new(message, shown, Detail::BRIEF);
    let lines = |lines: &[Line], sign: String| {
        let mut lines: Vec<String> = lines
            .iter()
            .map(|line| write_line(line, &PlainText))
            .collect();
        if let Some(first) = lines.first_mut() {
            first.insert_str(0, &sign);
        }
        join_lines(&lines, ENTRY_SIZE_BYTES_MAX, str::len)
    };
    let mut paragraphs = vec![lines(&outline.summary, String::new())];
    let mut is_list = false;
    for entry in &outline.entries {
        let sign = entry
            .severity
            .map(|severity| format!("{} ", mark(severity)));
        let text = lines(&entry.lines, sign.unwrap_or_default());
        match paragraphs
            .last_mut()
            .filter(|_| is_list && entry.severity.is_none())
        {
            Some(list) => list.extend(["\n", text.as_str()]),
            None => paragraphs.push(text),
        }
        is_list = entry.severity.is_none();
    }
    paragraphs.push(lines(&outline.footer, String::new()));
    paragraphs.retain(|paragraph| !paragraph.is_empty());
    paragraphs.join("\n\n")
}

/// Grades from 1 to 5.
fn priority(message: &Notification) -> u8 {
    match urgency(message) {
        Urgency::Low => 2,
        Urgency::Normal => 3,
        Urgency::High => 4,
        Urgency::Highest => 5,
    }
}

/// Returns the pictures in front of the title, by the names that ntfy has for them.
fn tags(message: &Notification) -> [&'static str; 1] {
    match (message.kind, urgency(message)) {
        (NotificationKind::Test, _) => ["wave"],
        (_, Urgency::Highest) => ["rotating_light"],
        (_, Urgency::High) => ["warning"],
        (_, Urgency::Normal) => ["mag"],
        (_, Urgency::Low) => ["white_check_mark"],
    }
}
