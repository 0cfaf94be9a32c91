//! What is done when there is nothing to do, and when there is more than enough.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use cleanbill_store::state::StateStore;
use jiff::Timestamp;

use super::settle;
use super::world::{World, settings};
use crate::monitor::waiting::{REST_AFTER, REST_EVERY};
use crate::monitor::{Clock, Event, Monitor, MonitorObserver, Parts, Wakes};

/// Counts how often the loop goes round.
#[derive(Default)]
struct Counter(AtomicU64);

impl MonitorObserver for Counter {
    fn tick(&self, _: Timestamp) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

/// The clock of this machine.
struct RealClock;

impl Clock for RealClock {
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }

    fn chance(&self) -> f64 {
        0.5
    }
}

#[test]
fn a_storm_of_events_makes_few_looks_at_the_list() {
    let world = World::new();
    world.put("app:1", 1, &[("zlib", "1")]);
    let store = StateStore::in_memory().unwrap();
    let (wakes, counter) = (Wakes::default(), Counter::default());
    let parts = Parts {
        host: &world,
        store: &store,
        clock: &RealClock,
        channels: &BTreeMap::new(),
        wakes: &wakes,
        observer: &counter,
        messages_ready: Box::new(|| ()),
    };
    let mut monitor = Monitor::new(parts, settings());
    let is_over = AtomicBool::new(false);
    let started = Instant::now();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !is_over.load(Ordering::Relaxed) {
                wakes.wake(Event::HostChanged);
            }
        });
        scope.spawn(|| {
            std::thread::sleep(Duration::from_secs(1));
            wakes.wake(Event::Stop);
        });
        monitor.run();
        is_over.store(true, Ordering::Relaxed);
    });
    let swarms = u64::try_from(started.elapsed().as_millis()).unwrap() / 150 + 2;
    let (lists, rounds) = (world.lists(), counter.0.load(Ordering::Relaxed));
    assert!((2..=swarms + 1).contains(&lists), "{lists} of {swarms}");
    // A look is a round too.
    assert!(rounds <= 3 * swarms + 3, "{rounds} of {swarms}");
}

#[test]
fn it_rests_when_there_was_much_to_do_even_if_something_happens_all_the_time() {
    let world = World::new();
    world.put("app:1", 1, &[("zlib", "1")]);
    let store = StateStore::in_memory().unwrap();
    world.with_monitor(&store, settings(), |monitor| {
        settle(monitor);
        // Whoever waits is woken at once.
        let mut goes_round = |worked_for: Duration| {
            monitor.worked_since = Instant::now().checked_sub(worked_for);
            monitor.parts.wakes.wake(Event::RefreshWanted);
            monitor.wait();
            settle(monitor);
            world.rests()
        };
        assert_eq!(goes_round(REST_AFTER), 0);
        assert_eq!(goes_round(REST_EVERY), 1);
        assert!(monitor.worked_since.is_none());
    });
}
