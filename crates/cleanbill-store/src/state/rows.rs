//! What goes into the state and comes out of it.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

use cleanbill_core::change::{Change, FindingKey, ImageState};
use cleanbill_core::problem::AssessmentStatus;
use cleanbill_core::report::SeverityCounts;
use cleanbill_core::{Digest, Severity};

use super::packing::PackedInventory;

macro_rules! row_ids {
    ($($(#[$doc:meta])* $name:ident)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub i64);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    )*};
}

row_ids! {
    /// Numbers a pass over the images. Never given twice.
    PassId
    /// Numbers a look at one image. Never given twice.
    ScanId
    /// Numbers a change. Never given twice.
    ChangeId
    /// Numbers a message of the outbox. Never given twice.
    MessageNumber
}

/// Says what happened when the state was opened. Whoever opens it tells people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Opened {
    /// The file was there and sound.
    AsItWas {
        /// The schema that it had, if it was an older one; a copy of the file as it was lies
        /// beside it.
        migrated_from: Option<i64>,
    },
    /// The file was damaged, empty or gone, and the last backup took its place. What happened
    /// since the backup is forgotten: changes are found, and messages are sent, again.
    Restored {
        /// Where the damaged file lies now; `None` if there was none.
        set_aside: Option<PathBuf>,
        /// When the backup was made.
        backup_made_at: i64,
    },
    /// There was nothing, or nothing sound, to begin with.
    Fresh {
        /// Where damaged files lie now: of the state, of its backup. Empty on first use.
        set_aside: Vec<PathBuf>,
    },
}

/// Describes an image as the engine lists it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SeenImage {
    /// The name that it is watched by.
    pub name: String,
    /// What the name means now, if that is known.
    pub image_id: Option<Digest>,
    /// Its labels.
    pub labels: BTreeMap<String, String>,
}

/// Describes an image that is or was watched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImageRow {
    /// The name that it is watched by.
    pub name: String,
    /// What the name means now, if that is known.
    pub image_id: Option<Digest>,
    /// When it was seen first.
    pub first_seen_at: i64,
    /// When it was seen last.
    pub last_seen_at: i64,
    /// When it was found to be gone; `None` while it is there.
    pub gone_at: Option<i64>,
    /// Its labels.
    pub labels: BTreeMap<String, String>,
    /// What the last look said; `None` if nobody has looked at it yet.
    pub assessment: Option<Assessment>,
}

/// Sums up what is remembered of an image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assessment {
    /// The image that was looked at.
    pub image_id: Option<Digest>,
    /// How far it could be assessed.
    pub status: AssessmentStatus,
    /// Why it was not assessed completely; empty if it was.
    pub reason: String,
    /// When the advisory database was built, RFC 3339.
    pub database_updated_at: String,
    /// What else determined the findings.
    pub rules: String,
    /// The findings that count.
    pub counts: SeverityCounts,
}

/// Describes a container that runs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Container {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// The image by the name that it was started with.
    pub image_name: String,
    /// The image that it runs, if that is known.
    pub image_id: Option<Digest>,
    /// Since when, if that is known.
    pub running_since: Option<i64>,
}

/// Describes one look at one image.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scan {
    /// The pass that it belongs to; `None` if an event caused it.
    pub pass: Option<PassId>,
    /// The name of the image.
    pub image: String,
    /// The image that the name meant, if it could be opened.
    pub image_id: Option<Digest>,
    /// What caused it, a word of the monitor's: `schedule`, `event`, `database` …
    pub triggered_by: String,
    /// When it began.
    pub started_at: i64,
    /// How long it took.
    pub duration_ms: u64,
    /// How far the image could be assessed.
    pub status: AssessmentStatus,
    /// Why it was not assessed completely; empty if it was.
    pub reason: String,
    /// When the advisory database was built, RFC 3339; empty if it was not judged.
    pub database_updated_at: String,
    /// The findings that counted.
    pub counts: SeverityCounts,
}

/// Holds all that one look at an image leaves behind. It is stored in one transaction.
#[derive(Clone, Debug)]
pub struct ScanCommit {
    /// The look itself.
    pub scan: Scan,
    /// What to remember of the image from now on. Its findings are sorted by key, one for each.
    pub state: ImageState,
    /// What is different from what was remembered before.
    pub changes: Vec<Change>,
    /// What is installed in the image, if that was read.
    pub inventory: Option<NewInventory>,
}

