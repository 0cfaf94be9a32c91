//! The receiver of a webhook: it keeps what it takes, fails, stalls and limits rates.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use cleanbill_testkit::http_sink::{HttpAnswer, HttpSink, ReceivedRequest};

use crate::random::Random;

pub(crate) struct Sink {
    pub(crate) url: String,
    shared: Arc<Shared>,
}

struct Shared {
    random: Mutex<Random>,
    kill: Box<dyn Fn() + Send + Sync>,
    is_well: AtomicBool,
    may_kill: AtomicBool,
    calls: Mutex<Vec<Call>>,
    failures: AtomicU64,
}

/// A request that was taken.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    pub(crate) key: String,
    pub(crate) began: Instant,
    pub(crate) body: String,
    /// It was answered with success, or was to be.
    pub(crate) is_taken: bool,
}

impl Sink {
    /// Starts to listen; `kill` kills the program.
    pub(crate) fn start(random: Random, kill: impl Fn() + Send + Sync + 'static) -> Self {
        let shared = Arc::new(Shared {
            random: Mutex::new(random),
            kill: Box::new(kill),
            is_well: AtomicBool::new(false),
            may_kill: AtomicBool::new(false),
            calls: Mutex::default(),
            failures: AtomicU64::new(0),
        });
        let own = Arc::clone(&shared);
        let sink = HttpSink::start_with(move |request| own.answer(request));
        Self {
            url: sink.url,
            shared,
        }
    }

    /// Says whether the program is killed now and then when it has sent something.
    pub(crate) fn kill_sometimes(&self, may_kill: bool) {
        self.shared.may_kill.store(may_kill, Ordering::Relaxed);
    }

    /// Answers everything as it should from now on.
    pub(crate) fn be_well(&self) {
        self.shared.is_well.store(true, Ordering::Relaxed);
    }

    /// Returns every request, in order.
    pub(crate) fn calls(&self) -> Vec<Call> {
        let calls = self.shared.calls.lock();
        calls.unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn failures(&self) -> u64 {
        self.shared.failures.load(Ordering::Relaxed)
    }
}

impl Shared {
    fn answer(&self, request: &ReceivedRequest) -> HttpAnswer {
        let began = Instant::now();
        let (choice, pause) = {
            let mut random = self.random.lock().unwrap_or_else(PoisonError::into_inner);
            (random.below(100), random.ms(500, 4_000))
        };
        let is_well = self.is_well.load(Ordering::Relaxed);
        let answer = match choice {
            _ if is_well => HttpAnswer::reply(200, "ok"),
            0..8 => HttpAnswer::reply(503, "busy"),
            8..14 => {
                let seconds = pause.as_secs().max(1);
                let wait = vec![format!("retry-after: {seconds}")];
                HttpAnswer::Reply(429, wait, "slower".to_owned())
            }
            14..18 => HttpAnswer::HangUp,
            18..22 => HttpAnswer::BreakOff,
            22..26 => {
                std::thread::sleep(pause);
                HttpAnswer::HangUp
            }
            // Takes its time, and takes it.
            26..32 => {
                std::thread::sleep(Duration::from_millis(300));
                HttpAnswer::reply(200, "ok")
            }
            // It is taken, and the program does not hear of it.
            32..36 if self.may_kill.load(Ordering::Relaxed) => {
                (self.kill)();
                HttpAnswer::reply(200, "ok")
            }
            _ => HttpAnswer::reply(200, "ok"),
        };
        let is_taken = matches!(answer, HttpAnswer::Reply(200, ..));
        if !is_taken {
            self.failures.fetch_add(1, Ordering::Relaxed);
        }
        let call = Call {
            key: request
                .header("idempotency-key")
                .unwrap_or_default()
                .to_owned(),
            began,
            body: request.body.clone(),
            is_taken,
        };
        let mut calls = self.calls.lock().unwrap_or_else(PoisonError::into_inner);
        calls.push(call);
        answer
    }
}
