//! The one asynchronous runtime of this crate, behind blocking calls.
//!
//! Layers are read by plain synchronous code; only sockets need a runtime. It is built when the
//! first request is made, so that a scan of a local archive starts no thread, and it lives as long
//! as the process. Everything that waits here looks at [`ReadContext::cancelled`] several times a
//! second: a stopped scan does not hang on a silent peer.

use std::collections::VecDeque;
use std::future::Future;
use std::io::{self, Read};
use std::sync::OnceLock;
use std::time::Duration;

use bytes::{Buf, Bytes};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::{Instant, Interval, MissedTickBehavior};

use crate::ReadContext;

/// How often a waiting call looks whether it should stop.
const CANCEL_POLL: Duration = Duration::from_millis(100);

/// The same for a stream that may be silent for minutes: each look wakes an idle process.
const CANCEL_POLL_MAX: Duration = Duration::from_secs(1);

/// Of the silence that a stream may keep, it is looked once in this part.
const LOOKS_IN_SILENCE: u32 = 500;

/// One thread reads all sockets; the parsing, which is the larger part, happens on the callers'
/// threads. A connection and who reads from it are two tasks that pass every piece to each other:
/// on two threads they spent a third of the time that an export costs on waking each other.
const WORKER_THREADS: usize = 1;

/// Bytes that are handed to the reader at once when they have arrived. Engines send pieces of
/// 32 KiB; two threads that wake each other for every one spend more on that than on the bytes.
const BATCH_BYTES: usize = 512 * 1024;

/// Chunks of one batch: a peer that sends byte after byte makes no more of them wait.
const BATCH_CHUNKS_MAX: usize = 64;

/// Batches that may wait for the reader.
const BATCHES_BUFFERED_MAX: usize = 6;

/// The same for a stream that is read alone and whose maker must not wait: an engine that exports
/// an image does it with one thread, and what it waits is lost.
const BATCHES_BUFFERED_MAX_ALONE: usize = 24;

/// Returns the runtime, building it at the first call.
///
/// # Errors
///
/// The system gives no thread or no event queue.
pub(crate) fn runtime() -> io::Result<&'static Runtime> {
    static RUNTIME: OnceLock<Runtime> = OnceLock::new();
    if let Some(runtime) = RUNTIME.get() {
        return Ok(runtime);
    }
    let runtime = Builder::new_multi_thread()
        .worker_threads(WORKER_THREADS)
        .thread_name("cleanbill-net")
        .enable_all()
        .build()?;
    Ok(RUNTIME.get_or_init(|| runtime))
}

/// Waits for a future on the calling thread, which must not be one of the runtime's.
///
/// # Errors
///
/// There is no runtime, or the scan was stopped while waiting.
pub fn block_on<F: Future>(context: &ReadContext, future: F) -> io::Result<F::Output> {
    context.check()?;
    runtime()?.block_on(async {
        let mut tick = cancel_tick(CANCEL_POLL);
        let mut future = std::pin::pin!(future);
        loop {
            tokio::select! {
                biased;
                output = &mut future => return Ok(output),
                _ = tick.tick() => context.check()?,
            }
        }
    })
}

fn cancel_tick(poll: Duration) -> Interval {
    let mut tick = tokio::time::interval(poll);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    tick
}

/// Reads the body of an answer while it arrives.
///
/// A task fetches chunks ahead of the reader, at most [`BATCHES_BUFFERED_MAX`] batches; dropping
/// the reader ends the task and with it the connection. The task also watches the clock and the flag that
/// stops a scan, once for the whole body: a timer for every chunk would wake the runtime's threads
/// more often than the data does. Bytes are not counted here: the reader that knows whether they
/// belong to an image does that.
#[derive(Debug)]
pub(crate) struct BodyReader {
    batches: mpsc::Receiver<io::Result<Batch>>,
    current: Bytes,
    /// What follows `current`.
    batch: Batch,
    /// The end of the body was announced.
    is_over: bool,
    context: ReadContext,
    fetcher: JoinHandle<()>,
}

impl BodyReader {
    /// Starts to read a body. `silence_max` bounds the silence between two chunks, to a tenth of a
    /// second, or a second where it is minutes; `None` waits for as long as the peer keeps the connection.
    ///
    /// # Errors
    ///
    /// There is no runtime.
    pub(crate) fn new(
        response: reqwest::Response,
        context: &ReadContext,
        silence_max: Option<Duration>,
    ) -> io::Result<Self> {
        Self::with_buffer(response, context, silence_max, BATCHES_BUFFERED_MAX)
    }