/// Holds an inventory that is to be kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewInventory {
    /// The image.
    pub image_id: Digest,
    /// What made the inventory: the version of the extractors and of the encoding.
    pub rules: String,
    /// The inventory.
    pub packed: PackedInventory,
}

/// Says what a commit wrote.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Committed {
    /// The number of the scan.
    pub scan: ScanId,
    /// The numbers of the changes, in their order.
    pub changes: Vec<ChangeId>,
}

/// Names an image that can be judged again without reading it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredInventory {
    /// The image.
    pub image_id: Digest,
    /// The names that mean it and whose last look was at it, sorted. Never empty.
    pub names: Vec<String>,
}

/// Holds a change that no message tells of yet.
#[derive(Clone, Debug, PartialEq)]
pub struct UntoldChange {
    /// Its number.
    pub id: ChangeId,
    /// When the look began that found it.
    pub at: i64,
    /// The look that found it; `None` if it is no longer kept.
    pub scan: Option<ScanId>,
    /// The change.
    pub change: Change,
}

/// Holds a message that is to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutboxMessage {
    /// The channel, by the name that the settings give it.
    pub channel: String,
    /// The idempotency key: one message of this key goes to the channel, however often it is put
    /// into the outbox.
    pub message_id: String,
    /// What it belongs to; messages of one key make a thread.
    pub thread_key: String,
    /// The message.
    pub payload: Vec<u8>,
    /// The changes that it tells of.
    pub changes: Vec<ChangeId>,
    /// When to send it first; within a week. What is further ahead is sent at once.
    pub send_at: i64,
}

impl OutboxMessage {
    /// Makes a message that is due at once, in no thread, and tells of no change.
    pub fn new(channel: &str, message_id: &str, payload: Vec<u8>) -> Self {
        Self {
            channel: channel.to_owned(),
            message_id: message_id.to_owned(),
            thread_key: String::new(),
            payload,
            changes: Vec::new(),
            send_at: 0,
        }
    }
}

/// Tells messages of the outbox apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MessageState {
    /// It is to be sent.
    Pending,
    /// It was acknowledged.
    Delivered,
    /// It was given up.
    Dead,
}

impl MessageState {
    /// Every state.
    pub const ALL: [MessageState; 3] = [
        MessageState::Pending,
        MessageState::Delivered,
        MessageState::Dead,
    ];

    /// Returns the word that the file holds and machines read.
    pub const fn name(self) -> &'static str {
        match self {
            MessageState::Pending => "pending",
            MessageState::Delivered => "delivered",
            MessageState::Dead => "dead",
        }
    }

    /// Returns the state of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }
}

/// Describes a message of the outbox.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutboxRow {
    /// Its number.
    pub number: MessageNumber,
    /// The channel.
    pub channel: String,
    /// The idempotency key.
    pub message_id: String,
    /// What it belongs to.
    pub thread_key: String,
    /// The message.
    pub payload: Vec<u8>,
    /// When it was put into the outbox.
    pub created_at: i64,
    /// What became of it.
    pub state: MessageState,
    /// How often it was claimed since it was put there.
    pub attempts: u32,
    /// When it is tried next.
    pub next_attempt_at: i64,
    /// Until when somebody has claimed it.
    pub lease_until: Option<i64>,
    /// When it was delivered or given up.
    pub finished_at: Option<i64>,
    /// Why the last attempt failed; empty if none did.
    pub last_error: String,
}

/// Records one attempt to deliver a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeliveryRow {
    /// The message.
    pub message: MessageNumber,
    /// The channel.
    pub channel: String,
    /// When.
    pub at: i64,
    /// What came of it: `delivered`, `retry`, `dead`.
    pub outcome: String,
    /// What the other side said.
    pub text: String,
}

/// Describes a look at an image that is in the past.
#[derive(Clone, Debug, PartialEq)]
pub struct HistoryRow {
    /// Its number.
    pub id: ScanId,
    /// The look.
    pub scan: Scan,
    /// What it found to be different.
    pub changes: Vec<Change>,
}

