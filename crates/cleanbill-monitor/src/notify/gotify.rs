//! Gotify: a push message through a server of one's own.
//!
//! Source: Gotify, "Push messages", "Message extras". It states no limit of its own.

#[cfg(test)]
mod tests;

use cleanbill_image::Secret;
use cleanbill_report::escape::link::web_address;
use jiff::Timestamp;
use serde_json::json;

use super::channel::{
    Channel, ChannelError, ChannelInfo, ChannelSettings, HttpChannel, Service, Surroundings,
    require,
};
use super::markdown;
use super::message::Notification;
use super::outline::{Detail, Markdown, Outline, Rendered, render_fitting};
use super::urgency::{Urgency, urgency};
use super::words::clip;

pub(super) const INFO: ChannelInfo = ChannelInfo {
    name: "gotify",
    title: "Gotify",
    open,
};

/// Bytes of a message: what a telephone shows without getting slow.
const MESSAGE_SIZE_BYTES_MAX: usize = 16 << 10;

/// Characters of the title, which a telephone shows in one line.
const TITLE_CHARS_MAX: usize = 200;

#[derive(Clone, Debug)]
struct Gotify {
    token: Secret,
}

fn open(
    settings: &ChannelSettings,
    surroundings: &Surroundings,
) -> Option<Result<Box<dyn Channel>, ChannelError>> {
    let ChannelSettings::Gotify(settings) = settings else {
        return None;
    };
    let opened = require(&INFO, "server", &settings.server).and_then(|server| {
        let token = require(&INFO, "token", settings.token.expose())?;
        let service = Gotify {
            token: Secret::new(token),
        };
        let address = format!("{}/message", server.trim().trim_end_matches('/'));
        HttpChannel::open(
            &INFO,
            &address,
            settings.allow_plain_http,
            surroundings,
            service,
        )
    });
    Some(opened)
}

impl Service for Gotify {
    fn render(&self, message: &Notification) -> Rendered {
        let write = |shown| markdown::write(message, shown, Detail::CHAT, Markdown::COMMON, false);
        let text = render_fitting(message, write, |text| text.len() <= MESSAGE_SIZE_BYTES_MAX);
        let mut payload = json!({
            "title": clip(&Outline::new(message, 0, Detail::CHAT).title, TITLE_CHARS_MAX),
            "message": text.body,
            "priority": priority(message),
            "extras": {"client::display": {"contentType": "text/markdown"}},
        });
        if let Some(address) = web_address(&message.report) {
            payload["extras"]["client::notification"] = json!({"click": {"url": address}});
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
        vec![("x-gotify-key".to_owned(), self.token.expose().to_owned())]
    }

    fn secrets(&self) -> Vec<&str> {
        vec![self.token.expose()]
    }

    fn is_acknowledged(&self, answer: &str) -> bool {
        answer.trim_start().starts_with('{')
    }
}

/// Grades from 0 to 10; clients ring from 4 on, and loudly from 8 on.
fn priority(message: &Notification) -> u8 {
    match urgency(message) {
        Urgency::Low => 2,
        Urgency::Normal => 5,
        Urgency::High => 7,
        Urgency::Highest => 9,
    }
}
