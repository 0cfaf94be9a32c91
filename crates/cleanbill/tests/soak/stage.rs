//! Everything that a run needs, and what is asked of it in the end.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::atomic::Ordering;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use cleanbill_core::Digest;
use cleanbill_store::state::{MessageState, OutboxRow};
use rustix::process::Signal;

use crate::clock::Clock;
use crate::disk::SmallDisk;
use crate::engine::Engine;
use crate::figures::Figures;
use crate::ledger::Ledger;
use crate::mail::MailServer;
use crate::place::{Place, tail};
use crate::program::{Life, Program};
use crate::random::Random;
use crate::relay::{Relay, Transaction};
use crate::sink::{Call, Sink};
use crate::telling::{Told, known, read_call, read_mail};
use crate::world::{self, Advisories};

/// How long after everything is well again people may still be told.
const QUIET_AFTER: Duration = Duration::from_secs(240);
/// When nothing is left to tell, nothing more is said for so long.
const SILENCE: Duration = Duration::from_secs(5);
/// The channels by their names.
const MAIL: &str = "smtp";
const WEBHOOK: &str = "webhook";

/// Fields are dropped in this order: the program before what it talks to, the place last.
pub(crate) struct Stage {
    pub(crate) program: Arc<Program>,
    pub(crate) relay: Relay,
    pub(crate) mail: MailServer,
    pub(crate) sink: Sink,
    pub(crate) engine: Engine,
    pub(crate) disk: SmallDisk,
    pub(crate) clock: Clock,
    pub(crate) advisories: Advisories,
    pub(crate) ledger: Ledger,
    pub(crate) place: Place,
}

/// What people were told and what they were not.
struct Reading {
    problems: Vec<String>,
    /// Mails that came again.
    copies: u64,
    figures: Figures,
}

impl Stage {
    pub(crate) fn set(random: &mut Random) -> Self {
        let place = Place::new();
        let disk = SmallDisk::mount(&place);
        let clock = Clock::new(&place);
        let advisories = Advisories::first();
        advisories.publish(&place);
        let engine = Engine::start(&place);
        let mail = MailServer::start(&place);
        // What the program talks to kills it; it needs their addresses.
        let killed: Arc<OnceLock<Arc<Program>>> = Arc::default();
        let kill = {
            let killed = Arc::clone(&killed);
            move || {
                if let Some(program) = killed.get() {
                    program.kill();
                }
            }
        };
        let sink = Sink::start(random.fork(), kill.clone());
        let relay = Relay::start(mail.port, kill);
        let program = Arc::new(program(&place, &engine, &relay, &sink, &clock));
        killed.get_or_init(|| Arc::clone(&program));
        Self {
            program,
            relay,
            mail,
            sink,
            engine,
            disk,
            clock,
            advisories,
            ledger: Ledger::new(&place.path("disk/state")),
            place,
        }
    }

    /// Lets the program go on until nobody needs to be told anything more, and ends it; then asks
    /// whether everybody knows what is true, and whether no more mails came twice than
    /// `copies_max`. The program does not run when this is called.
    pub(crate) fn check_in_the_end(&mut self, title: &str, mut figures: Figures, copies_max: u64) {
        self.relay.forget_plan();
        self.relay.resume();
        self.sink.be_well();
        self.disk.free();
        // All that was put off is due then, and what a killed process left is old.
        let later = self.clock.offset_s.max(0) + 26 * 60 * 60;
        self.clock.jump_to(&self.place, later);
        self.program.start();
        let truth = self.advisories.truth(&world::images(&self.engine));
        let deadline = Instant::now() + QUIET_AFTER;
        let reading = loop {
            std::thread::sleep(Duration::from_millis(500));
            self.ledger.note();
            let mut reading = self.read(&truth);
            if reading.problems.is_empty() || Instant::now() > deadline {
                let before = self.told();
                std::thread::sleep(SILENCE);
                if self.told() != before {
                    let text = "it goes on talking when there is nothing to tell";
                    reading.problems.push(text.to_owned());
                }
                break reading;
            }
        };
        let mut problems = reading.problems;
        if reading.copies > copies_max {
            problems.push(format!(
                "{} mails came twice, and {copies_max} deliveries were interrupted",
                reading.copies
            ));
        }
        assert!(self.program.signal(Signal::TERM), "it does not run");
        problems.extend(self.wait_for_the_end());
        problems.extend(self.left_behind());
        figures.add("kill -9", self.program.kills.load(Ordering::Relaxed));
        figures.add("starts", self.program.starts.load(Ordering::Relaxed));
        figures.add("images in the end", world::images(&self.engine).len());
        figures.add("findings in the end", truth.len());
        figures.append(reading.figures);
        figures.add("failed checks", problems.len());
        figures.print(title);
        let log = tail(&self.program.log, 40);
        assert!(
            problems.is_empty(),
            "{}\n--- the program's last words\n{log}",
            problems.join("\n")
        );
    }

