//! The way to the mail server. It can be cut, it sees how far a delivery has come, and at a moment
//! that the test chooses it strikes: the program is killed, or the connection breaks.
//!
//! Mail goes in plain text here so that the moments can be told apart; encryption and
//! authentication have tests of their own, against a server of the same kind.

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How far a delivery has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Moment {
    /// The server greets.
    Greeting,
    /// A mail is announced.
    Announced,
    /// Half of the first bytes of the mail are sent.
    HalfSent,
    /// The server has the whole mail, and has not answered.
    Sent,
    /// The server has accepted the mail; the program does not know.
    Accepted,
    /// The program has just been told that the mail was accepted.
    Acknowledged,
}

impl Moment {
    pub(crate) const ALL: [Self; 6] = [
        Self::Greeting,
        Self::Announced,
        Self::HalfSent,
        Self::Sent,
        Self::Accepted,
        Self::Acknowledged,
    ];

    pub(crate) const fn words(self) -> &'static str {
        match self {
            Self::Greeting => "when the server greets",
            Self::Announced => "when a mail is announced",
            Self::HalfSent => "when half of a mail is sent",
            Self::Sent => "when the mail is sent, not answered",
            Self::Accepted => "when it is accepted, not acknowledged",
            Self::Acknowledged => "when it is acknowledged",
        }
    }
}

/// What is done at a moment.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Blow {
    /// The program is killed, so long after the moment.
    Kill(Duration),
    /// The connection breaks.
    Cut,
}

/// A mail that was handed over, or was to be.
#[derive(Clone, Debug)]
pub(crate) struct Transaction {
    /// Empty if the connection broke before that was said.
    pub(crate) message_id: String,
    pub(crate) began: Instant,
    /// The server said that it has the mail.
    pub(crate) is_accepted: bool,
    is_over: bool,
}

pub(crate) struct Relay {
    pub(crate) port: u16,
    shared: Arc<Shared>,
    listening: Mutex<Option<Arc<AtomicBool>>>,
}

struct Shared {
    server_port: u16,
    kill: Box<dyn Fn() + Send + Sync>,
    plan: Mutex<Option<(Moment, Blow)>>,
    struck: Mutex<BTreeMap<Moment, u64>>,
    transactions: Mutex<Vec<Transaction>>,
    open: Mutex<Vec<TcpStream>>,
}

impl Relay {
    /// Opens a way to a server; `kill` kills the program.
    pub(crate) fn start(server_port: u16, kill: impl Fn() + Send + Sync + 'static) -> Self {
        let relay = Self {
            port: crate::mail::free_port(),
            shared: Arc::new(Shared {
                server_port,
                kill: Box::new(kill),
                plan: Mutex::default(),
                struck: Mutex::default(),
                transactions: Mutex::default(),
                open: Mutex::default(),
            }),
            listening: Mutex::default(),
        };
        relay.resume();
        relay
    }

    /// Says what is to happen at the next such moment.
    pub(crate) fn plan(&self, moment: Moment, blow: Blow) {
        *lock(&self.shared.plan) = Some((moment, blow));
    }

    pub(crate) fn forget_plan(&self) {
        *lock(&self.shared.plan) = None;
    }

    /// Returns how often it struck at which moment.
    pub(crate) fn struck(&self) -> BTreeMap<Moment, u64> {
        lock(&self.shared.struck).clone()
    }

    /// Returns what was handed over, in order; waits for answers of the server that are under way.
    pub(crate) fn transactions(&self) -> Vec<Transaction> {
        let deadline = Instant::now() + Duration::from_secs(10);
        loop {
            let transactions = lock(&self.shared.transactions).clone();
            if transactions.iter().all(|one| one.is_over) || Instant::now() > deadline {
                return transactions;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Refuses connections and breaks those that are open.
    pub(crate) fn cut(&self) {
        if let Some(is_over) = lock(&self.listening).take() {
            is_over.store(true, Ordering::Relaxed);
            // Wakes who listens.
            let _ = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port));
        }
        for stream in lock(&self.shared.open).drain(..) {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }

    /// Takes connections again.
    pub(crate) fn resume(&self) {
        let mut listening = lock(&self.listening);
        if listening.is_some() {
            return;
        }
        let listener = (0..100)
            .find_map(|_| {
                let bound = TcpListener::bind((Ipv4Addr::LOCALHOST, self.port));
                if bound.is_err() {
                    std::thread::sleep(Duration::from_millis(20));
                }
                bound.ok()
            })
            .expect("the port is ours");
        let is_over = Arc::new(AtomicBool::new(false));
        *listening = Some(Arc::clone(&is_over));
        let shared = Arc::clone(&self.shared);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if is_over.load(Ordering::Relaxed) {
                    return;
                }
                let shared = Arc::clone(&shared);
                std::thread::spawn(move || shared.pass_on(stream));
            }
        });
    }
}

/// Where a conversation is.
#[derive(Default)]
struct Conversation {
    is_greeted: bool,
    is_data_asked: bool,
    is_content: bool,
    is_answer_awaited: bool,
    content: Vec<u8>,
    /// The place in the list of transactions.
    transaction: Option<usize>,
}

