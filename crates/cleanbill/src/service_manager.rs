//! What the service manager is told, if it started the program and wants to know.
//!
//! Source: sd_notify(3). Without `NOTIFY_SOCKET` in the environment nothing is sent.

use sd_notify::NotifyState;

/// Says that the start is over: settings and state are sound, and work begins.
pub(crate) fn ready() {
    tell(&[NotifyState::Ready]);
}

/// Says that the end has begun.
pub(crate) fn stopping() {
    tell(&[NotifyState::Stopping]);
}

fn tell(states: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(states) {
        tracing::warn!("cannot tell the service manager: {error}");
    }
}
