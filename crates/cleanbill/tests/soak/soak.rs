//! Everything that can happen, for a long time: first the process is killed all the time, then it
//! lives on, so that its memory can be watched.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use rustix::process::Signal;

use crate::figures::{Figures, Memory, mib};
use crate::ledger::Ledger;
use crate::place::tail;
use crate::program::{Life, Program};
use crate::random::Random;
use crate::relay::{Blow, Moment};
use crate::stage::Stage;
use crate::world;

/// Of the time, so many hundredths are for kills.
const KILLING_PERCENT: u32 = 45;
/// Memory may grow by so much from the first quarter of a life to the last.
const GROWTH_BYTES_MAX: u64 = 6 << 20;
/// So many messages may wait before more is changed.
const BACKLOG_MAX: u64 = 100;
/// The clock is at most so far off.
const OFFSET_S_MAX: i64 = 3 * 24 * 60 * 60;

pub(crate) fn run(duration: Duration, random: &mut Random) {
    let mut stage = Stage::set(random);
    let mut trouble = Trouble::new(random.fork());
    let began = Instant::now();
    let calm_at = began + duration * KILLING_PERCENT / 100;
    let keeper = Keeper {
        calm_at,
        is_over: AtomicBool::new(false),
        is_disk_full: AtomicBool::new(false),
    };
    let (program, ledger_path) = (stage.program.clone(), stage.place.path("disk/state"));
    let (memory, ended) = std::thread::scope(|scope| {
        let random = random.fork();
        let ledger = Ledger::new(&ledger_path);
        let keeping = scope.spawn(|| keeper.keep(&program, ledger, random));
        while began.elapsed() < duration && !keeping.is_finished() {
            stage.sink.kill_sometimes(Instant::now() < calm_at);
            trouble.make(&mut stage, &keeper);
        }
        trouble.end(&mut stage, &keeper);
        keeper.is_over.store(true, Ordering::Relaxed);
        let (kept, memory, ended) = keeping.join().unwrap();
        stage.ledger = kept;
        (memory, ended)
    });
    let mut figures = Figures::default();
    figures.add("seconds", began.elapsed().as_secs());
    figures.add_all(&trouble.counts);
    figures.add("clock jumps", stage.clock.jumps);
    figures.add("webhook calls that failed", stage.sink.failures());
    figures.add("ended by itself while the disk was full", ended);
    let grown = memory.trend().map(|trend| {
        figures.add("longest life in seconds", trend.seconds.round());
        figures.add(
            "RssAnon, first quarter of it",
            mib(trend.first_quarter_bytes),
        );
        figures.add("RssAnon, last quarter of it", mib(trend.last_quarter_bytes));
        let slope = trend.bytes_per_hour / f64::from(1 << 20);
        figures.add("RssAnon, slope", format!("{slope:+.1} MiB/h"));
        trend
            .last_quarter_bytes
            .saturating_sub(trend.first_quarter_bytes)
    });
    let kills = stage.program.kills.load(Ordering::Relaxed);
    let cuts = ["mail server cut off", "deliveries cut in the middle"]
        .iter()
        .filter_map(|name| trouble.counts.get(name))
        .sum::<u64>();
    stage.check_in_the_end("soak", figures, kills + cuts);
    assert!(
        grown.is_some_and(|grown| grown <= GROWTH_BYTES_MAX),
        "memory grows: {grown:?}"
    );
}

/// Starts the program, kills it, and starts it again.
struct Keeper {
    /// From then on the program lives.
    calm_at: Instant,
    is_over: AtomicBool,
    is_disk_full: AtomicBool,
}

impl Keeper {
    /// Returns the books, the memory of the longest life, and how often the program ended by
    /// itself because the disk was full. It does not run then.
    fn keep(&self, program: &Program, ledger: Ledger, mut random: Random) -> (Ledger, Memory, u64) {
        let (mut longest, mut longest_for) = (Memory::default(), Duration::ZERO);
        let mut ended = 0;
        while !self.is_over.load(Ordering::Relaxed) {
            let began = Instant::now();
            let is_full = self.is_disk_full.load(Ordering::Relaxed);
            program.start();
            let until = began + life(&mut random);
            let memory = self.watch(program, &ledger, until);
            match program.life() {
                Life::Ended(_) if is_full || self.is_disk_full.load(Ordering::Relaxed) => {
                    ended += 1;
                    std::thread::sleep(Duration::from_millis(500));
                }
                Life::Ended(status) => {
                    panic!("it ended by itself: {status}\n{}", tail(&program.log, 20));
                }
                Life::Running | Life::Dead => program.kill(),
            }
            ledger.note();
            if began.elapsed() > longest_for {
                (longest, longest_for) = (memory, began.elapsed());
            }
        }
        (ledger, longest, ended)
    }

    /// Watches one life: to its end, or until it is to end.
    fn watch(&self, program: &Program, ledger: &Ledger, until: Instant) -> Memory {
        let began = Instant::now();
        let mut memory = Memory::default();
        let mut looked = began;
        loop {
            std::thread::sleep(Duration::from_millis(10));
            let now = Instant::now();
            let is_due = now >= until && now < self.calm_at;
            let is_running = program.rss_anon_bytes();
            if is_due || self.is_over.load(Ordering::Relaxed) || is_running.is_none() {
                return memory;
            }
            if now.duration_since(looked) >= Duration::from_secs(1) {
                looked = now;
                ledger.note();
                memory.note(began.elapsed().as_secs_f64(), is_running.unwrap_or(0));
            }
        }
    }
}

