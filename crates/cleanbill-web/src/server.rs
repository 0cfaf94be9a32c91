//! The server: one thread, three addresses, nothing that a client could use up.
//!
//! Clients are not trusted, also on the loopback: a page in a browser can send requests there. So
//! the head of a request is bounded in bytes and time, a connection serves one request and ends
//! soon, and only so many are open. Bodies of requests are never read.

mod answer;

use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::{Semaphore, oneshot};

use crate::scrape::Scraper;
use crate::settings::{MetricsSettings, ServerBounds};
use answer::Answerer;

/// Bytes of the head of a request; the smallest buffer that hyper has.
const HEAD_SIZE_BYTES_MAX: usize = 8 * 1024;

/// Headers of a request.
const HEADERS_MAX: usize = 64;

/// Threads that read the store. They wait for one connection to it; the second keeps a slow scrape
/// from delaying what only needs to be looked up.
const READING_THREADS: usize = 2;

/// The pause after a connection could not be accepted: no file descriptors are left.
const ACCEPT_PAUSE: Duration = Duration::from_millis(200);

/// How long the end waits for a scrape that runs.
const STOP_TIMEOUT: Duration = Duration::from_secs(1);

/// Says why nothing is served.
#[derive(Debug, thiserror::Error)]
pub enum MetricsServerError {
    /// The address is in use, is not of this host, or may not be used.
    #[error("cannot serve metrics on {address}")]
    Bind {
        /// The address.
        address: SocketAddr,
        /// The cause.
        #[source]
        source: io::Error,
    },
    /// The system gives no thread or no event queue.
    #[error("cannot start the server of metrics")]
    Start(#[source] io::Error),
}

/// Serves metrics and health until it is stopped or dropped.
#[derive(Debug)]
pub struct MetricsServer {
    address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl MetricsServer {
    /// Starts to serve on an address; port 0 takes one that is free. Counters begin now.
    ///
    /// # Errors
    ///
    /// The address cannot be used.
    pub fn bind(
        address: SocketAddr,
        settings: MetricsSettings,
    ) -> Result<Self, MetricsServerError> {
        let failed = MetricsServerError::Start;
        let runtime = Builder::new_current_thread()
            .max_blocking_threads(READING_THREADS)
            .enable_io()
            .enable_time()
            .build()
            .map_err(failed)?;
        let bind = |source| MetricsServerError::Bind { address, source };
        let listener = runtime.block_on(TcpListener::bind(address)).map_err(bind)?;
        let address = listener.local_addr().map_err(bind)?;
        warn_of_strangers(address, &settings);
        let bounds = settings.bounds;
        let answerer = Arc::new(Answerer::new(
            settings.token.clone(),
            Scraper::new(settings),
        ));
        let (stop, stopped) = oneshot::channel();
        let thread = std::thread::Builder::new()
            .name("cleanbill-web".to_owned())
            .spawn(move || run(runtime, serve(listener, answerer, bounds, stopped)))
            .map_err(failed)?;
        tracing::info!(%address, "metrics and health are served");
        Ok(Self {
            address,
            stop: Some(stop),
            thread: Some(thread),
        })
    }

    /// Returns the address, with the port that was taken.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Stops serving. Connections that are open are closed.
    pub fn stop(self) {
        drop(self);
    }
}

impl Drop for MetricsServer {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // A panic in there has been printed; nothing depends on the server.
            let _ = thread.join();
        }
    }
}

fn warn_of_strangers(address: SocketAddr, settings: &MetricsSettings) {
    let has_token = settings
        .token
        .as_ref()
        .is_some_and(|token| !token.is_empty());
    if !address.ip().is_loopback() && !has_token {
        tracing::warn!(
            %address,
            "whoever reaches this address can read how many findings there are; \
             --metrics-token lets only those who have it"
        );
    }
}

fn run(runtime: Runtime, server: impl Future<Output = ()>) {
    runtime.block_on(server);
    runtime.shutdown_timeout(STOP_TIMEOUT);
}

async fn serve(
    listener: TcpListener,
    answerer: Arc<Answerer>,
    bounds: ServerBounds,
    mut stopped: oneshot::Receiver<()>,
) {
    let slots = Arc::new(Semaphore::new(bounds.connections_max.max(1)));
    loop {
        // Without a free slot connections wait in the system's queue, where they cost nothing.
        let next = async {
            let slot = Arc::clone(&slots).acquire_owned().await;
            (slot, listener.accept().await)
        };
        let accepted = tokio::select! {
            _ = &mut stopped => return,
            accepted = next => accepted,
        };
        match accepted {
            (Ok(slot), Ok((stream, _))) => {
                let connection = connection(stream, Arc::clone(&answerer), bounds);
                tokio::spawn(async move {
                    connection.await;
                    drop(slot);
                });
            }
            (Err(_), _) => return,
            (_, Err(error)) => {
                tracing::debug!("cannot accept a connection: {error}");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

async fn connection(stream: TcpStream, answerer: Arc<Answerer>, bounds: ServerBounds) {
    let service = service_fn(move |request| {
        let answerer = Arc::clone(&answerer);
        async move { Ok::<_, Infallible>(answerer.answer(&request).await) }
    });
    let served = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(bounds.head_timeout)
        .max_buf_size(HEAD_SIZE_BYTES_MAX)
        .max_headers(HEADERS_MAX)
        .keep_alive(false)
        .serve_connection(TokioIo::new(stream), service);
    // What a client does wrong is its own affair; who reads the answer too slowly loses it.
    let _ = tokio::time::timeout(bounds.connection_timeout, served).await;
}

#[cfg(test)]
mod service_tests;
#[cfg(test)]
mod tests;
