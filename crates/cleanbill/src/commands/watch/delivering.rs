//! Delivery while images are watched: each channel has a thread of its own, so that one that does not
//! answer keeps no other waiting.

use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::Duration;

use cleanbill_core::error_chain;
use cleanbill_monitor::{Channels, Delivery};
use cleanbill_store::StoreError;

/// The longest sleep of who delivers: a clock that was set is noticed.
const SLEEP_MAX: Duration = Duration::from_secs(60);
/// The shortest.
const SLEEP_MIN: Duration = Duration::from_millis(100);

/// What one thread delivers.
pub(super) struct Lane<'a> {
    /// The channel; `None` is whatever is not in the settings any more.
    channel: Option<&'a str>,
    /// Wakes it when there are messages; nobody sends any more when the monitor has ended.
    messages: Receiver<()>,
}

/// Returns a lane for each channel, one for what has none, and what wakes them all.
pub(super) fn lanes(channels: &Channels) -> (Vec<Lane<'_>>, Vec<SyncSender<()>>) {
    let names = channels.keys().map(|name| Some(name.as_str()));
    let lane = |name| {
        // Who has not looked yet need not be woken twice.
        let (waker, messages) = sync_channel(1);
        let lane = Lane {
            channel: name,
            messages,
        };
        (lane, waker)
    };
    names.chain([None]).map(lane).unzip()
}

impl Lane<'_> {
    /// Delivers messages when there are some, and when it is time to try again.
    pub(super) fn run(&self, delivery: &Delivery<'_>, is_over: &dyn Fn() -> bool) {
        while !is_over() {
            let wait = self.deliver(delivery, is_over).unwrap_or_else(|error| {
                tracing::error!("{}", error_chain(&error));
                SLEEP_MAX
            });
            match self.messages.recv_timeout(wait) {
                Ok(()) | Err(RecvTimeoutError::Timeout) => {}
                // The monitor has ended: what is left is sent by the next start.
                Err(RecvTimeoutError::Disconnected) => return,
            }
        }
    }

    /// Delivers what is due, and returns how long nothing will be.
    fn deliver(
        &self,
        delivery: &Delivery<'_>,
        is_over: &dyn Fn() -> bool,
    ) -> Result<Duration, StoreError> {
        let next = match self.channel {
            Some(channel) => {
                delivery.deliver_due_to(channel, is_over)?;
                delivery.next_in(Some(channel))?
            }
            None => delivery.give_up_strangers()?,
        };
        Ok(next.unwrap_or(SLEEP_MAX).clamp(SLEEP_MIN, SLEEP_MAX))
    }
}