    /// Returns how much people heard.
    fn told(&self) -> (usize, usize) {
        (self.mail.mails().len(), self.sink.calls().len())
    }

    fn wait_for_the_end(&self) -> Option<String> {
        let deadline = Instant::now() + Duration::from_secs(20);
        loop {
            match self.program.life() {
                Life::Ended(status) if status.success() => return None,
                Life::Running if Instant::now() < deadline => {
                    std::thread::sleep(Duration::from_millis(20));
                }
                life => return Some(format!("it does not end as it should: {life:?}")),
            }
        }
    }

    /// Names files that are none of those that are meant to stay.
    fn left_behind(&self) -> Vec<String> {
        let is_meant = |directory: &str, name: &str| match directory {
            "disk/state" => name.starts_with("state.db") && !name.contains("corrupt"),
            "logs" => name.starts_with("scan-"),
            "cache" => name.starts_with("layers.sqlite") || name.starts_with("db/"),
            _ => false,
        };
        let mut problems = Vec::new();
        for directory in ["disk/state", "logs", "cache", "tmp", "snapshots"] {
            let files = self.place.files(directory);
            let left = files.iter().filter(|file| !is_meant(directory, file));
            problems.extend(left.map(|file| format!("{directory}/{file} was left behind")));
        }
        problems
    }

    /// Reads everything that was received, and compares it with what is true.
    fn read(&self, truth: &BTreeSet<world::Finding>) -> Reading {
        let mut reading = Reading {
            problems: Vec::new(),
            copies: 0,
            figures: Figures::default(),
        };
        let summary = self.ledger.read().unwrap().status_summary().unwrap();
        if summary.messages_pending + summary.messages_dead + summary.changes_untold > 0 {
            reading.problem(format!(
                "{} messages are pending, {} were given up, {} changes are untold",
                summary.messages_pending, summary.messages_dead, summary.changes_untold
            ));
        }
        let messages = self.ledger.messages();
        self.read_mails(&messages, truth, &mut reading);
        self.read_calls(&messages, truth, &mut reading);
        reading
    }

    fn read_mails(
        &self,
        messages: &[OutboxRow],
        truth: &BTreeSet<world::Finding>,
        reading: &mut Reading,
    ) {
        let transactions = self.relay.transactions();
        let accepted = transactions.iter().filter(|one| one.is_accepted).count();
        let mails = self.mail.mails();
        if accepted != mails.len() {
            let kept = mails.len();
            reading.problem(format!(
                "the server accepted {accepted} mails and has {kept}"
            ));
        }
        let texts: BTreeMap<String, String> = mails
            .into_iter()
            .map(|mail| (mail.message_id, mail.text))
            .collect();
        let arrivals: Vec<Arrival> = transactions.iter().map(Arrival::of_mail).collect();
        let told = |message: &OutboxRow| {
            let text = texts.get(&message_id(&message.message_id))?;
            Some(read_mail(text))
        };
        reading.compare(self, MAIL, messages, &arrivals, truth, told, |key| {
            message_id(key)
        });
    }

    fn read_calls(
        &self,
        messages: &[OutboxRow],
        truth: &BTreeSet<world::Finding>,
        reading: &mut Reading,
    ) {
        let calls = self.sink.calls();
        let arrivals: Vec<Arrival> = calls.iter().map(Arrival::of_call).collect();
        let taken = calls.iter().filter(|call| call.is_taken);
        let bodies: BTreeMap<&str, &str> = taken
            .map(|call| (call.key.as_str(), call.body.as_str()))
            .collect();
        let told = |message: &OutboxRow| {
            let body = bodies.get(message.message_id.as_str())?;
            Some(read_call(body))
        };
        reading.compare(
            self,
            WEBHOOK,
            messages,
            &arrivals,
            truth,
            told,
            str::to_owned,
        );
    }
}

/// A message that reached its receiver, or was on the way there.
struct Arrival {
    key: String,
    began: Instant,
    is_taken: bool,
}

