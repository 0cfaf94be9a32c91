//! A small model of the monitor's cycle: look, find out what changed, write messages, send them.
//!
//! In round `r` the image has two vulnerabilities, `r` and `r - 1`; so each round one comes and one
//! goes, and everything that was ever to be told is known by its number. What left the process is
//! kept outside the store, and survives when the process does not.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::Write as _;
use std::path::Path;

use cleanbill_core::change::{Cause, Change, ChangeKind, ImageState, KnownFinding};

use super::kit::*;
use crate::StoreError;
use crate::state::*;

pub(super) const IMAGE: &str = "registry.example/app:1";
const LEASE_MS: i64 = 60_000;

/// Says why a round was not finished.
#[derive(Debug)]
pub(super) enum Stop {
    /// The store said no.
    Failed,
    /// The process died between two steps.
    Died,
}

impl From<StoreError> for Stop {
    fn from(_: StoreError) -> Self {
        Stop::Failed
    }
}

/// Is everything outside the process: what the receivers got, and which of it the store has noted.
#[derive(Default)]
pub(super) struct World {
    /// What was received, in order: channel, key, text.
    received: Vec<(String, String, String)>,
    /// Messages of which the store has said that they are delivered.
    noted: BTreeSet<(String, String)>,
    /// The last round that was begun.
    pub(super) round: i64,
    /// Steps until the process dies; negative: it lives on.
    pub(super) steps_left: i64,
    /// Messages that arrive without that their sender learns of it.
    pub(super) answers_lost: u32,
    /// Milliseconds.
    pub(super) now: i64,
    /// Where all of it is written as well, for when the process really dies.
    log: Option<File>,
}

impl World {
    pub(super) fn new() -> Self {
        Self {
            steps_left: -1,
            ..Self::default()
        }
    }

    /// Goes on with the world that a process left behind.
    pub(super) fn load(path: &Path) -> Self {
        let mut world = Self::new();
        for line in std::fs::read_to_string(path).unwrap_or_default().lines() {
            let fields: Vec<&str> = line.split('\t').collect();
            match fields.as_slice() {
                ["round", round] => world.round = round.parse().unwrap(),
                ["received", channel, key, text] => {
                    world.receive(channel, key, text);
                }
                ["noted", channel, key] => {
                    world
                        .noted
                        .insert(((*channel).to_owned(), (*key).to_owned()));
                }
                other => panic!("torn line: {other:?}"),
            }
        }
        let log = File::options().create(true).append(true).open(path);
        world.log = Some(log.unwrap());
        world
    }

    /// Writes a line at once, so that it is there or not.
    fn write(&mut self, line: &str) {
        if let Some(log) = &mut self.log {
            log.write_all(format!("{line}\n").as_bytes()).unwrap();
        }
    }

    fn receive(&mut self, channel: &str, key: &str, text: &str) {
        let id = (channel.to_owned(), key.to_owned());
        assert!(!self.noted.contains(&id), "{id:?} was sent again");
        self.received.push((id.0, id.1, text.to_owned()));
    }

    fn step(&mut self) -> Result<(), Stop> {
        self.now += 1;
        if self.steps_left == 0 {
            return Err(Stop::Died);
        }
        self.steps_left -= 1;
        Ok(())
    }

    pub(super) fn begin_round(&mut self) {
        self.round += 1;
        let line = format!("round\t{}", self.round);
        self.write(&line);
    }

    /// Runs the last round, from the beginning; what was done of it already is not done again.
    pub(super) fn run_round(&mut self, store: &StateStore) -> Result<(), Stop> {
        self.look(store)?;
        self.tell(store)?;
        self.send(store)
    }

    fn look(&mut self, store: &StateStore) -> Result<(), Stop> {
        let before = store.read().image_state(IMAGE)?;
        let vulnerabilities = [self.round, self.round - 1];
        let findings = vulnerabilities.map(|number| finding(&vulnerability(number), "openssl"));
        let mut commit = look(IMAGE, findings.to_vec(), self.now);
        commit.changes = changes(before.as_ref(), &commit.state);
        store.scan_commit(&commit)?;
        self.step()
    }