/// Chooses how long a life is: often too short to do anything.
fn life(random: &mut Random) -> Duration {
    match random.below(10) {
        0..4 => random.ms(0, 400),
        4..8 => random.ms(400, 1_500),
        _ => random.ms(1_500, 5_000),
    }
}

/// Returns how many messages are to be delivered, 0 where nobody can tell.
fn backlog(stage: &Stage) -> u64 {
    let summary = stage.ledger.read().and_then(|state| state.status_summary());
    summary.map_or(0, |summary| summary.messages_pending)
}

/// Makes trouble.
struct Trouble {
    random: Random,
    counts: BTreeMap<&'static str, u64>,
    cut_until: Option<Instant>,
    full_until: Option<Instant>,
}

impl Trouble {
    fn new(random: Random) -> Self {
        Self {
            random,
            counts: BTreeMap::new(),
            cut_until: None,
            full_until: None,
        }
    }

    /// Lets one thing happen.
    fn make(&mut self, stage: &mut Stage, keeper: &Keeper) {
        self.end_what_is_over(stage, keeper, Instant::now());
        let what = match self.random.below(1_000) {
            // A webhook that fails every third call takes less than an idle machine can make.
            100..130 | 220.. if backlog(stage) > BACKLOG_MAX => "waited for the channels",
            0..15 => self.restart_engine(stage),
            15..50 => self.cut(stage),
            50..85 => self.jump(stage),
            85..100 => self.fill_disk(stage, keeper),
            100..130 => {
                stage.advisories.change(&mut self.random);
                stage.advisories.publish(&stage.place);
                "advisory databases"
            }
            130..145 => self.change_settings(stage),
            145..220 => self.plan(stage, keeper),
            _ => match world::change(&stage.engine, &stage.place, &mut self.random) {
                "nothing" => return,
                what => {
                    *self.counts.entry("images: changes in all").or_default() += 1;
                    match what {
                        "loaded" => "images: loaded",
                        "built" => "images: built",
                        "tagged" => "images: tagged",
                        "removed" => "images: removed",
                        _ => "images: pruned",
                    }
                }
            },
        };
        *self.counts.entry(what).or_default() += 1;
        std::thread::sleep(self.random.ms(0, 500));
    }

    fn restart_engine(&mut self, stage: &mut Stage) -> &'static str {
        stage.engine.stop();
        std::thread::sleep(self.random.ms(0, 4_000));
        stage.engine.resume();
        "engine restarts"
    }

    fn cut(&mut self, stage: &Stage) -> &'static str {
        stage.relay.cut();
        self.cut_until = Some(Instant::now() + self.random.ms(500, 8_000));
        "mail server cut off"
    }

    /// Sets the clock: by seconds, hours or days, to both sides.
    fn jump(&mut self, stage: &mut Stage) -> &'static str {
        let reach = *self.random.pick(&[60, 6 * 60 * 60, OFFSET_S_MAX]);
        let span = u64::try_from(2 * reach).unwrap();
        let offset = i64::try_from(self.random.below(span)).unwrap() - reach;
        stage.clock.jump_to(&stage.place, offset);
        "clock set"
    }

    fn fill_disk(&mut self, stage: &mut Stage, keeper: &Keeper) -> &'static str {
        if self.full_until.is_none() {
            keeper.is_disk_full.store(true, Ordering::Relaxed);
            stage.disk.fill();
            self.full_until = Some(Instant::now() + self.random.ms(1_000, 8_000));
        }
        "disk full"
    }

    /// Changes a setting that is read again while the program runs.
    fn change_settings(&mut self, stage: &Stage) -> &'static str {
        let host = format!("CLEANBILL_HOST_NAME=host-{}\n", self.random.below(1_000));
        stage.place.replace(".env", host);
        if stage.program.signal(Signal::HUP) {
            "settings reloaded"
        } else {
            "settings changed before a start"
        }
    }

    /// Lets the next delivery be interrupted at some moment.
    fn plan(&mut self, stage: &Stage, keeper: &Keeper) -> &'static str {
        let moment = *self.random.pick(&Moment::ALL);
        let is_calm = Instant::now() > keeper.calm_at;
        if is_calm || self.random.is_one_in(2) {
            stage.relay.plan(moment, Blow::Cut);
            "deliveries cut in the middle"
        } else {
            stage.relay.plan(moment, Blow::Kill(self.random.ms(0, 20)));
            "deliveries killed in the middle"
        }
    }

    fn end_what_is_over(&mut self, stage: &mut Stage, keeper: &Keeper, now: Instant) {
        if self.cut_until.is_some_and(|until| until <= now) {
            self.cut_until = None;
            stage.relay.resume();
        }
        if self.full_until.is_some_and(|until| until <= now) {
            self.full_until = None;
            stage.disk.free();
            keeper.is_disk_full.store(false, Ordering::Relaxed);
        }
    }

    fn end(&mut self, stage: &mut Stage, keeper: &Keeper) {
        let now = Instant::now();
        self.cut_until = self.cut_until.map(|_| now);
        self.full_until = self.full_until.map(|_| now);
        self.end_what_is_over(stage, keeper, now);
        stage.relay.forget_plan();
    }
}