impl Arrival {
    fn of_mail(mail: &Transaction) -> Self {
        Self {
            key: mail.message_id.clone(),
            began: mail.began,
            is_taken: mail.is_accepted,
        }
    }

    fn of_call(call: &Call) -> Self {
        Self {
            key: call.key.clone(),
            began: call.began,
            is_taken: call.is_taken,
        }
    }
}

impl Reading {
    fn problem(&mut self, text: String) {
        self.problems.push(text);
    }

    /// Compares what one channel got with what was sent and with what is true. `told` reads a
    /// message as it was received, `key_of` says what copies of it share there. Returns how many
    /// copies came.
    #[expect(
        clippy::too_many_arguments,
        reason = "both channels are asked the same"
    )]
    fn compare(
        &mut self,
        stage: &Stage,
        channel: &str,
        messages: &[OutboxRow],
        arrivals: &[Arrival],
        truth: &BTreeSet<world::Finding>,
        told: impl Fn(&OutboxRow) -> Option<Vec<Told>>,
        key_of: impl Fn(&str) -> String,
    ) -> u64 {
        let messages: Vec<&OutboxRow> = messages
            .iter()
            .filter(|message| message.channel == channel)
            .collect();
        let places: BTreeMap<String, usize> = messages
            .iter()
            .enumerate()
            .map(|(place, message)| (key_of(&message.message_id), place))
            .collect();
        let (mut copies, mut repeated, mut late, mut latest) = (0, 0, 0, 0);
        let mut seen = BTreeSet::new();
        for arrival in arrivals {
            let Some(&place) = places.get(&arrival.key) else {
                if arrival.is_taken {
                    self.problem(format!("{channel}: nobody sent message {}", arrival.key));
                }
                continue;
            };
            let message = &messages[place].message_id;
            let noted = stage.ledger.noted(&(channel.to_owned(), message.clone()));
            if noted.is_some_and(|noted| noted < arrival.began) {
                repeated += 1;
                self.problem(format!(
                    "{channel}: message {message} came after it was acknowledged"
                ));
            }
            if !arrival.is_taken {
                continue;
            }
            if !seen.insert(place) {
                copies += 1;
            } else if place < latest {
                late += 1;
            }
            latest = latest.max(place);
        }
        let lost = messages.len() - seen.len();
        let not_noted = messages
            .iter()
            .filter(|message| message.state != MessageState::Delivered)
            .count();
        if lost + not_noted > 0 {
            self.problem(format!(
                "{channel}: {lost} messages did not arrive, {not_noted} are not delivered"
            ));
        }
        let names: BTreeSet<String> = world::images(&stage.engine).into_keys().collect();
        let mut known = known(messages.iter().filter_map(|message| told(message)));
        // An image that is gone is not told as resolved.
        known.retain(|(image, _)| names.contains(image));
        for finding in truth.symmetric_difference(&known) {
            let what = if truth.contains(finding) {
                "was not told"
            } else {
                "is not true"
            };
            self.problem(format!("{channel}: {} in {} {what}", finding.1, finding.0));
        }
        let figures = [
            ("messages", messages.len() as u64),
            ("attempts that reached the receiver", arrivals.len() as u64),
            ("copies of what was not acknowledged", copies),
            ("repeated after the acknowledgement", repeated),
            ("overtaken by a later one", late),
            ("lost", lost as u64),
        ];
        for (name, count) in figures {
            self.figures.add(&format!("{channel}: {name}"), count);
        }
        copies
    }
}

/// Returns the Message-ID that a message becomes, as docs/notifications.md says: made of its id.
fn message_id(id: &str) -> String {
    let digest = Digest::of(id.as_bytes()).to_hex();
    format!("<{}@localhost>", &digest[..32])
}

fn program(place: &Place, engine: &Engine, relay: &Relay, sink: &Sink, clock: &Clock) -> Program {
    let call = format!(
        "watch --image soak/app:* --state-dir disk/state --log-dir logs --snapshot-dir snapshots \
         --skip-db-update --metrics-listen off --interval 20s --jitter 0 --messages-per-hour 3600 \
         --smtp-host 127.0.0.1 --smtp-port {} --smtp-tls=false --smtp-to ops@example.com \
         --webhook-url {}/hook",
        relay.port, sink.url
    );
    let mut environment = clock.environment();
    environment.push(("DOCKER_HOST", PathBuf::from(&engine.host)));
    environment.push(("CLEANBILL_LIST_MAX", PathBuf::from("500")));
    Program::new(
        place,
        call.split_whitespace().map(str::to_owned).collect(),
        &environment,
    )
}
