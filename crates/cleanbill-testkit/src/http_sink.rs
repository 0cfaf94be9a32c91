//! An HTTP server that takes what it is sent and answers as a test says: it fails, stalls, breaks
//! off, limits rates, redirects, or answers with a page.

use std::collections::VecDeque;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// Bytes of a body that are read.
const BODY_SIZE_BYTES_MAX: u64 = 4 << 20;

/// How long a request is waited for: the program that sends it may have the machine to share.
const PATIENCE: Duration = Duration::from_secs(60);

/// What the server does with a request.
#[derive(Clone, Debug)]
pub enum HttpAnswer {
    /// Answers with a status, headers (each `name: value`) and a body.
    Reply(u16, Vec<String>, String),
    /// Answers nothing for as long as the other side keeps the connection.
    Stall,
    /// Closes the connection without an answer.
    HangUp,
    /// Promises a body and closes the connection in the middle of it.
    BreakOff,
    /// Sends a body without an end until the other side has enough.
    Endless,
}

impl HttpAnswer {
    /// Answers with a status and a body.
    pub fn reply(status: u16, body: &str) -> Self {
        HttpAnswer::Reply(status, Vec::new(), body.to_owned())
    }
}

/// A request that was received.
#[derive(Clone, Debug)]
pub struct ReceivedRequest {
    /// The first line without the version: `POST /path`.
    pub line: String,
    /// The headers, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: String,
}

impl ReceivedRequest {
    /// Returns a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        let header = self.headers.iter().find(|(key, _)| key == name);
        header.map(|(_, value)| value.as_str())
    }
}

/// A server on a port of its own; it lives as long as the process.
#[derive(Debug)]
pub struct HttpSink {
    /// `http://127.0.0.1:port`.
    pub url: String,
    requests: Receiver<ReceivedRequest>,
}

impl HttpSink {
    /// Starts a server that gives these answers, one to each request; the last one repeats.
    pub fn start(answers: Vec<HttpAnswer>) -> Self {
        let answers = Mutex::new(VecDeque::from(answers));
        Self::start_with(move |_| {
            let mut answers = answers.lock().unwrap_or_else(PoisonError::into_inner);
            let answer = match answers.len() {
                0 | 1 => answers.front().cloned(),
                _ => answers.pop_front(),
            };
            answer.unwrap_or(HttpAnswer::HangUp)
        })
    }

    /// Starts a server that asks for the answer to each request, several at a time.
    pub fn start_with(
        answer: impl Fn(&ReceivedRequest) -> HttpAnswer + Send + Sync + 'static,
    ) -> Self {
        let answer = Arc::new(answer);
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
        let url = format!("http://{}", listener.local_addr().expect("it is bound"));
        let (sender, requests) = channel();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (sender, answer) = (sender.clone(), Arc::clone(&answer));
                std::thread::spawn(move || serve(stream, &sender, &*answer));
            }
        });
        Self { url, requests }
    }

    /// Returns the next request that was received; waits for it a moment.
    pub fn request(&self) -> ReceivedRequest {
        self.requests
            .recv_timeout(PATIENCE)
            .expect("no request came")
    }

    /// Says whether no further request was received.
    pub fn is_idle(&self) -> bool {
        self.requests.try_recv().is_err()
    }
}

fn serve(
    stream: TcpStream,
    sender: &Sender<ReceivedRequest>,
    answer: &dyn Fn(&ReceivedRequest) -> HttpAnswer,
) {
    let mut reader = BufReader::new(stream);
    while let Ok(Some(request)) = read_request(&mut reader) {
        let answer = answer(&request);
        // The test may be over.
        let _ = sender.send(request);
        if !matches!(give(reader.get_mut(), &answer), Ok(true)) {
            return;
        }
    }
}

fn read_request(reader: &mut impl BufRead) -> io::Result<Option<ReceivedRequest>> {
    let mut line = String::new();
    if reader.read_line(&mut line)? == 0 {
        return Ok(None);
    }
    let words: Vec<&str> = line.split_whitespace().take(2).collect();
    let mut request = ReceivedRequest {
        line: words.join(" "),
        headers: Vec::new(),
        body: String::new(),
    };
    loop {
        let mut header = String::new();
        reader.read_line(&mut header)?;
        let Some((name, value)) = header.trim_end().split_once(':') else {
            break;
        };
        let header = (name.to_ascii_lowercase(), value.trim().to_owned());
        request.headers.push(header);
    }
    let length = request.header("content-length").unwrap_or("0").parse();
    let mut body = Vec::new();
    reader
        .take(length.unwrap_or(0).min(BODY_SIZE_BYTES_MAX))
        .read_to_end(&mut body)?;
    request.body = String::from_utf8_lossy(&body).into_owned();
    Ok(Some(request))
}

/// Gives an answer. Returns whether the connection is still good.
fn give(stream: &mut TcpStream, answer: &HttpAnswer) -> io::Result<bool> {
    match answer {
        HttpAnswer::Reply(status, headers, body) => {
            write!(stream, "HTTP/1.1 {status} X\r\n")?;
            for header in headers {
                write!(stream, "{header}\r\n")?;
            }
            write!(stream, "content-length: {}\r\n\r\n{body}", body.len())?;
            Ok(true)
        }
        HttpAnswer::Stall => {
            // Ends when the other side hangs up.
            let _ = stream.read(&mut [0; 1])?;
            Ok(false)
        }
        HttpAnswer::HangUp => Ok(false),
        HttpAnswer::BreakOff => {
            stream.write_all(b"HTTP/1.1 200 X\r\ncontent-length: 1000\r\n\r\nhalf")?;
            Ok(false)
        }
        HttpAnswer::Endless => {
            stream.write_all(b"HTTP/1.1 200 X\r\nconnection: close\r\n\r\n")?;
            loop {
                stream.write_all(&[b'a'; 1_024])?;
            }
        }
    }
}
