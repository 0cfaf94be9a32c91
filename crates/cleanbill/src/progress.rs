//! Progress on a terminal: one line that says how far the scan is. Silent elsewhere.

use std::fmt;
use std::io::{self, IsTerminal as _, Write};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use cleanbill_engine::ScanObserver;
use indicatif::{HumanBytes, ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};

use crate::error::printable;
use crate::runner::{self, Document};

/// The bar that is being drawn, so that log lines do not tear it.
static BAR: OnceLock<ProgressBar> = OnceLock::new();

/// Shows how far a scan is.
pub(crate) struct Progress {
    bar: Option<ProgressBar>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    images_done: usize,
    images_total: Option<usize>,
    layers_done: usize,
    layers_total: usize,
    current: String,
}

impl Progress {
    /// Starts showing progress, on a terminal and unless told not to. `bytes_read` counts up by
    /// itself.
    pub(crate) fn start(
        is_wanted: bool,
        images_total: Option<usize>,
        bytes_read: Arc<AtomicU64>,
    ) -> Self {
        let bar = (is_wanted && io::stderr().is_terminal()).then(|| {
            let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr_with_hz(10));
            bar.set_style(counting_style(
                "{spinner} {read} {wide_msg} {elapsed}",
                bytes_read,
            ));
            bar.enable_steady_tick(Duration::from_millis(120));
            BAR.get_or_init(|| bar).clone()
        });
        let state = Mutex::new(State {
            images_total,
            ..State::default()
        });
        Self { bar, state }
    }

    /// Removes the line.
    pub(crate) fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }

    fn update(&self, change: impl FnOnce(&mut State)) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        change(&mut state);
        if let Some(bar) = &self.bar {
            bar.set_message(state.describe());
        }
    }
}

impl State {
    fn describe(&self) -> String {
        let images = match self.images_total {
            Some(total) if total > 1 => {
                format!("image {}/{total} · ", (self.images_done + 1).min(total))
            }
            _ => String::new(),
        };
        format!(
            "{images}layers {}/{} · {}",
            self.layers_done,
            self.layers_total,
            printable(&self.current)
        )
    }
}

impl ScanObserver for Progress {
    fn image_opened(&self, name: &str, _layers: usize, unknown_layers: usize) {
        self.update(|state| {
            state.current = name.to_owned();
            state.layers_total += unknown_layers;
        });
    }

    fn layer_read(&self, _name: &str) {
        self.update(|state| {
            state.layers_done += 1;
            state.layers_total = state.layers_total.max(state.layers_done);
        });
    }

    fn image_done(&self, _name: &str) {
        self.update(|state| state.images_done += 1);
    }
}

/// Writes log lines above the bar.
pub(crate) struct LogWriter;

impl<'a> tracing_subscriber::fmt::MakeWriter<'a> for LogWriter {
    type Writer = LogLine;

    fn make_writer(&'a self) -> Self::Writer {
        LogLine
    }
}

/// Writes one log line.
pub(crate) struct LogLine;

impl Write for LogLine {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        // The subscriber escapes control characters, but not those that turn text around.
        let line = String::from_utf8_lossy(bytes).replace(turns_text, "\u{fffd}");
        // Runners of pipelines read this too.
        let line = runner::harmless(&line, Document::guess(bytes));
        match BAR.get() {
            Some(bar) => bar.suspend(|| io::stderr().lock().write_all(line.as_bytes()))?,
            None => io::stderr().lock().write_all(line.as_bytes())?,
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stderr().lock().flush()
    }
}

fn turns_text(char: char) -> bool {
    matches!(char, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Shows how much of a download has come.
pub(crate) struct Download(Option<ProgressBar>);

impl Download {
    /// Starts showing progress, on a terminal and unless told not to.
    pub(crate) fn start(is_wanted: bool, context: &cleanbill_image::ReadContext) -> Self {
        let bytes_read = Arc::clone(&context.bytes_read);
        Self((is_wanted && io::stderr().is_terminal()).then(|| {
            let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr_with_hz(10));
            bar.set_style(counting_style(
                "{spinner} {read} of the advisory database {elapsed}",
                bytes_read,
            ));
            bar.enable_steady_tick(Duration::from_millis(120));
            BAR.get_or_init(|| bar).clone()
        }))
    }

    /// Removes the line.
    pub(crate) fn finish(&self) {
        if let Some(bar) = &self.0 {
            bar.finish_and_clear();
        }
    }
}

/// Returns a style whose `{read}` shows the bytes read so far.
fn counting_style(template: &str, bytes_read: Arc<AtomicU64>) -> ProgressStyle {
    let style =
        ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_spinner());
    style.with_key(
        "read",
        move |_: &ProgressState, out: &mut dyn fmt::Write| {
            // The bar draws what it can; a failed write loses nothing.
            let _ = write!(out, "{}", HumanBytes(bytes_read.load(Ordering::Relaxed)));
        },
    )
}
