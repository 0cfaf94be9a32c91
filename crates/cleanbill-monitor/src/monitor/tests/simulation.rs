//! A year in the life of a host, at random, with crashes and mail servers that fail: in the end
//! people know what is true, and nothing that was acknowledged came twice.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use cleanbill_core::Severity;
use cleanbill_store::state::StateStore;
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;

use super::world::{World, settings};
use super::{Event, settle};
use crate::deliver::Delivery;
use crate::notify::{
    CHANNELS, Channel, ChannelInfo, DeliveryError, Happening, Notification, Receipt,
    RedeliveryPolicy,
};

#[derive(Clone, Debug)]
enum Step {
    /// An image comes or changes.
    Put {
        name: u8,
        content: u32,
        packages: u8,
    },
    Remove(u8),
    Break(u8, bool),
    Advise {
        id: u8,
        package: u8,
        severity: u8,
    },
    Withdraw(u8),
    Publish,
    Silence(bool),
    Hours(u16),
    /// The process dies between two of its steps.
    Crash,
    /// The next deliveries fail, before (`false`) or after the server took the message.
    Fail {
        after_taking: bool,
    },
}

const PACKAGES: [&str; 5] = ["zlib", "curl", "openssl", "bash", "glibc"];

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        4 => (0_u8..4, 0_u32..50, any::<u8>()).prop_map(|(name, content, packages)| Step::Put {
            name, content, packages
        }),
        1 => (0_u8..4).prop_map(Step::Remove),
        1 => (0_u8..4, any::<bool>()).prop_map(|(name, is_broken)| Step::Break(name, is_broken)),
        3 => (0_u8..8, 0_u8..5, 0_u8..5).prop_map(|(id, package, severity)| Step::Advise {
            id, package, severity
        }),
        1 => (0_u8..8).prop_map(Step::Withdraw),
        2 => Just(Step::Publish),
        1 => any::<bool>().prop_map(Step::Silence),
        4 => (0_u16..60).prop_map(Step::Hours),
        2 => Just(Step::Crash),
        2 => any::<bool>().prop_map(|after_taking| Step::Fail { after_taking }),
    ];
    prop::collection::vec(step, 1..60)
}

/// Takes messages as a person does who reads them all.
#[derive(Debug, Default)]
struct Reader(Mutex<Read>);

#[derive(Debug, Default)]
struct Read {
    /// What is open, by image, vulnerability and package.
    open: BTreeSet<(String, String, String)>,
    taken: BTreeMap<String, u32>,
    acknowledged: BTreeSet<String>,
    failure: Option<bool>,
}

#[derive(Debug)]
struct ToReader(Arc<Reader>);

impl Channel for ToReader {
    fn info(&self) -> &'static ChannelInfo {
        &CHANNELS[0]
    }

    fn split(&self, message: Notification) -> Vec<Notification> {
        vec![message]
    }

    fn preview(&self, _: &Notification) -> Result<String, DeliveryError> {
        Ok(String::new())
    }

    fn deliver(&self, message: &Notification, _: Timestamp) -> Result<Receipt, DeliveryError> {
        let mut read = self.0.0.lock().unwrap();
        let failure = read.failure.take();
        let failed = || DeliveryError {
            is_permanent: false,
            retry_after: None,
            text: "busy".to_owned(),
        };
        if failure == Some(false) {
            return Err(failed());
        }
        assert!(
            !read.acknowledged.contains(&message.id),
            "message {} comes again after it was acknowledged",
            message.id
        );
        let is_first = *read
            .taken
            .entry(message.id.clone())
            .and_modify(|count| *count += 1)
            .or_insert(1)
            == 1;
        // Whoever gets a message twice sees by its id that it is the same.
        if is_first {
            take(&mut read.open, message);
        }
        if failure == Some(true) {
            return Err(failed());
        }
        read.acknowledged.insert(message.id.clone());
        Ok(Receipt {
            text: "ok".to_owned(),
        })
    }
}

fn take(open: &mut BTreeSet<(String, String, String)>, message: &Notification) {
    assert_eq!(message.vulnerabilities_left_out, 0);
    for group in &message.vulnerabilities {
        for hit in &group.hits {
            let key = (hit.image.clone(), group.id.clone(), hit.package.clone());
            match hit.happening {
                Happening::Resolved => open.remove(&key),
                Happening::SeverityChanged if hit.severity < Severity::High => open.remove(&key),
                _ => open.insert(key),
            };
        }
    }
}

