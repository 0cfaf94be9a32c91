use cleanbill_core::problem::AssessmentStatus;
use cleanbill_store::state::StateStore;

use super::*;
use crate::testing::parse;
use crate::testing::world::{HOSTILE, NOW, World};

#[track_caller]
fn check(text: &str, name: &str, labels: &[&str], expected: impl Into<Option<f64>>) {
    assert_eq!(
        parse(text).get(name, labels),
        expected.into(),
        "{name} {labels:?}\n{text}"
    );
}

/// A world in which all has happened after the scraper was there to count it.
fn after_a_day() -> (World, Scraper) {
    let world = World::new();
    let scraper = Scraper::new(world.settings());
    world.live_through_a_day();
    world.pass_time(REUSE_MS);
    (world, scraper)
}

#[test]
fn what_the_state_holds_is_shown() {
    let (_world, scraper) = after_a_day();
    let text = scraper.metrics();
    let now = (NOW + REUSE_MS) as f64 / 1000.0;
    check(&text, "cleanbill_build_info", &["version=0.0.0"], 1.0);
    check(
        &text,
        "cleanbill_watch_start_timestamp_seconds",
        &[],
        now - 61.0,
    );
    check(
        &text,
        "cleanbill_watch_last_tick_timestamp_seconds",
        &[],
        now - 1.0,
    );
    check(&text, "cleanbill_events_connected", &[], 1.0);
    check(&text, "cleanbill_state_readable", &[], 1.0);
    check(&text, "cleanbill_images", &["state=complete"], 1.0);
    check(&text, "cleanbill_images", &["state=partial"], 1.0);
    check(&text, "cleanbill_images", &["state=failed"], 1.0);
    check(&text, "cleanbill_images", &["state=not_assessed"], 2.0);
    check(&text, "cleanbill_containers", &[], 1.0);
    check(&text, "cleanbill_findings", &["severity=critical"], 3.0);
    check(&text, "cleanbill_findings", &["severity=high"], 0.0);
    check(&text, "cleanbill_findings", &["severity=low"], 6.0);
    check(&text, "cleanbill_database_age_seconds", &[], 3_601.0);
    check(&text, "cleanbill_passes_total", &["outcome=complete"], 1.0);
    check(
        &text,
        "cleanbill_passes_total",
        &["outcome=incomplete"],
        0.0,
    );
    check(&text, "cleanbill_pass_last_duration_seconds", &[], 4.0);
    check(
        &text,
        "cleanbill_pass_last_success_timestamp_seconds",
        &[],
        now - 6.0,
    );
    check(&text, "cleanbill_pass_next_timestamp_seconds", &[], now);
    let scans = |trigger, status| parse(&text).get("cleanbill_scans_total", &[trigger, status]);
    assert_eq!(scans("trigger=schedule", "status=complete"), Some(1.0));
    assert_eq!(scans("trigger=schedule", "status=failed"), Some(1.0));
    assert_eq!(scans("trigger=event", "status=partial"), Some(1.0));
    assert_eq!(scans("trigger=database", "status=complete"), Some(1.0));
    // Judging again reads nothing, and would make the others look fast.
    check(&text, "cleanbill_scan_duration_seconds_count", &[], 3.0);
    check(&text, "cleanbill_scan_duration_seconds_sum", &[], 91.24);
    check(
        &text,
        "cleanbill_scan_duration_seconds_bucket",
        &["le=0.05"],
        1.0,
    );
    check(
        &text,
        "cleanbill_scan_duration_seconds_bucket",
        &["le=60"],
        2.0,
    );
    check(&text, "cleanbill_messages", &["state=pending"], 1.0);
    check(&text, "cleanbill_messages", &["state=dead"], 1.0);
    check(
        &text,
        "cleanbill_messages_oldest_pending_age_seconds",
        &[],
        31.0,
    );
    check(
        &text,
        "cleanbill_deliveries_total",
        &["channel=mail", "outcome=delivered"],
        1.0,
    );
    check(
        &text,
        "cleanbill_deliveries_total",
        &["channel=chat", "outcome=retry"],
        1.0,
    );
    check(
        &text,
        "cleanbill_deliveries_total",
        &["channel=team", "outcome=dead"],
        1.0,
    );
    // A channel that did nothing yet begins at 0.
    check(
        &text,
        "cleanbill_deliveries_total",
        &["channel=ntfy", "outcome=dead"],
        0.0,
    );
    check(
        &text,
        "cleanbill_delivery_last_success_timestamp_seconds",
        &[],
        now - 21.0,
    );
    // A message was given up 21 seconds ago: all was well until then.
    check(
        &text,
        "cleanbill_watch_all_well_timestamp_seconds",
        &[],
        now - 21.0,
    );
}