impl Shared {
    /// Passes on what both sides say. What the server answers is noted even if nobody is there any
    /// more to hear it.
    fn pass_on(self: Arc<Self>, client: TcpStream) {
        let Ok(server) = TcpStream::connect((Ipv4Addr::LOCALHOST, self.server_port)) else {
            return;
        };
        // A conversation of which nothing is heard for so long is over.
        for stream in [&client, &server] {
            stream
                .set_read_timeout(Some(Duration::from_secs(120)))
                .unwrap();
            stream.set_nodelay(true).unwrap();
        }
        lock(&self.open).push(client.try_clone().unwrap());
        let conversation = Arc::new(Mutex::new(Conversation::default()));
        let from_client = {
            let (shared, conversation) = (Arc::clone(&self), Arc::clone(&conversation));
            let (client, server) = (client.try_clone().unwrap(), server.try_clone().unwrap());
            std::thread::spawn(move || shared.pass_to_server(client, server, &conversation))
        };
        self.pass_to_client(client, server, &conversation);
        let _ = from_client.join();
        if let Some(place) = lock(&conversation).transaction {
            lock(&self.transactions)[place].is_over = true;
        }
    }

    fn pass_to_server(
        &self,
        mut client: TcpStream,
        mut server: TcpStream,
        conversation: &Mutex<Conversation>,
    ) {
        let mut buffer = vec![0; 1 << 16];
        while let Ok(count @ 1..) = client.read(&mut buffer) {
            let bytes = &buffer[..count];
            let mut now = lock(conversation);
            let mut moment = None;
            if now.is_content {
                if now.content.is_empty() && self.strikes_at(Moment::HalfSent) {
                    let _ = server.write_all(&bytes[..count / 2]);
                    drop(now);
                    self.reach(Moment::HalfSent, &client);
                    break;
                }
                now.content.extend(bytes);
                if now.content.ends_with(b"\r\n.\r\n") {
                    now.is_content = false;
                    now.is_answer_awaited = true;
                    self.note_message_id(&mut now);
                    moment = Some(Moment::Sent);
                }
            } else if bytes.starts_with(b"MAIL") {
                now.transaction = Some(self.begin());
                moment = Some(Moment::Announced);
            } else if bytes.starts_with(b"DATA") {
                now.is_data_asked = true;
            }
            drop(now);
            if server.write_all(bytes).is_err() {
                break;
            }
            if let Some(moment) = moment {
                self.reach(moment, &client);
            }
        }
        let _ = server.shutdown(Shutdown::Write);
    }

    fn pass_to_client(
        &self,
        mut client: TcpStream,
        mut server: TcpStream,
        conversation: &Mutex<Conversation>,
    ) {
        let mut buffer = vec![0; 1 << 16];
        while let Ok(count @ 1..) = server.read(&mut buffer) {
            let bytes = &buffer[..count];
            let mut now = lock(conversation);
            let mut is_acknowledgement = false;
            if !now.is_greeted {
                now.is_greeted = true;
                drop(now);
                self.reach(Moment::Greeting, &client);
            } else if now.is_answer_awaited {
                now.is_answer_awaited = false;
                is_acknowledgement = bytes.starts_with(b"250");
                let place = now.transaction;
                drop(now);
                if is_acknowledgement {
                    if let Some(place) = place {
                        lock(&self.transactions)[place].is_accepted = true;
                    }
                    self.reach(Moment::Accepted, &client);
                }
            } else if now.is_data_asked {
                now.is_data_asked = false;
                now.is_content = bytes.starts_with(b"354");
            }
            // Who is gone hears nothing, and the server may say more.
            let is_heard = client.write_all(bytes).is_ok();
            if is_acknowledgement && is_heard {
                self.reach(Moment::Acknowledged, &client);
            }
        }
        let _ = client.shutdown(Shutdown::Both);
    }

    fn begin(&self) -> usize {
        let mut transactions = lock(&self.transactions);
        transactions.push(Transaction {
            message_id: String::new(),
            began: Instant::now(),
            is_accepted: false,
            is_over: false,
        });
        transactions.len() - 1
    }

    fn note_message_id(&self, conversation: &mut Conversation) {
        let text = String::from_utf8_lossy(&conversation.content);
        let line = text
            .lines()
            .find_map(|line| line.strip_prefix("Message-ID: "));
        let message_id = line.unwrap_or_default().to_owned();
        drop(text);
        conversation.content.clear();
        if let Some(place) = conversation.transaction {
            lock(&self.transactions)[place].message_id = message_id;
        }
    }

    fn strikes_at(&self, moment: Moment) -> bool {
        lock(&self.plan).is_some_and(|(planned, _)| planned == moment)
    }

    /// Does what is planned for a moment.
    fn reach(&self, moment: Moment, client: &TcpStream) {
        let blow = match &mut *lock(&self.plan) {
            plan @ Some(_) if plan.is_some_and(|(planned, _)| planned == moment) => plan.take(),
            _ => None,
        };
        let Some((_, blow)) = blow else { return };
        *lock(&self.struck).entry(moment).or_default() += 1;
        match blow {
            Blow::Kill(delay) => {
                std::thread::sleep(delay);
                (self.kill)();
            }
            Blow::Cut => {}
        }
        let _ = client.shutdown(Shutdown::Both);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
