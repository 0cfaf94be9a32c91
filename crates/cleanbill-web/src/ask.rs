//! Asking a running `watch` how it is: one request, for `cleanbill health`.

use std::io::{self, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

/// Bytes of an answer that are read. Ours are shorter than a line.
const ANSWER_SIZE_BYTES_MAX: usize = 64 * 1024;

const END_OF_HEAD: &str = "\r\n\r\n";

/// What was answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The status: 200 is good.
    pub status: u16,
    /// The text, from whoever answered: not fit for a terminal.
    pub text: String,
}

/// Says why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum AskError {
    /// Nobody listens, or the connection broke.
    #[error("{address} does not answer")]
    NoAnswer {
        /// The address.
        address: SocketAddr,
        /// The cause.
        #[source]
        source: io::Error,
    },
    /// Something else than HTTP was answered.
    #[error("what {address} answers is no HTTP")]
    NoHttp {
        /// The address.
        address: SocketAddr,
    },
}

/// Sends a GET request, without TLS, and returns the answer. `path` begins with a slash and holds
/// no space or control character; `timeout` is for all of it.
///
/// # Errors
///
/// Nobody answers in time, or not in HTTP.
pub fn ask(address: SocketAddr, path: &str, timeout: Duration) -> Result<Answer, AskError> {
    let bytes = exchange(address, path, timeout)
        .map_err(|source| AskError::NoAnswer { address, source })?;
    parse(&bytes).ok_or(AskError::NoHttp { address })
}

fn exchange(address: SocketAddr, path: &str, timeout: Duration) -> io::Result<Vec<u8>> {
    let begun = Instant::now();
    let left = || match timeout.checked_sub(begun.elapsed()) {
        Some(left) if !left.is_zero() => Ok(left),
        _ => Err(io::Error::from(io::ErrorKind::TimedOut)),
    };
    let mut stream = TcpStream::connect_timeout(&address, left()?)?;
    stream.set_write_timeout(Some(left()?))?;
    let request = format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes())?;
    let mut bytes = Vec::new();
    let mut buffer = [0; 4096];
    while bytes.len() < ANSWER_SIZE_BYTES_MAX && !is_complete(&bytes) {
        stream.set_read_timeout(Some(left()?))?;
        match stream.read(&mut buffer).map_err(in_words)? {
            0 => break,
            count => bytes.extend(buffer.iter().take(count)),
        }
    }
    Ok(bytes)
}

/// Gives a timeout the name that people know.
fn in_words(error: io::Error) -> io::Error {
    match error.kind() {
        io::ErrorKind::WouldBlock => io::ErrorKind::TimedOut.into(),
        _ => error,
    }
}

/// Says whether all that was announced is there: not every server closes the connection.
fn is_complete(bytes: &[u8]) -> bool {
    let text = String::from_utf8_lossy(bytes);
    let Some((head, _)) = text.split_once(END_OF_HEAD) else {
        return false;
    };
    let length = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        let is_length = name.eq_ignore_ascii_case("content-length");
        value.trim().parse().ok().filter(|_: &usize| is_length)
    });
    let body = bytes
        .windows(END_OF_HEAD.len())
        .position(|window| window == END_OF_HEAD.as_bytes())
        .map_or(0, |end| bytes.len() - end - END_OF_HEAD.len());
    length.is_some_and(|length| body >= length)
}

fn parse(bytes: &[u8]) -> Option<Answer> {
    let text = String::from_utf8_lossy(bytes);
    let (head, body) = text.split_once(END_OF_HEAD)?;
    let status = head.strip_prefix("HTTP/1.")?.split(' ').nth(1)?;
    Some(Answer {
        status: status.parse().ok()?,
        text: body.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use proptest::prelude::*;

    use super::*;

    /// Listens once and answers with these bytes, then waits or closes.
    fn answering(bytes: &'static [u8], stays: bool) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let _ = stream.read(&mut [0; 1024]);
            stream.write_all(bytes).unwrap();
            if stays {
                // Until the other side has enough.
                let _ = stream.read(&mut [0; 1]);
            }
        });
        address
    }

    const SOON: Duration = Duration::from_secs(10);

    #[test]
    fn an_answer_is_read() {
        let address = answering(
            b"HTTP/1.1 503 Service Unavailable\r\na: b\r\n\r\nno\n",
            false,
        );
        let answer = ask(address, "/healthz", SOON).unwrap();
        assert_eq!((answer.status, answer.text.as_str()), (503, "no\n"));
    }

    #[test]
    fn a_server_that_keeps_the_connection_is_not_waited_for() {
        let address = answering(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nok\n", true);
        let answer = ask(address, "/healthz", SOON).unwrap();
        assert_eq!((answer.status, answer.text.as_str()), (200, "ok\n"));
    }

    #[test]
    fn what_is_no_http_is_said() {
        let address = answering(b"220 mail ESMTP\r\n", false);
        assert!(matches!(
            ask(address, "/healthz", SOON),
            Err(AskError::NoHttp { .. })
        ));
    }

    #[test]
    fn who_never_finishes_is_not_waited_for() {
        let address = answering(b"HTTP/1.1 200 OK\r\n", true);
        let error = ask(address, "/healthz", Duration::from_millis(50)).unwrap_err();
        assert!(matches!(error, AskError::NoAnswer { .. }), "{error:?}");
    }

    #[test]
    fn a_port_where_nobody_listens_is_named() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        drop(listener);
        let error = ask(address, "/healthz", SOON).unwrap_err();
        assert_eq!(error.to_string(), format!("{address} does not answer"));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(128))]

        #[test]
        fn any_answer_is_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = parse(&bytes);
            is_complete(&bytes);
        }
    }
}
