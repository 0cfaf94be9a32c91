//! The program is killed around every delivery, at each moment of the conversation with the mail
//! server in turn.

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use cleanbill_store::StoreError;

use crate::figures::Figures;
use crate::program::Life;
use crate::random::Random;
use crate::relay::{Blow, Moment};
use crate::stage::Stage;
use crate::world::two_images;

/// A delivery comes within this; the program is killed then all the same.
const PATIENCE: Duration = Duration::from_secs(20);

const IMAGE: &str = "soak/app:0";

pub(crate) fn run(kills: u64, random: &mut Random) {
    let began = Instant::now();
    let mut stage = Stage::set(random);
    stage.sink.be_well();
    for (number, image) in two_images().into_iter().enumerate() {
        let image = image.tag(&format!("soak/other:{number}"));
        stage
            .engine
            .docker(&["load"], &image.docker_archive())
            .unwrap();
    }
    let mut rounds = 0;
    while stage.program.kills.load(Ordering::Relaxed) < kills {
        strike(&stage, rounds, random);
        rounds += 1;
    }
    let mut figures = Figures::default();
    figures.add("seconds of kills", began.elapsed().as_secs());
    for (moment, count) in stage.relay.struck() {
        figures.add(&format!("kills {}", moment.words()), count);
    }
    let may_be_copied = |moment: &Moment| *moment >= Moment::Sent;
    let struck = stage.relay.struck();
    let doubtful = struck.iter().filter(|(moment, _)| may_be_copied(moment));
    let copies_max = doubtful.map(|(_, count)| count).sum();
    stage.check_in_the_end("killed around each delivery", figures, copies_max);
}

/// Makes news, and kills who tells of it: in every other round after everything older was told,
/// else whatever is sent first.
fn strike(stage: &Stage, round: u64, random: &mut Random) {
    let other = format!("soak/other:{}", round % 2);
    let tag = || stage.engine.docker(&["tag", &other, IMAGE], b"").unwrap();
    let moment = *random.pick(&Moment::ALL);
    let delay = match moment {
        // The program is about to note the acknowledgement.
        Moment::Acknowledged => Duration::from_micros(random.below(20_000)),
        _ => Duration::ZERO,
    };
    let plan = || stage.relay.plan(moment, Blow::Kill(delay));
    if round.is_multiple_of(2) {
        stage.program.start();
        wait_for_silence(stage);
        plan();
        tag();
    } else {
        tag();
        plan();
        stage.program.start();
    }
    let deadline = Instant::now() + PATIENCE;
    loop {
        match stage.program.life() {
            Life::Dead => break,
            Life::Ended(status) => panic!("it ended by itself: {status}"),
            Life::Running if Instant::now() > deadline => stage.program.kill(),
            Life::Running => std::thread::sleep(Duration::from_millis(5)),
        }
    }
    stage.ledger.note();
}

/// Waits until a pass is over and all that it had to say is said.
fn wait_for_silence(stage: &Stage) {
    let passes = || {
        let summary = stage.ledger.read()?.status_summary()?;
        let pass = summary.last_finished_pass.map(|pass| pass.id);
        let left = summary.messages_pending + summary.changes_untold;
        Ok::<_, StoreError>((pass, left))
    };
    let before = passes().map_or(None, |(pass, _)| pass);
    let deadline = Instant::now() + PATIENCE;
    while Instant::now() < deadline {
        if passes().is_ok_and(|(pass, left)| pass > before && left == 0) {
            return;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
}