#[test]
fn every_metric_of_the_table_is_shown_once_and_in_its_order() {
    let (world, scraper) = after_a_day();
    // The cache's size, which no cache here has.
    let cache = world.directory.path().join(LayerCache::FILE_NAME);
    std::fs::write(cache, [0; 10]).unwrap();
    let text = scraper.metrics();
    let expected: Vec<&str> = crate::metrics::names().collect();
    assert_eq!(parse(&text).families, expected);
    check(&text, "cleanbill_cache_size_bytes", &[], 10.0);
}

#[test]
fn images_have_series_of_their_own_up_to_a_number() {
    let (_world, scraper) = after_a_day();
    let text = scraper.metrics();
    let evil = format!("image={}", cleanbill_report::text::clean(HOSTILE));
    check(&text, "cleanbill_image_assessed", &["image=app:1"], 1.0);
    check(&text, "cleanbill_image_assessed", &["image=broken:1"], 0.0);
    check(&text, "cleanbill_image_assessed", &[&evil], 0.0);
    check(
        &text,
        "cleanbill_image_findings",
        &[&evil, "severity=critical"],
        1.0,
    );
    // Beyond the number: the last ones by name.
    check(&text, "cleanbill_image_assessed", &["image=unseen:1"], None);
    check(&text, "cleanbill_images_omitted", &[], 2.0);
    assert!(!text.contains('\u{1b}'));
}

/// Returns the metrics with series for so many images.
fn metrics_with(world: &World, image_series_max: usize) -> String {
    let mut settings = world.settings();
    settings.image_series_max = image_series_max;
    Scraper::new(settings).metrics()
}

#[test]
fn an_image_that_nobody_looked_at_has_no_number_of_findings() {
    let (world, _) = after_a_day();
    let text = metrics_with(&world, 100);
    check(&text, "cleanbill_image_assessed", &["image=unseen:1"], 0.0);
    let labels = ["image=unseen:1", "severity=critical"];
    check(&text, "cleanbill_image_findings", &labels, None);
    check(&text, "cleanbill_images_omitted", &[], 0.0);
}

#[test]
fn names_that_become_the_same_are_shown_once() {
    let world = World::new();
    let long = "x".repeat(400);
    for name in [
        "a\u{1b}b",
        "a\u{7}b",
        &format!("{long}1"),
        &format!("{long}2"),
    ] {
        world.look(name, AssessmentStatus::Complete, "event", 1);
    }
    // The reader of the tests refuses a series that is there twice.
    let text = metrics_with(&world, 100);
    check(&text, "cleanbill_images_omitted", &[], 2.0);
}

#[test]
fn without_the_setting_no_name_of_an_image_is_shown() {
    let (world, _) = after_a_day();
    let text = metrics_with(&world, 0);
    assert!(!text.contains("app:1"));
    assert!(!text.contains("cleanbill_images_omitted"));
}

#[test]
fn counters_begin_at_the_start_and_survive_pruning() {
    let (world, _) = after_a_day();
    let scraper = Scraper::new(world.settings());
    check(
        &scraper.metrics(),
        "cleanbill_scan_duration_seconds_count",
        &[],
        0.0,
    );
    world.look("app:1", AssessmentStatus::Complete, "event", 5);
    // Within a second the store is not read again.
    check(
        &scraper.metrics(),
        "cleanbill_scan_duration_seconds_count",
        &[],
        0.0,
    );
    world.pass_time(REUSE_MS);
    check(
        &scraper.metrics(),
        "cleanbill_scan_duration_seconds_count",
        &[],
        1.0,
    );
    world.store.image_forget("app:1").unwrap();
    world.pass_time(REUSE_MS);
    check(
        &scraper.metrics(),
        "cleanbill_scan_duration_seconds_count",
        &[],
        1.0,
    );
    world.look("app:1", AssessmentStatus::Complete, "event", 5);
    world.pass_time(REUSE_MS);
    check(
        &scraper.metrics(),
        "cleanbill_scan_duration_seconds_count",
        &[],
        2.0,
    );
}

