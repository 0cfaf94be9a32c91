use std::sync::Mutex;
use std::sync::mpsc::{Receiver, Sender, channel};

use cleanbill_store::state::{MessageState, OutboxMessage};
use jiff::Timestamp;

use super::*;
use crate::notify::{Channel, ChannelInfo, ComposeSettings, Receipt, test_message};

const PATIENCE: Duration = Duration::from_secs(20);

struct Now;

impl Clock for Now {
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }

    fn chance(&self) -> f64 {
        1.0
    }
}

/// Says that it was asked, and waits for its answer.
#[derive(Debug)]
struct Slow {
    asked: Mutex<Sender<String>>,
    answers: Mutex<Receiver<()>>,
}

impl Channel for Slow {
    fn info(&self) -> &'static ChannelInfo {
        &crate::notify::CHANNELS[0]
    }

    fn split(&self, message: Notification) -> Vec<Notification> {
        vec![message]
    }

    fn preview(&self, _: &Notification) -> Result<String, DeliveryError> {
        Ok(String::new())
    }

    fn deliver(&self, message: &Notification, _: Timestamp) -> Result<Receipt, DeliveryError> {
        self.asked.lock().unwrap().send(message.id.clone()).unwrap();
        self.answers.lock().unwrap().recv_timeout(PATIENCE).unwrap();
        Ok(Receipt::default())
    }
}

/// Returns a channel, what it is asked, and who answers in its place.
fn slow() -> (Box<dyn Channel>, Receiver<String>, Sender<()>) {
    let (asked, questions) = channel();
    let (answer, answers) = channel();
    let channel = Slow {
        asked: Mutex::new(asked),
        answers: Mutex::new(answers),
    };
    (Box::new(channel), questions, answer)
}

fn put(store: &StateStore, channel: &str, id: &str) {
    let message = test_message(id, Timestamp::now(), &ComposeSettings::default());
    let message = OutboxMessage::new(channel, id, serde_json::to_vec(&message).unwrap());
    store.messages_commit(&[], &[message], 1).unwrap();
}

fn delivery<'a>(store: &'a StateStore, channels: &'a Channels) -> Delivery<'a> {
    Delivery {
        store,
        channels,
        policy: RedeliveryPolicy::default(),
        clock: &Now,
    }
}

#[test]
fn a_channel_that_does_not_answer_keeps_no_other_waiting() {
    let store = StateStore::in_memory().unwrap();
    let (hanging, hanging_asked, answer_hanging) = slow();
    let (prompt, prompt_asked, answer_prompt) = slow();
    let channels = Channels::from([("a".to_owned(), hanging), ("b".to_owned(), prompt)]);
    for (channel, id) in [("a", "1"), ("b", "2"), ("a", "3"), ("b", "4")] {
        put(&store, channel, id);
    }
    for _ in 0..2 {
        answer_prompt.send(()).unwrap();
    }
    std::thread::scope(|scope| {
        let delivery = delivery(&store, &channels);
        let delivered = scope.spawn(move || delivery.deliver_due(&|| false).unwrap());
        assert_eq!(hanging_asked.recv_timeout(PATIENCE).unwrap(), "1");
        // All of the other channel's messages arrive, in their order, while this one waits.
        assert_eq!(prompt_asked.recv_timeout(PATIENCE).unwrap(), "2");
        assert_eq!(prompt_asked.recv_timeout(PATIENCE).unwrap(), "4");
        assert!(hanging_asked.try_recv().is_err());
        for _ in 0..2 {
            answer_hanging.send(()).unwrap();
        }
        assert_eq!(delivered.join().unwrap(), 4);
    });
    assert_eq!(hanging_asked.try_recv().unwrap(), "3");
    let rows = store.read().outbox_list(None, 9).unwrap();
    assert!(
        rows.iter()
            .all(|row| row.state == MessageState::Delivered && row.attempts == 1)
    );
}

#[test]
fn who_stops_keeps_what_was_not_begun() {
    let store = StateStore::in_memory().unwrap();
    let (channel, asked, answer) = slow();
    let channels = Channels::from([("a".to_owned(), channel)]);
    put(&store, "a", "1");
    put(&store, "a", "2");
    answer.send(()).unwrap();
    let delivery = delivery(&store, &channels);
    let has_begun = || {
        let rows = store.read().outbox_list(None, 9).unwrap();
        rows.iter().any(|row| row.attempts > 0)
    };
    assert_eq!(delivery.deliver_due_to("a", &has_begun).unwrap(), 1);
    assert_eq!(asked.try_iter().count(), 1);
    let waiting = store.read().outbox_list(Some(MessageState::Pending), 9);
    let [row] = waiting.unwrap().try_into().unwrap();
    assert_eq!((row.attempts, row.lease_until), (0, None));
}

#[test]
fn only_what_nobody_can_be_told_is_given_up() {
    let store = StateStore::in_memory().unwrap();
    let (channel, asked, _answer) = slow();
    let channels = Channels::from([("a".to_owned(), channel)]);
    put(&store, "a", "1");
    put(&store, "gone", "1");
    let next = delivery(&store, &channels).give_up_strangers().unwrap();
    assert_eq!(next, None);
    assert!(asked.try_recv().is_err());
    let dead = store.read().outbox_list(Some(MessageState::Dead), 9);
    let [row] = dead.unwrap().try_into().unwrap();
    assert_eq!(row.channel, "gone");
    assert_eq!(row.last_error, "no channel is called 'gone' any more");
    assert_eq!(store.read().outbox_channels().unwrap(), ["a"]);
}
