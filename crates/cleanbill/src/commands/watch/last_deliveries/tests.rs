use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::{Duration, Instant};

use cleanbill_monitor::Channels;
use cleanbill_monitor::notify::{
    CHANNELS, Channel, ChannelInfo, ComposeSettings, DeliveryError, Notification, Receipt,
    test_message,
};
use cleanbill_store::state::{OutboxMessage, StateStore};
use jiff::Timestamp;

use super::run_for;
use crate::commands::watch::delivery;
use crate::exit::Exit;

/// What a channel does with what it gets.
#[derive(Clone, Copy, Debug)]
enum Conduct {
    /// Takes it at the second attempt, for which it wants to be given time.
    Second,
    /// Refuses it for good.
    Refuse,
    /// Answers when it is cut off.
    Hang,
}

#[derive(Debug)]
struct ByConduct {
    conduct: Conduct,
    attempts: AtomicU32,
    cut_off: Arc<AtomicBool>,
}

impl Channel for ByConduct {
    fn info(&self) -> &'static ChannelInfo {
        &CHANNELS[0]
    }

    fn split(&self, message: Notification) -> Vec<Notification> {
        vec![message]
    }

    fn preview(&self, _: &Notification) -> Result<String, DeliveryError> {
        Ok(String::new())
    }

    fn deliver(&self, _: &Notification, _: Timestamp) -> Result<Receipt, DeliveryError> {
        let failed = |is_permanent| DeliveryError {
            is_permanent,
            retry_after: None,
            text: "no".to_owned(),
        };
        let attempt = self.attempts.fetch_add(1, Ordering::Relaxed);
        match self.conduct {
            Conduct::Second if attempt > 0 => Ok(Receipt::default()),
            Conduct::Second => Err(failed(false)),
            Conduct::Refuse => Err(failed(true)),
            Conduct::Hang => {
                while !self.cut_off.load(Ordering::Relaxed) {
                    std::thread::sleep(Duration::from_millis(10));
                }
                Err(failed(false))
            }
        }
    }
}

fn check(conduct: Conduct, time_max: Duration, expected: Exit, pending: u64) {
    check_all(&[conduct], time_max, expected, pending);
}

#[track_caller]
fn check_all(conducts: &[Conduct], time_max: Duration, expected: Exit, pending: u64) {
    let store = StateStore::in_memory().unwrap();
    let cut_off = Arc::<AtomicBool>::default();
    let mut channels = Channels::new();
    for (number, conduct) in conducts.iter().enumerate() {
        let name = format!("channel {number}");
        let message = test_message(&name, Timestamp::now(), &ComposeSettings::default());
        let message = OutboxMessage::new(&name, &name, serde_json::to_vec(&message).unwrap());
        store.messages_commit(&[], &[message], 1).unwrap();
        let channel = ByConduct {
            conduct: *conduct,
            attempts: AtomicU32::new(0),
            cut_off: Arc::clone(&cut_off),
        };
        channels.insert(name, Box::new(channel));
    }
    let begun = Instant::now();
    let exit = run_for(time_max, &delivery(&store, &channels), &cut_off).unwrap();
    assert_eq!(exit, expected);
    assert!(begun.elapsed() < time_max + Duration::from_secs(20));
    let summary = store.read().status_summary().unwrap();
    assert_eq!(summary.messages_pending, pending);
}

#[test]
fn who_does_not_answer_keeps_nobody_from_being_tried_again() {
    let conducts = [Conduct::Hang, Conduct::Second];
    check_all(&conducts, Duration::from_secs(15), Exit::Incomplete, 1);
}

#[test]
fn what_fails_is_tried_again_and_what_stays_is_no_success() {
    let long = Duration::from_secs(60);
    check(Conduct::Second, long, Exit::Clean, 0);
    check(Conduct::Refuse, long, Exit::Incomplete, 0);
    // The next attempt would come too late.
    check(Conduct::Second, Duration::from_secs(1), Exit::Incomplete, 1);
    check(
        Conduct::Hang,
        Duration::from_millis(300),
        Exit::Incomplete,
        1,
    );
}
