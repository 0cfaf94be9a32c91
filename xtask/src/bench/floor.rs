//! What physics allows: reads layers, inflates them, and hashes what is stored and what comes out,
//! with the crates that Cleanbill uses.
//!
//! A thread per layer, the largest first, as many as there are processors.

use std::fs::File;
use std::io::{BufRead, BufReader, Read, Seek, SeekFrom, Write as _};
use std::net::TcpStream;
use std::sync::Mutex;

use anyhow::{Context as _, ensure};
use flate2::bufread::MultiGzDecoder;
use sha2::{Digest as _, Sha256};

const BUFFER_SIZE: usize = 256 * 1024;

/// A layer as the command line names it: `PATH`, `PATH@OFFSET+LENGTH` within an archive, or
/// `http://HOST:PORT/PATH@0+LENGTH`.
struct Piece {
    path: String,
    offset: u64,
    length: u64,
}

impl Piece {
    fn parse(argument: &str) -> anyhow::Result<Self> {
        let Some((path, range)) = argument.rsplit_once('@') else {
            let length = std::fs::metadata(argument)
                .context(argument.to_owned())?
                .len();
            return Ok(Self {
                path: argument.to_owned(),
                offset: 0,
                length,
            });
        };
        let (offset, length) = range.split_once('+').context("a range is OFFSET+LENGTH")?;
        Ok(Self {
            path: path.to_owned(),
            offset: offset.parse()?,
            length: length.parse()?,
        })
    }
}

/// Reads all layers.
pub(crate) fn run(arguments: &[String]) -> anyhow::Result<()> {
    let mut pieces = arguments
        .iter()
        .map(|argument| Piece::parse(argument))
        .collect::<Result<Vec<_>, _>>()?;
    pieces.sort_by_key(|piece| std::cmp::Reverse(piece.length));
    let threads = std::thread::available_parallelism()?.get();
    let queue = Mutex::new(pieces.into_iter());
    let next = || queue.lock().ok()?.next();
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads)
            .map(|_| {
                scope.spawn(|| -> anyhow::Result<()> {
                    while let Some(piece) = next() {
                        read(&piece).with_context(|| piece.path.clone())?;
                    }
                    Ok(())
                })
            })
            .collect();
        workers.into_iter().try_for_each(|worker| {
            worker
                .join()
                .map_err(|_| anyhow::anyhow!("a thread panicked"))?
        })
    })
}

fn read(piece: &Piece) -> anyhow::Result<()> {
    if let Some(address) = piece.path.strip_prefix("http://") {
        return digest(get(address)?.take(piece.length));
    }
    let mut file = File::open(&piece.path)?;
    file.seek(SeekFrom::Start(piece.offset))?;
    digest(file.take(piece.length))
}

/// Asks for a file. HTTP/1.0 ends an answer with the connection: nothing is to be decoded.
fn get(address: &str) -> anyhow::Result<impl Read> {
    let (host, path) = address.split_once('/').context("the address has no path")?;
    let mut stream = TcpStream::connect(host)?;
    write!(stream, "GET /{path} HTTP/1.0\r\nHost: {host}\r\n\r\n")?;
    let mut answer = BufReader::with_capacity(BUFFER_SIZE, stream);
    let mut line = String::new();
    answer.read_line(&mut line)?;
    let status = line.split(' ').nth(1);
    ensure!(status == Some("200"), "the answer is {}", line.trim());
    while line.trim() != "" {
        line.clear();
        answer.read_line(&mut line)?;
    }
    Ok(answer)
}

fn digest(stored: impl Read) -> anyhow::Result<()> {
    let stored = Hashing {
        reader: stored,
        hasher: Sha256::new(),
    };
    let mut stored = BufReader::with_capacity(BUFFER_SIZE, stored);
    let content = match stored.fill_buf()? {
        [0x1f, 0x8b, ..] => Some(hash(MultiGzDecoder::new(stored))?),
        [0x28, 0xb5, 0x2f, 0xfd, ..] => {
            Some(hash(zstd::stream::read::Decoder::with_buffer(stored)?)?)
        }
        _ => {
            std::io::copy(&mut stored, &mut std::io::sink())?;
            None
        }
    };
    std::hint::black_box(content);
    Ok(())
}

fn hash(mut reader: impl Read) -> anyhow::Result<Vec<u8>> {
    let mut hasher = Sha256::new();
    let mut buffer = vec![0; BUFFER_SIZE];
    loop {
        match reader.read(&mut buffer)? {
            0 => return Ok(hasher.finalize().to_vec()),
            count => hasher.update(buffer.get(..count).unwrap_or_default()),
        }
    }
}

struct Hashing<R> {
    reader: R,
    hasher: Sha256,
}

impl<R: Read> Read for Hashing<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let count = self.reader.read(buffer)?;
        self.hasher.update(buffer.get(..count).unwrap_or_default());
        Ok(count)
    }
}
