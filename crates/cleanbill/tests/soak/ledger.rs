//! What the program has noted as acknowledged, and since when at the latest.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use cleanbill_store::StoreError;
use cleanbill_store::state::{MessageState, OutboxRow, StateReader};

/// Messages that are looked at each time: many more than can be delivered in between.
const LATEST: usize = 200;

pub(crate) struct Ledger {
    state: PathBuf,
    noted: Mutex<BTreeMap<Message, Instant>>,
}

/// A message by its channel and the key that copies of it share.
pub(crate) type Message = (String, String);

impl Ledger {
    pub(crate) fn new(state: &Path) -> Self {
        Self {
            state: state.to_owned(),
            noted: Mutex::default(),
        }
    }

    /// Reads what has been acknowledged by now. What cannot be read (the disk is full, there is no
    /// state yet) is read the next time.
    pub(crate) fn note(&self) {
        let read = self
            .read()
            .and_then(|state| state.outbox_list(Some(MessageState::Delivered), LATEST));
        let now = Instant::now();
        let mut noted = self.noted.lock().unwrap_or_else(PoisonError::into_inner);
        for row in read.unwrap_or_default() {
            noted.entry((row.channel, row.message_id)).or_insert(now);
        }
    }

    /// Returns since when it was noted that a message was acknowledged.
    pub(crate) fn noted(&self, message: &Message) -> Option<Instant> {
        let noted = self.noted.lock().unwrap_or_else(PoisonError::into_inner);
        noted.get(message).copied()
    }

    pub(crate) fn read(&self) -> Result<StateReader, StoreError> {
        StateReader::open(&self.state)
    }

    /// Returns every message that was ever made, in order.
    pub(crate) fn messages(&self) -> Vec<OutboxRow> {
        let mut rows = self.read().unwrap().outbox_list(None, 1_000_000).unwrap();
        rows.reverse();
        rows
    }
}
