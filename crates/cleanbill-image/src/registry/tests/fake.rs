//! A server that answers as told: it can redirect, truncate, stall and lie, which no well-behaved
//! HTTP library does.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

use crate::http::crypto_provider;

/// A request as it came.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(crate) method: String,
    pub(crate) target: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
}

impl Asked {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(key, _)| key == name);
        found.map(|(_, value)| value.as_str())
    }
}

/// What to answer.
#[derive(Clone, Debug)]
pub(crate) struct Reply {
    status: u16,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
    content_length: Option<u64>,
    is_stalled: bool,
    tunnel: Option<SocketAddr>,
}

impl Reply {
    pub(crate) fn status(status: u16) -> Self {
        Self {
            status,
            headers: Vec::new(),
            body: Vec::new(),
            content_length: None,
            is_stalled: false,
            tunnel: None,
        }
    }

    pub(crate) fn body(body: impl Into<Vec<u8>>) -> Self {
        Self {
            body: body.into(),
            ..Self::status(200)
        }
    }

    pub(crate) fn redirect(target: impl Into<String>) -> Self {
        Self::status(307).header("location", target)
    }

    /// Becomes a tunnel to another server, as a proxy does after CONNECT.
    pub(crate) fn tunnel(address: SocketAddr) -> Self {
        Self {
            tunnel: Some(address),
            ..Self::status(200)
        }
    }

    pub(crate) fn header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }

    pub(crate) fn with_status(mut self, status: u16) -> Self {
        self.status = status;
        self
    }

    /// States a length that need not be true.
    pub(crate) fn lying_length(mut self, length: u64) -> Self {
        self.content_length = Some(length);
        self
    }

    /// Stays silent after the body instead of closing the connection.
    pub(crate) fn stalled(mut self) -> Self {
        self.is_stalled = true;
        self
    }
}

/// The server; it runs until the test process ends.
#[derive(Clone)]
pub(crate) struct FakeServer {
    pub(crate) address: SocketAddr,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl FakeServer {
    pub(crate) fn start(answer: impl Fn(&Asked) -> Reply + Send + Sync + 'static) -> Self {
        Self::start_with(None, answer)
    }

    /// Starts a server with TLS. Returns it with its certificate, which is its own authority.
    pub(crate) fn start_tls(
        names: &[&str],
        answer: impl Fn(&Asked) -> Reply + Send + Sync + 'static,
    ) -> (Self, String) {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let own = rcgen::generate_simple_self_signed(names).unwrap();
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(own.signing_key.serialize_der()));
        let config = ServerConfig::builder_with_provider(crypto_provider())
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![own.cert.der().clone()], key)
            .unwrap();
        (
            Self::start_with(Some(Arc::new(config)), answer),
            own.cert.pem(),
        )
    }

    fn start_with(
        tls: Option<Arc<ServerConfig>>,
        answer: impl Fn(&Asked) -> Reply + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let server = Self {
            address: listener.local_addr().unwrap(),
            asked: Arc::default(),
        };
        let asked = Arc::clone(&server.asked);
        let answer = Arc::new(answer);
        thread::spawn(move || {
            for stream in listener.incoming() {
                let (asked, answer, tls) = (Arc::clone(&asked), Arc::clone(&answer), tls.clone());
                // A client that goes away early is part of many tests.
                thread::spawn(move || -> Option<()> {
                    let stream = stream.ok()?;
                    match tls {
                        None => serve(stream.try_clone().ok()?, Some(stream), &asked, &*answer),
                        Some(config) => {
                            let connection = ServerConnection::new(config).ok()?;
                            serve(StreamOwned::new(connection, stream), None, &asked, &*answer)
                        }
                    }
                });
            }
        });
        server
    }

    /// Returns the requests so far.
    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }

    /// Returns `method target` of the requests so far.
    pub(crate) fn log(&self) -> Vec<String> {
        self.asked()
            .iter()
            .map(|asked| format!("{} {}", asked.method, asked.target))
            .collect()
    }

    /// Returns the name of a registry at this address.
    pub(crate) fn name(&self) -> String {
        self.address.to_string()
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }
}

fn serve<S: Read + Write>(
    stream: S,
    raw: Option<TcpStream>,
    log: &Mutex<Vec<Asked>>,
    answer: &dyn Fn(&Asked) -> Reply,
) -> Option<()> {
    let mut stream = BufReader::new(stream);
    let asked = read_request(&mut stream)?;
    log.lock().unwrap().push(asked.clone());
    let reply = answer(&asked);
    let stream = stream.get_mut();
    let mut head = format!("HTTP/1.1 {} X\r\nconnection: close\r\n", reply.status);
    for (name, value) in &reply.headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    if reply.tunnel.is_none() {
        let length = reply.content_length.unwrap_or(reply.body.len() as u64);
        head.push_str(&format!("content-length: {length}\r\n"));
    }
    stream.write_all(head.as_bytes()).ok()?;
    stream.write_all(b"\r\n").ok()?;
    if asked.method != "HEAD" {
        stream.write_all(&reply.body).ok()?;
    }
    stream.flush().ok()?;
    if let Some(address) = reply.tunnel {
        return tunnel(raw?, TcpStream::connect(address).ok()?);
    }
    if reply.is_stalled {
        // Returns when the client gives up.
        let _ = stream.read(&mut [0]);
    }
    Some(())
}

fn read_request(stream: &mut impl BufRead) -> Option<Asked> {
    let mut line = String::new();
    stream.read_line(&mut line).ok()?;
    let mut words = line.split_whitespace();
    let (method, target) = (words.next()?.to_owned(), words.next()?.to_owned());
    let mut headers = Vec::new();
    loop {
        let mut line = String::new();
        stream.read_line(&mut line).ok()?;
        match line.trim_end().split_once(':') {
            Some((name, value)) => headers.push((name.to_lowercase(), value.trim().to_owned())),
            None => break,
        }
    }
    let mut asked = Asked {
        method,
        target,
        headers,
        body: String::new(),
    };
    let length = asked
        .header("content-length")
        .map_or(0, |text| text.parse().unwrap());
    stream.take(length).read_to_string(&mut asked.body).ok()?;
    Some(asked)
}

fn tunnel(client: TcpStream, server: TcpStream) -> Option<()> {
    let (mut from_client, mut to_server) = (client.try_clone().ok()?, server.try_clone().ok()?);
    thread::spawn(move || std::io::copy(&mut from_client, &mut to_server));
    let (mut from_server, mut to_client) = (server, client);
    std::io::copy(&mut from_server, &mut to_client).ok()?;
    to_client.shutdown(std::net::Shutdown::Both).ok()
}
