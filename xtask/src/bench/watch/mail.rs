//! A mail server in this process: it takes everything, and notes when.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, Instant};

use anyhow::Context as _;

/// A mail that was handed over.
pub(super) struct Mail {
    /// When its last line was here.
    pub(super) at: Instant,
    /// The mail, without the folds of quoted-printable lines.
    pub(super) text: String,
}

/// A server without TLS on a port of its own.
pub(super) struct MailSink {
    pub(super) port: u16,
    mails: Receiver<Mail>,
}

impl MailSink {
    pub(super) fn start() -> anyhow::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").context("no port is free")?;
        let port = listener.local_addr()?.port();
        let (sender, mails) = channel();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let sender = sender.clone();
                // Who breaks off a conversation hands over nothing.
                std::thread::spawn(move || converse(stream, &sender));
            }
        });
        Ok(Self { port, mails })
    }

    /// Returns the next mail.
    pub(super) fn next(&self, patience: Duration) -> anyhow::Result<Mail> {
        self.mails
            .recv_timeout(patience)
            .context("no mail was sent")
    }

    /// Returns the next mail that holds a text.
    pub(super) fn next_with(&self, text: &str, patience: Duration) -> anyhow::Result<Mail> {
        loop {
            let mail = self
                .next(patience)
                .with_context(|| format!("nobody was told of {text}"))?;
            if mail.text.contains(text) {
                return Ok(mail);
            }
        }
    }

    /// Forgets what was handed over.
    pub(super) fn forget(&self) {
        while self.mails.try_recv().is_ok() {}
    }
}

fn converse(mut stream: TcpStream, mails: &Sender<Mail>) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let say = |stream: &mut TcpStream, answer: &str| stream.write_all(answer.as_bytes());
    let mut reader = BufReader::new(stream.try_clone()?);
    say(&mut stream, "220 sink ready\r\n")?;
    let mut line = Vec::new();
    loop {
        line.clear();
        if reader.read_until(b'\n', &mut line)? == 0 {
            return Ok(());
        }
        let command = line.get(..4).unwrap_or_default().to_ascii_uppercase();
        match &*command {
            b"DATA" => {
                say(&mut stream, "354 go on\r\n")?;
                let mail = read_mail(&mut reader)?;
                say(&mut stream, "250 2.0.0 taken\r\n")?;
                // The benchmark may be over.
                let _ = mails.send(mail);
            }
            b"EHLO" => say(&mut stream, "250-sink\r\n250 8BITMIME\r\n")?,
            b"QUIT" => return say(&mut stream, "221 2.0.0 bye\r\n"),
            _ => say(&mut stream, "250 2.0.0 fine\r\n")?,
        }
    }
}

fn read_mail(reader: &mut BufReader<TcpStream>) -> std::io::Result<Mail> {
    let mut bytes = Vec::new();
    while !bytes.ends_with(b"\r\n.\r\n") {
        if reader.read_until(b'\n', &mut bytes)? == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
    }
    let at = Instant::now();
    let text = String::from_utf8_lossy(&bytes).replace("=\r\n", "");
    Ok(Mail { at, text })
}
