//! A mail server that follows a script: without TLS, for what a real one does not do on request.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

/// Answers to commands that begin with a text; the first that fits is given. Those that no entry
/// fits are answered as a mail server would that accepts everything.
pub type SmtpScript = Vec<(&'static str, &'static str)>;

/// A server on a port of its own; it lives as long as the process.
#[derive(Debug)]
pub struct SmtpServer {
    /// The port on 127.0.0.1.
    pub port: u16,
    conversations: Receiver<Vec<String>>,
}

impl SmtpServer {
    /// Starts a server. In answers `\n` separates the lines of one; an empty answer closes the
    /// connection.
    pub fn start(script: SmtpScript) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
        let port = listener.local_addr().expect("it is bound").port();
        let (sender, conversations) = channel();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (sender, script) = (sender.clone(), script.clone());
                std::thread::spawn(move || converse(stream, &script, &sender));
            }
        });
        Self {
            port,
            conversations,
        }
    }

    /// Returns what was said in the next conversation that has ended, without line ends.
    pub fn conversation(&self) -> Vec<String> {
        self.conversations
            .recv_timeout(Duration::from_secs(10))
            .expect("nobody came")
    }
}

fn converse(mut stream: TcpStream, script: &SmtpScript, sender: &Sender<Vec<String>>) {
    let mut heard = Vec::new();
    let reader = BufReader::new(stream.try_clone().expect("a socket can be shared"));
    let mut is_data = false;
    let mut is_open = say(&mut stream, answer(script, "CONNECT", "220 script ready"));
    for line in reader.lines() {
        let Ok(line) = line else { break };
        heard.push(line.clone());
        if is_data && line != "." {
            continue;
        }
        let answer = answer(script, &line, usual(&line, is_data));
        is_data = answer.starts_with("354");
        is_open &= say(&mut stream, answer) && !line.starts_with("QUIT");
        if !is_open {
            break;
        }
    }
    // The test may be over.
    let _ = sender.send(heard);
}

/// Returns what a server answers that accepts everything.
fn usual(line: &str, is_data: bool) -> &'static str {
    match line.get(..4) {
        _ if is_data => "250 2.0.0 taken",
        Some("DATA") => "354 go on",
        Some("EHLO") => "250-script\n250-AUTH PLAIN LOGIN XOAUTH2\n250 8BITMIME",
        Some("AUTH") => "235 2.7.0 welcome",
        _ => "250 2.0.0 fine",
    }
}

fn answer<'a>(script: &'a SmtpScript, command: &str, usual: &'a str) -> &'a str {
    let scripted = script.iter().find(|(start, _)| command.starts_with(start));
    scripted.map_or(usual, |(_, answer)| answer)
}

/// Says something. Returns whether the connection goes on.
fn say(stream: &mut TcpStream, answer: &str) -> bool {
    let text = answer.replace('\n', "\r\n") + "\r\n";
    if answer.is_empty() {
        // Reading would go on otherwise.
        let _ = stream.shutdown(std::net::Shutdown::Both);
        return false;
    }
    stream.write_all(text.as_bytes()).is_ok()
}
