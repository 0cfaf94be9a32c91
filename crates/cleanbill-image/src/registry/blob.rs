//! Streaming a blob, resumed where it breaks off.

use std::io::{self, Read};
use std::sync::Arc;
use std::time::Duration;

use cleanbill_core::Digest;
use reqwest::header::{CONTENT_RANGE, HeaderMap, HeaderValue, RANGE};

use super::host::Host;
use super::{Purpose, RegistryClient, RegistryError};
use crate::http::Response;
use crate::runtime::BodyReader;

/// Bytes that a connection must bring so that its end does not count as one more failure in a
/// row: a server that sends one byte at a time must not keep us for ever.
const PROGRESS_SIZE_BYTES_MIN: u64 = 1 << 20;

/// Reads the bytes of a blob as they are stored. Whoever reads verifies the digest, over the whole
/// stream, resumed or not; here only the length is checked, so that a stream that ends early is
/// resumed and one that does not end is stopped.
pub(super) struct BlobReader {
    client: RegistryClient,
    host: Arc<Host>,
    repository: String,
    digest: Digest,
    /// What the manifest states; `None` if it states nothing.
    size_bytes: Option<u64>,
    offset: u64,
    body: Option<BodyReader>,
    /// Connections in a row that brought less than [`PROGRESS_SIZE_BYTES_MIN`].
    failures: u32,
    /// The offset at which the present connection began.
    resumed_at: u64,
}

impl BlobReader {
    /// Asks for a blob. A size of 0 means that the manifest states none.
    ///
    /// # Errors
    ///
    /// The registry does not give it.
    pub(super) fn open(
        client: &RegistryClient,
        host: &Arc<Host>,
        repository: &str,
        digest: Digest,
        size_bytes: u64,
    ) -> Result<Self, RegistryError> {
        let mut reader = Self {
            client: client.clone(),
            host: Arc::clone(host),
            repository: repository.to_owned(),
            digest,
            size_bytes: (size_bytes > 0).then_some(size_bytes),
            offset: 0,
            body: None,
            failures: 0,
            resumed_at: 0,
        };
        reader.connect()?;
        Ok(reader)
    }

    fn what(&self) -> String {
        format!(
            "blob {} of {}/{}",
            self.digest,
            self.host.registry(),
            self.repository
        )
    }

    /// Opens a stream that continues at the present offset.
    fn connect(&mut self) -> Result<(), RegistryError> {
        let what = self.what();
        let purpose = Purpose {
            repository: &self.repository,
            what: &what,
        };
        let url = self
            .host
            .url(&format!("/v2/{}/blobs/{}", self.repository, self.digest));
        let mut headers = HeaderMap::new();
        if self.offset > 0
            && let Ok(range) = HeaderValue::from_str(&format!("bytes={}-", self.offset))
        {
            headers.insert(RANGE, range);
        }
        let response = self.client.get(&self.host, purpose, url, &headers)?;
        let begins_at = match response.status().as_u16() {
            200 => 0,
            206 if range_start(&response) == Some(self.offset) => self.offset,
            206 => return Err(malformed(what, "the registry resumes it at another place")),
            _ => return Err(self.client.error_of(response, purpose)),
        };
        let read_error = |source| RegistryError::Read {
            what: what.clone(),
            source,
        };
        let mut body = response
            .into_reader(self.client.context())
            .map_err(read_error)?;
        // A server without ranges begins anew. The bytes that were read already are dropped; if
        // they differ from the first time, the digest of the whole shows it.
        skip(&mut body, self.offset - begins_at).map_err(read_error)?;
        self.body = Some(body);
        self.resumed_at = self.offset;
        Ok(())
    }

    /// Opens the stream again after it broke off.
    fn resume(&mut self, cause: &io::Error) -> io::Result<()> {
        self.client.context().check()?;
        self.body = None;
        if self.offset - self.resumed_at >= PROGRESS_SIZE_BYTES_MIN {
            self.failures = 0;
        }
        self.failures += 1;
        let retry = &self.client.shared.http.options().retry;
        let Some(pause) = retry.delay(self.failures, None) else {
            let text = format!("{} broke off at byte {}: {cause}", self.what(), self.offset);
            return Err(io::Error::new(cause.kind(), text));
        };
        tracing::debug!(
            layer.digest = %self.digest,
            offset_bytes = self.offset,
            pause_ms = Duration::as_millis(&pause),
            %cause,
            "resuming a blob"
        );
        retry.pause.wait(pause, self.client.context())?;
        self.resumed_at = self.offset;
        self.connect().map_err(io::Error::other)
    }

    /// Reads from the present connection. Its end is an error if there should be more.
    fn read_body(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let Some(body) = &mut self.body else {
            return Err(io::ErrorKind::NotConnected.into());
        };
        let count = body.read(buffer)?;
        let is_short = self.size_bytes.is_some_and(|size| self.offset < size);
        if count == 0 && is_short && !buffer.is_empty() {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        Ok(count)
    }
}

impl Read for BlobReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            match self.read_body(buffer) {
                Ok(count) => {
                    self.offset += count as u64;
                    return match self.size_bytes {
                        Some(size) if self.offset > size => Err(io::Error::new(
                            io::ErrorKind::InvalidData,
                            format!("{} is longer than the {size} bytes stated", self.what()),
                        )),
                        _ => Ok(count),
                    };
                }
                Err(error) => self.resume(&error)?,
            }
        }
    }
}

fn malformed(what: String, reason: &str) -> RegistryError {
    RegistryError::Malformed {
        what,
        reason: reason.to_owned(),
    }
}

/// Reads the first number of `bytes 100-199/200`.
fn range_start(response: &Response) -> Option<u64> {
    let range = response
        .header(CONTENT_RANGE.as_str())?
        .strip_prefix("bytes ")?;
    range.split_once('-')?.0.trim().parse().ok()
}

fn skip(body: &mut BodyReader, count: u64) -> io::Result<()> {
    let skipped = io::copy(&mut body.take(count), &mut io::sink())?;
    if skipped < count {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(())
}
