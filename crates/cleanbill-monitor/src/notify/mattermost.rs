//! Mattermost: Markdown to an incoming webhook.
//!
//! Source: Mattermost, "Incoming webhooks" (a post has 16,383 characters).

#[cfg(test)]
mod tests;

use serde_json::json;

use super::channel::{
    Channel, ChannelError, ChannelInfo, ChannelSettings, HttpChannel, Service, Surroundings,
    require,
};
use super::markdown;
use super::message::Notification;
use super::outline::{Detail, Markdown, Rendered, render_fitting, utf16_units};

pub(super) const INFO: ChannelInfo = ChannelInfo {
    name: "mattermost",
    title: "Mattermost",
    open,
};

const POST_CHARS_MAX: usize = 16_383;

#[derive(Clone, Debug)]
struct Mattermost {
    channel: String,
}

fn open(
    settings: &ChannelSettings,
    surroundings: &Surroundings,
) -> Option<Result<Box<dyn Channel>, ChannelError>> {
    let ChannelSettings::Mattermost(settings) = settings else {
        return None;
    };
    let service = Mattermost {
        channel: settings.channel.clone(),
    };
    let url = &settings.webhook_url;
    let opened = require(&INFO, "webhook_url", url.expose()).and_then(|url| {
        HttpChannel::open(&INFO, url, settings.allow_plain_http, surroundings, service)
    });
    Some(opened)
}

impl Service for Mattermost {
    fn render(&self, message: &Notification) -> Rendered {
        let write =
            |shown| markdown::write(message, shown, Detail::CHAT, Markdown::MATTERMOST, true);
        let text = render_fitting(message, write, |text| utf16_units(text) <= POST_CHARS_MAX);
        let mut payload = json!({"text": text.body});
        if !self.channel.is_empty() {
            payload["channel"] = json!(self.channel);
        }
        Rendered {
            body: payload.to_string(),
            shown: text.shown,
        }
    }

    fn is_acknowledged(&self, answer: &str) -> bool {
        answer.trim() == "ok"
    }
}
