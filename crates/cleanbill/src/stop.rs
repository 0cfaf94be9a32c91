//! Ctrl-C: readers stop at their next read, and what will not stop is left behind. What it has on
//! the disk is removed first ([`remove_unfinished`]).

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::SyncSender;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use cleanbill_engine::{AdvisoryStore, UpdateLock};

use crate::error::CommandError;
use crate::exit::Exit;

/// How long the work may take to stop by itself.
const GRACE: Duration = Duration::from_millis(700);

/// How long it may take where it has much to put in order.
const GRACE_OF_DAEMON: Duration = Duration::from_secs(10);

/// How often a sleeper looks whether somebody has asked to stop.
const SLEEP_POLL: Duration = Duration::from_millis(50);

/// SIGHUP came since somebody asked.
static HANGUP: AtomicBool = AtomicBool::new(false);
/// Wakes who sleeps until a signal comes.
static SIGNALS: (Mutex<()>, Condvar) = (Mutex::new(()), Condvar::new());
static LETS_FINISH: AtomicBool = AtomicBool::new(false);
static TIMED_OUT: AtomicBool = AtomicBool::new(false);
static STOPPED: OnceLock<Arc<AtomicBool>> = OnceLock::new();
static CLEANUPS: Mutex<BTreeMap<u64, Cleanup>> = Mutex::new(BTreeMap::new());

type Cleanup = Box<dyn FnOnce() + Send>;

/// Keeps a clean-up registered for as long as it lives.
#[must_use]
pub(crate) struct AtExit(u64);

impl Drop for AtExit {
    fn drop(&mut self) {
        cleanups().remove(&self.0);
    }
}

/// Registers what is to be done if the program ends while the work goes on. It runs beside the
/// work, which may be stuck in a system call.
fn at_exit(cleanup: impl FnOnce() + Send + 'static) -> AtExit {
    let mut all = cleanups();
    let id = all.last_key_value().map_or(0, |(last, _)| last + 1);
    all.insert(id, Box::new(cleanup));
    AtExit(id)
}

/// Keeps half a database from being left behind.
pub(crate) fn remove_unfinished(store: &AdvisoryStore, _lock: &UpdateLock) -> AtExit {
    let store = store.clone();
    at_exit(move || store.remove_unfinished())
}

fn cleanups() -> MutexGuard<'static, BTreeMap<u64, Cleanup>> {
    CLEANUPS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Returns the flag that readers look at.
pub(crate) fn flag() -> Arc<AtomicBool> {
    Arc::clone(STOPPED.get_or_init(Arc::default))
}

/// Gives the work more time to stop by itself, and takes SIGHUP for a wish for other settings.
/// Returns when one would be seen.
pub(crate) fn be_a_daemon() {
    if LETS_FINISH.swap(true, Ordering::Relaxed) {
        return;
    }
    let (ready, is_ready) = std::sync::mpsc::sync_channel(1);
    let spawned = std::thread::Builder::new()
        .name("hangups".to_owned())
        .spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build();
            let Ok(runtime) = runtime else { return };
            runtime.block_on(note_hangups(&ready));
        });
    if let Err(error) = spawned {
        tracing::warn!(%error, "cannot wait for SIGHUP: it ends the program");
    }
    // Fails where nobody waits for SIGHUP.
    let _ = is_ready.recv();
}

async fn note_hangups(ready: &SyncSender<()>) {
    use tokio::signal::unix::{SignalKind, signal};
    let Ok(mut hangup) = signal(SignalKind::hangup()) else {
        return;
    };
    // Nobody listens any more only if the program is about to end.
    let _ = ready.send(());
    while hangup.recv().await.is_some() {
        HANGUP.store(true, Ordering::Relaxed);
        wake();
    }
}

/// Says whether SIGHUP came since the last call.
pub(crate) fn take_hangup() -> bool {
    HANGUP.swap(false, Ordering::Relaxed)
}

