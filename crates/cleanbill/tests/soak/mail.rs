//! A mail server (Postfix) that keeps what it gets.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::os::unix::fs::chown;
use std::path::PathBuf;
use std::time::Duration;
use std::{fs, process::Command};

use crate::place::{Place, Server};

/// The server's program; there is no other place for it on Debian and Ubuntu.
pub(crate) const PROGRAM: &str = "/usr/lib/postfix/sbin/master";

pub(crate) struct MailServer {
    boxes: PathBuf,
    pub(crate) port: u16,
    _server: Server,
}

/// A mail as it lies in the mailbox.
#[derive(Debug)]
pub(crate) struct Mail {
    pub(crate) message_id: String,
    /// The plain text part.
    pub(crate) text: String,
}

impl MailServer {
    pub(crate) fn start(place: &Place) -> Self {
        let port = free_port();
        let root = place.path("mail");
        let boxes = root.join("boxes");
        for name in ["queue", "data", "boxes"] {
            fs::create_dir_all(root.join(name)).unwrap();
        }
        let (postfix, mail) = (ids_of("postfix"), ids_of("mail"));
        chown(root.join("data"), Some(postfix.0), Some(postfix.1)).unwrap();
        chown(&boxes, Some(mail.0), Some(mail.1)).unwrap();
        let log = place.path("postfix.log");
        place.write("mail/main.cf", main_cf(place, mail));
        place.write(
            "mail/master.cf",
            MASTER_CF.replace("PORT", &port.to_string()),
        );
        let configuration = root.display().to_string();
        let checked = Command::new("postfix")
            .args(["-c", &configuration, "check"])
            .output()
            .unwrap();
        assert!(checked.status.success(), "{checked:?}");
        let command = [PROGRAM, "-c", &configuration];
        let server = Server::start(&command, &log, || greets(port));
        Self {
            boxes: boxes.join("ops/new"),
            port,
            _server: server,
        }
    }

    /// Reads the mailbox.
    pub(crate) fn mails(&self) -> Vec<Mail> {
        let mut files: Vec<PathBuf> = fs::read_dir(&self.boxes)
            .into_iter()
            .flatten()
            .map(|entry| entry.unwrap().path())
            .collect();
        files.sort();
        let read = |path: &PathBuf| read_mail(&fs::read_to_string(path).unwrap());
        files.iter().map(read).collect()
    }
}

/// Returns a port that nobody uses now.
pub(crate) fn free_port() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    listener.local_addr().unwrap().port()
}

fn greets(port: u16) -> bool {
    let Ok(stream) = TcpStream::connect((Ipv4Addr::LOCALHOST, port)) else {
        return false;
    };
    let mut line = String::new();
    stream
        .set_read_timeout(Some(Duration::from_secs(5)))
        .unwrap();
    let read = BufReader::new(stream).read_line(&mut line);
    read.is_ok() && line.starts_with("220")
}

/// Returns the numbers of a user and its group.
fn ids_of(user: &str) -> (u32, u32) {
    let users = fs::read_to_string("/etc/passwd").unwrap();
    let line = users
        .lines()
        .find(|line| line.split(':').next() == Some(user));
    let fields: Vec<&str> = line.expect("the user of the server").split(':').collect();
    (fields[2].parse().unwrap(), fields[3].parse().unwrap())
}

fn main_cf(place: &Place, mail: (u32, u32)) -> String {
    let root = place.path("mail").display().to_string();
    let log = place.path("").display().to_string();
    let log = log.trim_end_matches('/');
    format!(
        "compatibility_level = 3.6\n\
         queue_directory = {root}/queue\n\
         data_directory = {root}/data\n\
         command_directory = /usr/sbin\n\
         daemon_directory = /usr/lib/postfix/sbin\n\
         mail_owner = postfix\n\
         setgid_group = postdrop\n\
         maillog_file = {log}/postfix.log\n\
         maillog_file_prefixes = {log}\n\
         inet_interfaces = 127.0.0.1\n\
         myhostname = localhost\n\
         mydestination =\n\
         alias_maps =\n\
         virtual_mailbox_domains = example.com\n\
         virtual_mailbox_base = {root}/boxes\n\
         virtual_mailbox_maps = inline:{{ {{ops@example.com = ops/}} }}\n\
         virtual_minimum_uid = 1\n\
         virtual_uid_maps = static:{}\n\
         virtual_gid_maps = static:{}\n\
         mynetworks = 127.0.0.0/8\n\
         smtpd_recipient_restrictions = permit_mynetworks, reject\n",
        mail.0, mail.1
    )
}

const MASTER_CF: &str = "\
127.0.0.1:PORT inet n - n - - smtpd
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
proxymap unix - - n - - proxymap
virtual unix - n n - - virtual
error unix - - n - - error
retry unix - - n - - error
anvil unix - - n - 1 anvil
postlog unix-dgram n - n - 1 postlogd
";

/// Reads the headers that count, and the part of plain text.
fn read_mail(raw: &str) -> Mail {
    let raw = raw.replace("\r\n", "\n");
    let (head, body) = raw.split_once("\n\n").unwrap();
    let headers = headers(head);
    let boundary = headers["content-type"].split('"').nth(1).unwrap();
    let part = body
        .split(&format!("--{boundary}"))
        .find(|part| part.contains("text/plain"))
        .unwrap();
    let (_, text) = part.trim_start().split_once("\n\n").unwrap();
    Mail {
        message_id: headers["message-id"].clone(),
        text: quoted_printable(text),
    }
}

fn headers(head: &str) -> BTreeMap<String, String> {
    let unfolded = head.replace("\n ", " ").replace("\n\t", " ");
    unfolded
        .lines()
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
        .collect()
}

fn quoted_printable(text: &str) -> String {
    let joined = text.replace("=\n", "");
    let mut bytes = Vec::new();
    let mut rest = joined.as_str();
    while let Some((before, after)) = rest.split_once('=') {
        bytes.extend(before.bytes());
        bytes.push(u8::from_str_radix(&after[..2], 16).unwrap());
        rest = &after[2..];
    }
    bytes.extend(rest.bytes());
    String::from_utf8(bytes).unwrap()
}