/// Describes a pass over the images.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PassRow {
    /// Its number.
    pub id: PassId,
    /// What caused it.
    pub triggered_by: String,
    /// When it began.
    pub started_at: i64,
    /// When it was over; `None` if it runs or was interrupted.
    pub finished_at: Option<i64>,
    /// Images that were looked at.
    pub images: u64,
    /// Images that could not be assessed at all.
    pub failed: u64,
}

/// Says that an image has a vulnerability.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AffectedImage {
    /// The image's name.
    pub image: String,
    /// The image that was looked at.
    pub image_id: Option<Digest>,
    /// The finding: vulnerability, package, file.
    pub key: FindingKey,
    /// The installed version.
    pub installed_version: String,
    /// The first version without the vulnerability; empty if there is none.
    pub fixed_version: String,
    /// How bad it is.
    pub severity: Severity,
    /// The exception that covers it; empty if it counts.
    pub covered_by: String,
    /// When it was found first, without interruption since.
    pub first_seen_at: i64,
    /// The containers that run the image, by name.
    pub containers: Vec<String>,
}

/// Sums up the state.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StatusSummary {
    /// Images that are watched.
    pub images: u64,
    /// Of these, those that nobody has looked at yet.
    pub images_not_assessed: u64,
    /// Of these, those that were assessed completely.
    pub images_complete: u64,
    /// Of these, those that were assessed partially.
    pub images_partial: u64,
    /// Of these, those that could not be assessed.
    pub images_failed: u64,
    /// Images that are gone and not forgotten yet.
    pub images_gone: u64,
    /// Containers that run.
    pub containers: u64,
    /// The findings of watched images that count.
    pub findings: SeverityCounts,
    /// Changes that no message tells of yet.
    pub changes_untold: u64,
    /// Messages to be sent.
    pub messages_pending: u64,
    /// When the oldest of them was put into the outbox.
    pub oldest_pending_at: Option<i64>,
    /// Messages that were given up.
    pub messages_dead: u64,
    /// When a message was acknowledged last.
    pub last_delivered_at: Option<i64>,
    /// The last pass, finished or not.
    pub last_pass: Option<PassRow>,
    /// The last pass that was finished.
    pub last_finished_pass: Option<PassRow>,
    /// Inventories that are kept.
    pub inventories: u64,
    /// Bytes of the file, without its journal.
    pub size_bytes: u64,
}

/// Says what may be kept, and for how long. Times are milliseconds before `now`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PruneBudgets {
    /// Looks, passes and changes that were told. The last look at each image stays.
    pub history_age_ms_max: i64,
    /// Messages that were delivered.
    pub delivered_age_ms_max: i64,
    /// Messages that were given up.
    pub dead_age_ms_max: i64,
    /// What is remembered of images that are gone.
    pub gone_age_ms_max: i64,
    /// Inventories that no watched image needs.
    pub inventory_age_ms_max: i64,
    /// Bytes of the file. The oldest history goes first, then inventories of images that are gone;
    /// what is watched now, what is un-told and what is pending stays, even if it is more.
    pub size_bytes_max: u64,
}

impl Default for PruneBudgets {
    /// A year of history, a quarter of messages, a month of what is gone, 2 GiB.
    fn default() -> Self {
        const DAY_MS: i64 = 24 * 60 * 60 * 1000;
        Self {
            history_age_ms_max: 365 * DAY_MS,
            delivered_age_ms_max: 90 * DAY_MS,
            dead_age_ms_max: 90 * DAY_MS,
            gone_age_ms_max: 30 * DAY_MS,
            inventory_age_ms_max: 7 * DAY_MS,
            size_bytes_max: 2 << 30,
        }
    }
}

/// Says what pruning removed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pruned {
    /// Looks.
    pub scans: u64,
    /// Passes.
    pub passes: u64,
    /// Changes.
    pub changes: u64,
    /// Messages.
    pub messages: u64,
    /// Images that are gone.
    pub images: u64,
    /// Inventories.
    pub inventories: u64,
    /// Bytes of the file afterwards, without its journal.
    pub size_bytes: u64,
}
