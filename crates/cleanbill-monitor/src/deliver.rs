//! Delivery: takes messages from the outbox to the people they are for.
//!
//! A message is claimed, sent, and then noted as delivered. A process that dies in between sends
//! it again under the same id; nothing that was noted is sent again. Each channel is served on its
//! own: one that does not answer keeps no other waiting.

use std::time::Duration;

use cleanbill_store::StoreError;
use cleanbill_store::state::{OutboxRow, StateStore};

use crate::monitor::{Channels, Clock};
use crate::notify::{DeliveryError, Notification, Redelivery, RedeliveryPolicy};

/// A claim is given back after this: longer than any channel waits for its server.
const LEASE: Duration = Duration::from_secs(10 * 60);

/// Sends what is in the outbox.
pub struct Delivery<'a> {
    /// The outbox.
    pub store: &'a StateStore,
    /// The channels, by the names that the settings give them.
    pub channels: &'a Channels,
    /// What is done about failures.
    pub policy: RedeliveryPolicy,
    /// The time.
    pub clock: &'a dyn Clock,
}

impl Delivery<'_> {
    /// Sends everything whose time has come, to all channels at the same time. Returns how many
    /// messages were delivered.
    ///
    /// # Errors
    ///
    /// The outbox cannot be read or written.
    #[cfg(test)]
    pub(crate) fn deliver_due(
        &self,
        is_stopped: &(dyn Fn() -> bool + Sync),
    ) -> Result<u64, StoreError> {
        let channels = self.store.read().outbox_channels()?;
        std::thread::scope(|scope| {
            let deliver = |channel| scope.spawn(move || self.deliver_due_to(channel, is_stopped));
            let workers: Vec<_> = channels.iter().map(|channel| deliver(channel)).collect();
            let mut delivered = Ok(0);
            for worker in workers {
                let outcome = worker
                    .join()
                    .unwrap_or_else(|panic| std::panic::resume_unwind(panic));
                delivered = delivered.and_then(|sum| outcome.map(|count| sum + count));
            }
            delivered
        })
    }

    /// Sends everything to one channel whose time has come, one message after the other: what
    /// happened first is told first. Returns how many messages were delivered.
    ///
    /// # Errors
    ///
    /// The outbox cannot be read or written.
    pub fn deliver_due_to(
        &self,
        channel: &str,
        is_stopped: &dyn Fn() -> bool,
    ) -> Result<u64, StoreError> {
        let lease_ms = i64::try_from(LEASE.as_millis()).unwrap_or(i64::MAX);
        let mut delivered = 0;
        while !is_stopped() {
            // One at a time: a lease is as long as one delivery may take.
            let claimed = self
                .store
                .outbox_claim(Some(channel), self.now(), lease_ms, 1)?;
            let Some(row) = claimed.first() else { break };
            delivered += u64::from(self.deliver(row)?);
        }
        Ok(delivered)
    }

    /// Gives up what is due to channels that are not in the settings any more. Returns how long
    /// nothing of that kind is due; `None` if nothing is left.
    ///
    /// # Errors
    ///
    /// The outbox cannot be read or written.
    pub fn give_up_strangers(&self) -> Result<Option<Duration>, StoreError> {
        let mut next = None;
        for channel in self.store.read().outbox_channels()? {
            if !self.channels.contains_key(&channel) {
                self.deliver_due_to(&channel, &|| false)?;
                next = next.into_iter().chain(self.next_in(Some(&channel))?).min();
            }
        }
        Ok(next)
    }

    /// Returns how long nothing is due to a channel (`None`: to any); `None` if nothing is in the
    /// outbox for it.
    ///
    /// # Errors
    ///
    /// The outbox cannot be read.
    pub fn next_in(&self, channel: Option<&str>) -> Result<Option<Duration>, StoreError> {
        let next = self.store.read().outbox_next_at(channel)?;
        let wait_ms = next.map(|next| u64::try_from(next - self.now()).unwrap_or(0));
        Ok(wait_ms.map(Duration::from_millis))
    }

    fn deliver(&self, row: &OutboxRow) -> Result<bool, StoreError> {
        let outcome = self.send(row);
        let now = self.now();
        match outcome {
            Ok(answer) => {
                self.store.outbox_delivered(row.number, now, &answer)?;
                tracing::info!(
                    channel = row.channel,
                    "message {} was delivered",
                    row.message_id
                );
                Ok(true)
            }
            Err(error) => {
                self.put_off(row, &error, now)?;
                Ok(false)
            }
        }
    }

    fn send(&self, row: &OutboxRow) -> Result<String, DeliveryError> {
        let never = |text: String| DeliveryError {
            is_permanent: true,
            retry_after: None,
            text,
        };
        let channel = self
            .channels
            .get(&row.channel)
            .ok_or_else(|| never(format!("no channel is called '{}' any more", row.channel)))?;
        let message: Notification = serde_json::from_slice(&row.payload)
            .map_err(|error| never(format!("the message is damaged: {error}")))?;
        channel
            .deliver(&message, self.clock.now())
            .map(|receipt| receipt.text)
    }

    fn put_off(&self, row: &OutboxRow, error: &DeliveryError, now: i64) -> Result<(), StoreError> {
        match self.policy.decide(row.attempts, error, self.clock.chance()) {
            Redelivery::Dead => {
                tracing::error!(
                    channel = row.channel,
                    "message {} is given up: {}; send it again with: cleanbill notify retry",
                    row.message_id,
                    error.text
                );
                self.store.outbox_dead(row.number, now, &error.text)
            }
            Redelivery::After(pause) => {
                tracing::warn!(
                    channel = row.channel,
                    "message {} was not delivered: {}; trying again in {} s",
                    row.message_id,
                    error.text,
                    pause.as_secs()
                );
                let pause_ms = i64::try_from(pause.as_millis()).unwrap_or(i64::MAX);
                let next = now.saturating_add(pause_ms);
                self.store.outbox_retry(row.number, now, &error.text, next)
            }
        }
    }

    fn now(&self) -> i64 {
        self.clock.now().as_millisecond()
    }
}

#[cfg(test)]
mod tests;