    /// Does the same for a stream that is read alone: more of it may wait.
    ///
    /// # Errors
    ///
    /// There is no runtime.
    pub(crate) fn alone(
        response: reqwest::Response,
        context: &ReadContext,
        silence_max: Option<Duration>,
    ) -> io::Result<Self> {
        Self::with_buffer(response, context, silence_max, BATCHES_BUFFERED_MAX_ALONE)
    }

    fn with_buffer(
        response: reqwest::Response,
        context: &ReadContext,
        silence_max: Option<Duration>,
        batches_max: usize,
    ) -> io::Result<Self> {
        let (sender, batches) = mpsc::channel(batches_max);
        let context = context.clone();
        let fetcher = runtime()?.spawn(fetch(response, sender, context.clone(), silence_max));
        Ok(Self {
            batches,
            current: Bytes::new(),
            batch: Batch::default(),
            is_over: false,
            context,
            fetcher,
        })
    }

    /// Waits for the next chunk; `None` at the end of the body.
    fn next_chunk(&mut self) -> io::Result<Option<Bytes>> {
        if self.batch.is_empty() && !self.is_over {
            // A channel that closes before the end was announced is a broken stream, and stays one.
            let broken = || io::Error::from(io::ErrorKind::UnexpectedEof);
            self.batch = self.batches.blocking_recv().ok_or_else(broken)??;
            self.is_over = self.batch.is_empty();
        }
        Ok(self.batch.pop_front())
    }
}

/// Chunks that arrived together; one without any is the end of the body.
type Batch = VecDeque<Bytes>;

async fn fetch(
    mut response: reqwest::Response,
    sender: mpsc::Sender<io::Result<Batch>>,
    context: ReadContext,
    silence_max: Option<Duration>,
) {
    let poll = silence_max.map_or(CANCEL_POLL, |silence| {
        (silence / LOOKS_IN_SILENCE).clamp(CANCEL_POLL, CANCEL_POLL_MAX)
    });
    let mut tick = cancel_tick(poll);
    loop {
        let mut batch = Batch::default();
        let mut size_bytes = 0;
        let mut arrived = fetch_chunk(&mut response, &mut tick, &context, silence_max).await;
        let end = loop {
            match arrived {
                Ok(Some(chunk)) => {
                    size_bytes += chunk.len();
                    batch.push_back(chunk);
                }
                Ok(None) => break Some(Ok(Batch::default())),
                Err(error) => break Some(Err(error)),
            }
            if size_bytes >= BATCH_BYTES || batch.len() >= BATCH_CHUNKS_MAX {
                break None;
            }
            // The connection is a task of its own that hands over one chunk at a time.
            tokio::task::yield_now().await;
            arrived = tokio::select! {
                biased;
                chunk = response.chunk() => chunk.map_err(without_url),
                () = std::future::ready(()) => break None,
            };
        };
        // A failed send means that the reader is gone.
        if !batch.is_empty() && sender.send(Ok(batch)).await.is_err() {
            return;
        }
        if let Some(end) = end {
            let _ = sender.send(end).await;
            return;
        }
    }
}

/// The URL may carry a signature or user info; whoever reports the error names it.
fn without_url(error: reqwest::Error) -> io::Error {
    io::Error::other(error.without_url())
}

async fn fetch_chunk(
    response: &mut reqwest::Response,
    tick: &mut Interval,
    context: &ReadContext,
    silence_max: Option<Duration>,
) -> io::Result<Option<Bytes>> {
    let begun = Instant::now();
    let mut chunk = std::pin::pin!(response.chunk());
    loop {
        tokio::select! {
            biased;
            chunk = &mut chunk => return chunk.map_err(without_url),
            _ = tick.tick() => {}
        }
        context.check()?;
        if let Some(limit) = silence_max.filter(|limit| begun.elapsed() > *limit) {
            let text = format!("no data for {} s", limit.as_secs_f64());
            return Err(io::Error::new(io::ErrorKind::TimedOut, text));
        }
    }
}

impl Read for BodyReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.context.check()?;
        while self.current.is_empty() {
            match self.next_chunk()? {
                Some(chunk) => self.current = chunk,
                None => return Ok(0),
            }
        }
        let count = self.current.len().min(buffer.len());
        let (target, _) = buffer.split_at_mut(count);
        self.current.copy_to_slice(target);
        Ok(count)
    }
}

impl Drop for BodyReader {
    fn drop(&mut self) {
        self.fetcher.abort();
    }
}
