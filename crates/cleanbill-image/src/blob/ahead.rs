//! Reads on another thread, a few buffers ahead.

use std::io::{self, BufRead, Read};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::{self, Scope, ScopedJoinHandle};

/// Bytes of a buffer. Inflating is 10 % slower with 16 KiB; beyond 128 KiB nothing is gained.
pub(super) const BUFFER_SIZE: usize = 256 * 1024;
/// Buffers that go round between two threads: one is filled, one is read, two even out.
const BUFFER_COUNT: usize = 4;

/// A buffer and how much of it is filled, or why reading failed. Nothing filled is the end.
type Chunk = io::Result<(Box<[u8]>, usize)>;

/// Offers what another thread reads.
pub(super) struct ReadAhead {
    filled: Receiver<Chunk>,
    empty: SyncSender<Box<[u8]>>,
    current: Box<[u8]>,
    position: usize,
    end: usize,
    is_done: bool,
}

impl ReadAhead {
    /// Starts a thread that reads to the end, or until nobody listens. It returns the reader.
    pub(super) fn start<'scope, R: Read + Send + 'scope>(
        scope: &'scope Scope<'scope, '_>,
        reader: R,
    ) -> io::Result<(Self, ScopedJoinHandle<'scope, R>)> {
        let (to_caller, filled) = sync_channel(BUFFER_COUNT);
        let (empty, from_caller) = sync_channel(BUFFER_COUNT);
        for _ in 1..BUFFER_COUNT {
            // The channel has room for all of them.
            let _ = empty.try_send(vec![0; BUFFER_SIZE].into_boxed_slice());
        }
        let handle = thread::Builder::new()
            .name("read-ahead".to_owned())
            .spawn_scoped(scope, move || pump(reader, &from_caller, &to_caller))?;
        let current = vec![0; BUFFER_SIZE].into_boxed_slice();
        Ok((
            Self {
                filled,
                empty,
                current,
                position: 0,
                end: 0,
                is_done: false,
            },
            handle,
        ))
    }

    fn next_chunk(&mut self) -> io::Result<()> {
        // A closed channel without an end means that the other thread panicked; its scope says so.
        let chunk = self
            .filled
            .recv()
            .map_err(|_| io::Error::other("the reading thread ended"))?;
        let (buffer, length) = chunk?;
        let spent = std::mem::replace(&mut self.current, buffer);
        // Nobody takes it back once the end has been read.
        let _ = self.empty.try_send(spent);
        (self.position, self.end, self.is_done) = (0, length, length == 0);
        Ok(())
    }
}

fn pump<R: Read>(mut reader: R, empty: &Receiver<Box<[u8]>>, filled: &SyncSender<Chunk>) -> R {
    while let Ok(mut buffer) = empty.recv() {
        let chunk = fill(&mut reader, &mut buffer).map(|length| (buffer, length));
        let is_last = !matches!(chunk, Ok((_, 1..)));
        if filled.send(chunk).is_err() || is_last {
            break;
        }
    }
    reader
}

/// Reads until the buffer is full or the end is reached. An error is told at once: what was read
/// in front of it is of no use.
fn fill(reader: &mut impl Read, buffer: &mut [u8]) -> io::Result<usize> {
    let mut length = 0;
    while let Some(space) = buffer.get_mut(length..).filter(|space| !space.is_empty()) {
        match reader.read(space) {
            Ok(0) => break,
            Ok(count) => length += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(length)
}

impl Read for ReadAhead {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.fill_buf()?.read(buffer)?;
        self.consume(count);
        Ok(count)
    }
}

impl BufRead for ReadAhead {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.position == self.end && !self.is_done {
            self.next_chunk()?;
        }
        Ok(self
            .current
            .get(self.position..self.end)
            .unwrap_or_default())
    }

    fn consume(&mut self, count: usize) {
        self.position = self.position.saturating_add(count).min(self.end);
    }
}