#[test]
fn what_cannot_be_known_is_missing_and_not_zero() {
    let world = World::new();
    world.live.events_lost(NOW);
    let mut settings = world.settings();
    settings.state_directory = world.directory.path().join("nowhere");
    settings.cache_directory = None;
    let scraper = Scraper::new(settings);
    let text = scraper.metrics();
    check(&text, "cleanbill_state_readable", &[], 0.0);
    for name in [
        "cleanbill_state_size_bytes",
        "cleanbill_cache_size_bytes",
        "cleanbill_database_age_seconds",
        "cleanbill_containers",
        "cleanbill_changes_untold",
        "cleanbill_pass_last_finished_timestamp_seconds",
    ] {
        check(&text, name, &[], None);
    }
    check(&text, "cleanbill_images", &["state=complete"], None);
    check(&text, "cleanbill_findings", &["severity=critical"], None);
    // Nothing was well since the start.
    let started = (NOW - 60_000) as f64 / 1000.0;
    check(
        &text,
        "cleanbill_watch_all_well_timestamp_seconds",
        &[],
        started,
    );
}

#[test]
fn a_state_that_comes_later_is_found() {
    let world = World::new();
    let later = world.directory.path().join("later");
    let mut settings = world.settings();
    settings.state_directory = later.clone();
    let scraper = Scraper::new(settings);
    check(&scraper.metrics(), "cleanbill_state_readable", &[], 0.0);
    let store = StateStore::open(&later, NOW).unwrap();
    world.pass_time(REUSE_MS);
    check(&scraper.metrics(), "cleanbill_state_readable", &[], 1.0);
    drop(store);
}

#[test]
fn all_is_well_while_it_is() {
    let world = World::new();
    let pass = world.store.pass_begin("schedule", NOW).unwrap();
    world.store.pass_finish(pass, NOW, 1, 0).unwrap();
    world.live.database(Some(NOW));
    world.live.events_connected();
    world.live.tick(NOW);
    let scraper = Scraper::new(world.settings());
    let name = "cleanbill_watch_all_well_timestamp_seconds";
    check(&scraper.metrics(), name, &[], NOW as f64 / 1000.0);
    world.live.events_lost(NOW + 500);
    world.pass_time(60_000);
    check(&scraper.metrics(), name, &[], NOW as f64 / 1000.0 + 0.5);
}

#[test]
fn nothing_is_well_while_the_engine_is_away() {
    let world = World::new();
    world.live_through_a_day();
    world.live.limits(crate::Limits {
        dead_age_ms_max: 0,
        ..crate::Limits::default()
    });
    let scraper = Scraper::new(world.settings());
    let name = "cleanbill_watch_all_well_timestamp_seconds";
    let at = |milliseconds: i64| (NOW + milliseconds) as f64 / 1000.0;
    check(&scraper.metrics(), name, &[], at(0));
    // Each attempt fails; the time of the first one stays.
    for milliseconds in [500, 30_000, 60_000] {
        world.live.engine_lost(NOW + milliseconds);
        world.pass_time(20_000);
        check(&scraper.metrics(), name, &[], at(500));
    }
    world.live.engine_answered();
    check(&scraper.metrics(), name, &[], at(60_000));
}

#[test]
fn it_is_ready_when_there_is_something_to_tell_of() {
    let world = World::new();
    let scraper = Scraper::new(world.settings());
    let ready = |scraper: &Scraper| scraper.readiness().map(|(_, is_ready)| is_ready);
    assert_eq!(ready(&scraper), [true, false, false, false]);
    world.live.database(Some(NOW));
    world.live.engine_lost(NOW);
    let pass = world.store.pass_begin("schedule", NOW).unwrap();
    world.pass_time(REUSE_MS);
    assert_eq!(ready(&scraper), [true, true, false, false]);
    world.live.engine_answered();
    world.store.pass_finish(pass, NOW, 1, 1).unwrap();
    world.pass_time(REUSE_MS);
    assert_eq!(ready(&scraper), [true, true, true, true]);
}
