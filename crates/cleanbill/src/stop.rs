//! Ctrl-C: readers stop at their next read, and what will not stop is left behind.

use std::sync::Arc;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::error::CommandError;
use crate::exit::Exit;

/// How long the work may take to stop by itself.
const GRACE: Duration = Duration::from_millis(700);

static TIMED_OUT: AtomicBool = AtomicBool::new(false);
static STOPPED: OnceLock<Arc<AtomicBool>> = OnceLock::new();

/// Returns the flag that readers look at.
pub(crate) fn flag() -> Arc<AtomicBool> {
    Arc::clone(STOPPED.get_or_init(Arc::default))
}

/// Says whether the user has asked to stop.
pub(crate) fn is_requested() -> bool {
    flag().load(Ordering::Relaxed)
}

/// Waits for SIGINT and SIGTERM on a thread of its own.
pub(crate) fn install() {
    let flag = flag();
    let waiter = move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build();
        let Ok(runtime) = runtime else { return };
        runtime.block_on(wait_for_signal());
        flag.store(true, Ordering::Relaxed);
        std::thread::sleep(GRACE);
        exit_now();
    };
    let spawned = std::thread::Builder::new()
        .name("signals".to_owned())
        .spawn(waiter);
    if let Err(error) = spawned {
        tracing::warn!(%error, "cannot wait for signals: Ctrl-C ends the program at once");
    }
}

async fn wait_for_signal() {
    use tokio::signal::unix::{SignalKind, signal};
    let Ok(mut terminate) = signal(SignalKind::terminate()) else {
        let _ = tokio::signal::ctrl_c().await;
        return;
    };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        _ = terminate.recv() => {}
    }
}

#[expect(
    clippy::exit,
    reason = "a blocked system call cannot be ended in another way"
)]
fn exit_now() -> ! {
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

/// Says why the work was stopped.
pub(crate) fn error() -> CommandError {
    if TIMED_OUT.load(Ordering::Relaxed) {
        CommandError::with_exit(
            Exit::Incomplete,
            anyhow::Error::msg("the scan took longer than --timeout allows"),
        )
    } else {
        CommandError::with_exit(Exit::Interrupted, anyhow::Error::msg("stopped"))
    }
}
