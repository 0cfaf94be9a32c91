//! What a running `watch` says of itself over HTTP: `/metrics` for Prometheus, `/healthz` and
//! `/readyz` for whoever restarts it.
//!
//! The decision that shaped this crate: a scrape reads the store. Nothing is counted twice, once
//! for the state and once for Prometheus; what the monitor commits is what is shown, and the
//! monitor need not know that anybody asks. Only what no file holds (is the loop alive, do events
//! arrive) is told to [`Live`] by its owner.
//!
//! The server reads and never writes. It has three addresses and two methods, answers one request
//! for each connection, and bounds everything that a client could use up: bytes of a request,
//! time, connections. Nothing of a request appears in an answer.
//!
//! Metrics of a saved report ([`ReportMetrics`]) are written by the same hand, for those who push
//! them or leave them for the node exporter.
//!
//! It does not push (that is `metrics push`), speaks no TLS (that is a proxy's work), and knows
//! neither engine nor monitor.
//!
//! ```ignore
//! let live = Arc::new(Live::new(now));
//! let mut settings = MetricsSettings::new(state_directory, Arc::clone(&live), clock);
//! settings.cache_directory = Some(cache_directory);
//! let server = MetricsServer::bind(address, settings)?;
//! // … live.tick(now) each time the loop goes round …
//! server.stop();
//! ```

mod ask;
mod health;
mod live;
mod metrics;
mod scrape;
mod server;
mod settings;

pub use ask::{Answer, AskError, ask};
pub use live::Live;
pub use metrics::page as metrics_page;
pub use metrics::{ImageMetrics, Judged, OTHERS, ReportMetrics, TextFormat, image_label};
pub use scrape::Scraper;
pub use server::{MetricsServer, MetricsServerError};
pub use settings::{Limits, MetricsSettings, ServerBounds};

#[cfg(test)]
mod testing;