    fn tell(&mut self, store: &StateStore) -> Result<(), Stop> {
        loop {
            // Few at a time, so that there are several messages.
            let untold = store.read().changes_untold(2)?;
            let ids: Vec<ChangeId> = untold.iter().map(|one| one.id).collect();
            let Some(first) = ids.first() else {
                return Ok(());
            };
            let text: Vec<String> = untold.iter().map(|one| text(&one.change)).collect();
            let messages = CHANNELS.map(|channel| OutboxMessage {
                payload: text.join(" ").into_bytes(),
                ..message(channel, &format!("m{first}"), &ids)
            });
            store.messages_commit(&ids, &messages, self.now)?;
            self.step()?;
        }
    }

    fn send(&mut self, store: &StateStore) -> Result<(), Stop> {
        loop {
            let claimed = store.outbox_claim(None, self.now, LEASE_MS, 3)?;
            self.step()?;
            if claimed.is_empty() {
                return Ok(());
            }
            for row in claimed {
                let text = String::from_utf8(row.payload).unwrap();
                self.write(&format!(
                    "received\t{}\t{}\t{text}",
                    row.channel, row.message_id
                ));
                self.receive(&row.channel, &row.message_id, &text);
                self.step()?;
                if self.answers_lost > 0 {
                    self.answers_lost -= 1;
                    store.outbox_retry(row.number, self.now, "no answer", self.now)?;
                    continue;
                }
                store.outbox_delivered(row.number, self.now, "250 ok")?;
                self.write(&format!("noted\t{}\t{}", row.channel, row.message_id));
                self.noted.insert((row.channel, row.message_id));
                self.step()?;
            }
        }
    }

    /// Lets leases run out, as they do when nobody restarts.
    pub(super) fn wait(&mut self) {
        self.now += LEASE_MS;
    }

    /// Checks that every channel was told everything, each thing by one message only, and that a
    /// message never changed.
    #[track_caller]
    pub(super) fn check(&self) {
        let mut texts: BTreeMap<(&str, &str), &str> = BTreeMap::new();
        for (channel, key, text) in &self.received {
            let known = texts.entry((channel, key)).or_insert(text);
            assert_eq!(known, text, "message {key} of {channel} changed");
        }
        for channel in CHANNELS {
            let told: Vec<&str> = texts
                .iter()
                .filter(|((of, _), _)| *of == channel)
                .flat_map(|(_, text)| text.split(' '))
                .collect();
            let once: BTreeSet<String> = told.iter().map(|one| (*one).to_owned()).collect();
            assert_eq!(told.len(), once.len(), "{channel} was told something twice");
            assert_eq!(once, self.all_there_is_to_tell());
        }
    }

    fn all_there_is_to_tell(&self) -> BTreeSet<String> {
        let came = (0..=self.round).map(|number| format!("new:{}", vulnerability(number)));
        let went = (0..self.round - 1).map(|number| format!("resolved:{}", vulnerability(number)));
        came.chain(went).collect()
    }
}

fn vulnerability(number: i64) -> String {
    format!("CVE-{number:06}")
}

fn text(change: &Change) -> String {
    let finding = change.finding.as_ref().unwrap();
    format!("{}:{}", change.kind.name(), finding.key.vulnerability_id)
}

/// Says what came and what went.
fn changes(before: Option<&ImageState>, after: &ImageState) -> Vec<Change> {
    let known: &[KnownFinding] = before.map_or(&[], |state| &state.findings);
    let make = |kind: ChangeKind, finding: &KnownFinding| Change {
        image: after.name.clone(),
        kind,
        cause: Cause::RulesChanged,
        finding: Some(finding.clone()),
    };
    let came = after.findings.iter().filter(|one| !known.contains(one));
    let went = known.iter().filter(|one| !after.findings.contains(one));
    came.map(|one| make(ChangeKind::New, one))
        .chain(went.map(|one| make(ChangeKind::Resolved, one)))
        .collect()
}
