//! Telling people: what is said, when, to whom, and how it gets there.
//!
//! A message is a plain value, [`Notification`]. [`compose`] makes it from what changed,
//! [`route`] decides who hears of what, [`Timing`] when, and the renderers turn it into what a
//! service accepts; all of that is pure. Only [`Channel::deliver`] opens a connection. So the
//! outbox can keep a message before anybody is told, and what is told after a crash is what would
//! have been told before it.
//!
//! Everything in a message may come from an attacker: names of images, packages and containers,
//! history lines, titles of advisories, texts of exceptions. Renderers clean, clip and escape each
//! text for their medium, and stay within the limits of the service by leaving out whole entries,
//! never by cutting through one.

mod channel;
mod compose;
mod discord;
mod gotify;
mod mail;
mod markdown;
mod mattermost;
mod message;
mod ntfy;
mod outline;
mod redelivery;
mod route;
#[cfg(test)]
mod samples;
mod slack;
mod smtp;
mod split;
mod summary;
mod teams;
mod timing;
mod urgency;
mod webhook;
mod words;

pub use channel::{
    CHANNELS, Channel, ChannelError, ChannelInfo, ChannelSettings, DeliveryError, DiscordSettings,
    GotifySettings, MattermostSettings, NtfySettings, OpenChannel, Receipt, SlackSettings,
    SmtpEncryption, SmtpMechanism, SmtpSettings, Surroundings, TeamsSettings, WebhookSettings,
    open_channel,
};
pub use compose::{
    ComposeSettings, Cycle, HeartbeatFacts, ImageFacts, because, compose, heartbeat, is_follow_up,
    test_message,
};
pub use message::{
    Counts, ExpiringException, Failure, GateVerdict, Happening, Hit, ImageLine, Notification,
    NotificationKind, Part, Totals, VulnerabilityGroup, json_schema,
};
pub use redelivery::{Redelivery, RedeliveryPolicy};
pub(crate) use route::channels_missing;
pub use route::{Route, RouteRules, Routed, route};
pub use summary::{SummaryOptions, summary};
pub use timing::{Decision, Digest, QuietHours, Timing, Waiting};
