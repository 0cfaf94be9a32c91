//! Delivery at the end of `watch --once`. Nobody may come after it, and the state may be thrown away
//! with its container: what fails is tried again for a while, and what stays is said.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use cleanbill_monitor::Delivery;
use cleanbill_store::StoreError;

use crate::error::CommandError;
use crate::exit::Exit;
use crate::stop;

/// How long messages are tried.
const TIME_MAX: Duration = Duration::from_secs(60);

/// How often it is looked whether the time is over.
const POLL: Duration = Duration::from_millis(50);

/// Delivers what there is. `cut_off` ends deliveries that are under way.
///
/// # Errors
///
/// The outbox cannot be read or written. Somebody asked to stop.
pub(super) fn run(delivery: &Delivery<'_>, cut_off: &AtomicBool) -> Result<Exit, CommandError> {
    run_for(TIME_MAX, delivery, cut_off)
}

fn run_for(
    time_max: Duration,
    delivery: &Delivery<'_>,
    cut_off: &AtomicBool,
) -> Result<Exit, CommandError> {
    let summary = || {
        let summary = delivery.store.read().status_summary();
        summary.map_err(CommandError::usage)
    };
    let before = summary()?;
    if before.messages_pending == 0 {
        return Ok(Exit::Clean);
    }
    let until = Instant::now() + time_max;
    let is_over = || stop::is_requested() || Instant::now() >= until;
    let channels = || {
        let channels = delivery.store.read().outbox_channels();
        channels.map_err(CommandError::usage)
    };
    let names = channels()?;
    std::thread::scope(|scope| {
        let is_over = &is_over;
        let deliver = |channel| scope.spawn(move || keep_trying(channel, delivery, until, is_over));
        let workers: Vec<_> = names.iter().map(|channel| deliver(channel)).collect();
        while workers.iter().any(|worker| !worker.is_finished()) {
            if is_over() {
                cut_off.store(true, Ordering::Relaxed);
            }
            std::thread::sleep(POLL);
        }
        workers.into_iter().try_for_each(|worker| {
            worker
                .join()
                .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        })
    })
    .map_err(CommandError::usage)?;
    if stop::is_requested() {
        return Err(stop::error());
    }
    let after = summary()?;
    if after.messages_pending > 0 {
        tracing::error!(
            messages = after.messages_pending,
            "{} did not get everything: the next watch sends what is left, if it finds this state",
            channels()?.join(", ")
        );
    }
    let is_delivered = after.messages_pending == 0 && after.messages_dead <= before.messages_dead;
    Ok(if is_delivered {
        Exit::Clean
    } else {
        Exit::Incomplete
    })
}

/// Sends to one channel until nothing is left, or nothing more is due before the time is over.
fn keep_trying(
    channel: &str,
    delivery: &Delivery<'_>,
    until: Instant,
    is_over: &(dyn Fn() -> bool + Sync),
) -> Result<(), StoreError> {
    loop {
        delivery.deliver_due_to(channel, is_over)?;
        let left = until.saturating_duration_since(Instant::now());
        match delivery.next_in(Some(channel))? {
            // Something else may be due at this moment.
            Some(pause) if pause < left && !is_over() => {
                stop::sleep(pause.max(POLL));
            }
            _ => return Ok(()),
        }
    }
}

#[cfg(test)]
mod tests;
