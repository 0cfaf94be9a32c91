//! Entry points for fuzz targets and their replay: arbitrary bytes in, broken promises out as a
//! panic. Not part of the crate's interface.

use std::collections::BTreeSet;

use cleanbill_image::Secret;

use crate::baseline_file::BaselineFile;
use crate::notify::{ChannelSettings, Notification, Surroundings, WebhookSettings, open_channel};

/// An entry point with the name of its target.
pub type Target = (&'static str, fn(&[u8]));

/// Every entry point of the crate, by the name of its folder in `fuzz/corpus`.
pub const TARGETS: &[Target] = &[("monitor_baseline", baseline), ("monitor_message", message)];

/// Reads a baseline file of the older script, and writes it again.
pub fn baseline(data: &[u8]) {
    let Ok(baseline) = BaselineFile::parse(data) else {
        return;
    };
    let again = BaselineFile::parse(baseline.to_json().as_bytes());
    assert_eq!(again.as_ref(), Ok(&baseline), "what is written is read");
    let found: BTreeSet<&str> = baseline
        .vulnerabilities
        .iter()
        .map(String::as_str)
        .collect();
    let delta = baseline.compare(&found, &found);
    assert!(!delta.is_changed(), "what is accepted is no news");
}

/// Reads a message as the outbox keeps it, and shows what would be sent.
pub fn message(data: &[u8]) {
    let Ok(message) = serde_json::from_slice::<Notification>(data) else {
        return;
    };
    let kept = serde_json::to_vec(&message).expect("a message holds nothing but plain values");
    let again: Notification = serde_json::from_slice(&kept).expect("what is kept is read");
    assert_eq!(again.key(), message.key(), "a message keeps its identity");
    let settings = ChannelSettings::Webhook(WebhookSettings {
        url: Secret::new("https://hooks.example/"),
        ..WebhookSettings::default()
    });
    let channel =
        open_channel(&settings, &Surroundings::default()).expect("the settings are sound");
    for part in channel.split(message) {
        channel.preview(&part).expect("every message can be shown");
    }
}