/// Sleeps until a signal comes, but not longer than so long. A process that waits wakes for
/// nothing else.
pub(crate) fn await_signal(time_max: Duration) {
    let (lock, signals) = &SIGNALS;
    // Who sets a flag takes the lock afterwards, so none is set between the look and the wait.
    let guard = lock.lock().unwrap_or_else(PoisonError::into_inner);
    if !is_requested() && !HANGUP.load(Ordering::Relaxed) {
        // It does not matter what ended the wait: the caller looks.
        drop(signals.wait_timeout(guard, time_max));
    }
}

fn wake() {
    let (lock, signals) = &SIGNALS;
    drop(lock.lock().unwrap_or_else(PoisonError::into_inner));
    signals.notify_all();
}

/// Says whether the user has asked to stop.
pub(crate) fn is_requested() -> bool {
    flag().load(Ordering::Relaxed)
}

/// Sleeps; returns whether it did so to the end, and nobody asked to stop.
pub(crate) fn sleep(duration: Duration) -> bool {
    let until = Instant::now() + duration;
    while !is_requested() {
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return true;
        }
        std::thread::sleep(left.min(SLEEP_POLL));
    }
    false
}

/// Waits for SIGINT and SIGTERM on a thread of its own. Returns when a signal would be seen.
pub(crate) fn install() {
    let flag = flag();
    let (ready, is_ready) = std::sync::mpsc::sync_channel(1);
    let waiter = move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build();
        let Ok(runtime) = runtime else { return };
        runtime.block_on(wait_for_signal(&ready));
        flag.store(true, Ordering::Relaxed);
        wake();
        std::thread::sleep(if LETS_FINISH.load(Ordering::Relaxed) {
            GRACE_OF_DAEMON
        } else {
            GRACE
        });
        exit_now();
    };
    let spawned = std::thread::Builder::new()
        .name("signals".to_owned())
        .spawn(waiter);
    if let Err(error) = spawned {
        tracing::warn!(%error, "cannot wait for signals: Ctrl-C ends the program at once");
    }
    // Fails once the thread has ended, or was never started: then nobody waits for signals.
    let _ = is_ready.recv();
}

async fn wait_for_signal(ready: &SyncSender<()>) {
    use tokio::signal::unix::{SignalKind, signal};
    let interrupt = signal(SignalKind::interrupt());
    let terminate = signal(SignalKind::terminate());
    // Nobody listens any more only if the program is about to end.
    let _ = ready.send(());
    match (interrupt, terminate) {
        (Ok(mut interrupt), Ok(mut terminate)) => tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        },
        (Ok(mut one), Err(_)) | (Err(_), Ok(mut one)) => {
            one.recv().await;
        }
        (Err(_), Err(_)) => std::future::pending().await,
    }
}

#[expect(
    clippy::exit,
    reason = "a blocked system call cannot be ended in another way"
)]
fn exit_now() -> ! {
    let all = std::mem::take(&mut *cleanups());
    all.into_values().for_each(|cleanup| cleanup());
    std::process::exit(i32::from(Exit::Interrupted.code()))
}

/// Stops the work after a while, as Ctrl-C does.
pub(crate) fn after(timeout: Duration) {
    let flag = flag();
    let spawned = std::thread::Builder::new()
        .name("timeout".to_owned())
        .spawn(move || {
            std::thread::sleep(timeout);
            TIMED_OUT.store(true, Ordering::Relaxed);
            flag.store(true, Ordering::Relaxed);
        });
    if let Err(error) = spawned {
        tracing::warn!(%error, "cannot watch the clock: --timeout has no effect");
    }
}

/// Says whether it was the time that was over, and nobody asked to stop.
pub(crate) fn has_timed_out() -> bool {
    TIMED_OUT.load(Ordering::Relaxed)
}

/// Says why the work was stopped.
pub(crate) fn error() -> CommandError {
    if has_timed_out() {
        CommandError::with_exit(
            Exit::Incomplete,
            anyhow::Error::msg("the scan took longer than --timeout allows"),
        )
    } else {
        CommandError::with_exit(Exit::Interrupted, anyhow::Error::msg("stopped"))
    }
}