/// A crash loses what the process knows, not what is stored: that is for the tests of the store.
fn live(steps: &[Step]) {
    let world = World::new();
    let reader = Arc::new(Reader::default());
    let store = StateStore::in_memory().unwrap();
    let mut rest = steps;
    while !rest.is_empty() {
        store.outbox_release().unwrap();
        let used = run_until_crash(&world, &store, &reader, rest);
        rest = &rest[used..];
    }
    store.outbox_release().unwrap();
    check_in_the_end(&world, &store, &reader);
}

/// Returns how many steps were done, the crash among them.
fn run_until_crash(
    world: &World,
    store: &StateStore,
    reader: &Arc<Reader>,
    steps: &[Step],
) -> usize {
    let mut used = 0;
    world.with_monitor(store, settings(), |monitor| {
        for step in steps {
            used += 1;
            if matches!(step, Step::Crash) {
                return;
            }
            apply(world, reader, step);
            monitor.note(Event::HostChanged);
            world.pass_time(SignedDuration::from_secs(1));
            if let Err(error) = monitor.do_what_is_due() {
                monitor.put_off(&error);
            }
            deliver(world, store, reader);
        }
    });
    used
}

fn apply(world: &World, reader: &Arc<Reader>, step: &Step) {
    let name = |number: u8| format!("app:{number}");
    match step {
        Step::Put {
            name: number,
            content,
            packages,
        } => {
            // The content of an image is its identity.
            let chosen: Vec<(&str, &str)> = PACKAGES
                .iter()
                .enumerate()
                .filter(|(index, _)| (packages >> index) & 1 == 1)
                .map(|(_, package)| (*package, if content % 2 == 0 { "1" } else { "2" }))
                .collect();
            let id = ((content % 2) << 8) | u32::from(*packages);
            world.put(&name(*number), id, &chosen);
        }
        Step::Remove(number) => world.remove(&name(*number)),
        Step::Break(number, is_broken) => world.break_image(&name(*number), *is_broken),
        Step::Advise {
            id,
            package,
            severity,
        } => world.advise(
            &format!("CVE-{id}"),
            PACKAGES[usize::from(*package)],
            Severity::from_number(i64::from(*severity)),
        ),
        Step::Withdraw(id) => world.withdraw(&format!("CVE-{id}")),
        Step::Publish => world.publish(),
        Step::Silence(is_silent) => world.silence(*is_silent),
        Step::Hours(hours) => world.pass_time(SignedDuration::from_hours(i64::from(*hours))),
        Step::Fail { after_taking } => reader.0.lock().unwrap().failure = Some(*after_taking),
        Step::Crash => {}
    }
}

fn deliver(world: &World, store: &StateStore, reader: &Arc<Reader>) {
    let channel: Box<dyn Channel> = Box::new(ToReader(Arc::clone(reader)));
    let channels = BTreeMap::from([("mail".to_owned(), channel)]);
    let delivery = Delivery {
        store,
        channels: &channels,
        policy: RedeliveryPolicy::default(),
        clock: world,
    };
    delivery.deliver_due(&|| false).unwrap();
}

/// When all is well again and time has passed, people know what is true.
fn check_in_the_end(world: &World, store: &StateStore, reader: &Arc<Reader>) {
    world.silence(false);
    for number in 0..4 {
        world.break_image(&format!("app:{number}"), false);
    }
    world.publish();
    reader.0.lock().unwrap().failure = None;
    world.with_monitor(store, settings(), |monitor| {
        for _ in 0..4 {
            world.pass_time(SignedDuration::from_hours(25));
            settle(monitor);
            deliver(world, store, reader);
        }
    });
    let there: BTreeSet<String> = store
        .read()
        .image_list()
        .unwrap()
        .into_iter()
        .filter(|row| row.gone_at.is_none())
        .map(|row| row.name)
        .collect();
    let read = reader.0.lock().unwrap();
    let known: Vec<_> = read
        .open
        .iter()
        .filter(|(image, ..)| there.contains(image))
        .cloned()
        .collect();
    assert_eq!(known, world.truth(settings().severities));
    assert_eq!(store.read().status_summary().unwrap().messages_pending, 0);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn people_know_what_is_true_in_the_end(steps in steps()) {
        live(&steps);
    }
}
