//! Every metric, in the order in which it is shown and documented.
//!
//! Names follow Prometheus's practice: base units, `_total` for what only grows,
//! `_timestamp_seconds` for points in time. Labels have few values; the only ones from outside are
//! the names of channels, which the settings give, and those of images, which are off unless
//! somebody wants them.

/// Kinds of metrics.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Goes up and down.
    Gauge,
    /// Only grows, from 0 at the start of the process.
    Counter,
    /// Counts by size.
    Histogram,
}

impl Kind {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Kind::Gauge => "gauge",
            Kind::Counter => "counter",
            Kind::Histogram => "histogram",
        }
    }
}

/// One metric with all its series.
#[derive(Debug)]
pub(crate) struct Family {
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    pub(crate) labels: &'static [&'static str],
    /// A sentence without its full stop; from the comment at its declaration.
    pub(super) help: &'static str,
}

impl Family {
    /// Returns what it says, in one line.
    pub(crate) fn help(&self) -> &'static str {
        self.help.trim()
    }
}

macro_rules! families {
    ($(
        #[doc = $help:literal]
        $(#[doc = $more:literal])*
        $constant:ident = $kind:ident $name:literal $([$($label:literal),+])?;
    )*) => {
        $(
            pub(super) const $constant: $crate::metrics::families::Family =
                $crate::metrics::families::Family {
                name: $name,
                kind: $crate::metrics::families::Kind::$kind,
                labels: &[$($($label),+)?],
                help: concat!($help $(, $more)*),
            };
        )*

        /// Every metric.
        pub(crate) const FAMILIES: &[&$crate::metrics::families::Family] = &[$(&$constant),*];
    };
}

pub(super) use families;

families! {
    /// Always 1; the version of the program
    BUILD_INFO = Gauge "cleanbill_build_info" ["version"];
    /// When the process began to watch
    STARTED = Gauge "cleanbill_watch_start_timestamp_seconds";
    /// When the loop went round last, or got one image further
    TICKED = Gauge "cleanbill_watch_last_tick_timestamp_seconds";
    /// When all was well last: the loop turns, events arrive, the state can be read, the advisory
    /// database and the last pass are young enough, nobody waits for a message; silence means quiet
    /// only while this is now
    ALL_WELL = Gauge "cleanbill_watch_all_well_timestamp_seconds";
    /// Times that the loop could not do what was due and put it off
    LOOP_ERRORS = Counter "cleanbill_watch_errors_total";
    /// 1 while the engine's events arrive
    EVENTS_CONNECTED = Gauge "cleanbill_events_connected";
    /// Logs, reports and baselines that could not be written
    LOG_ERRORS = Counter "cleanbill_log_write_errors_total";

    /// 1 if the state can be read; what comes from it is missing otherwise
    STATE_READABLE = Gauge "cleanbill_state_readable";
    /// Bytes of the state's file, without its journal
    STATE_SIZE = Gauge "cleanbill_state_size_bytes";
    /// Bytes of the cache of layer inventories, with its journal
    CACHE_SIZE = Gauge "cleanbill_cache_size_bytes";

    /// Images that are watched, by how far they could be assessed
    IMAGES = Gauge "cleanbill_images" ["state"];
    /// Containers that run
    CONTAINERS = Gauge "cleanbill_containers";
    /// Findings of watched images that no exception covers
    FINDINGS = Gauge "cleanbill_findings" ["severity"];
    /// 1 if the image was assessed completely; only with --metrics-images-max
    IMAGE_ASSESSED = Gauge "cleanbill_image_assessed" ["image"];
    /// Findings of one image that no exception covers, as far as it could be assessed; only with
    /// --metrics-images-max
    IMAGE_FINDINGS = Gauge "cleanbill_image_findings" ["image", "severity"];
    /// Watched images that have no series of their own because there are too many
    IMAGES_OMITTED = Gauge "cleanbill_images_omitted";

    /// When the advisory database in use was built; missing if there is none
    DATABASE_UPDATED = Gauge "cleanbill_database_updated_timestamp_seconds";
    /// Age of the advisory database in use; missing if there is none
    DATABASE_AGE = Gauge "cleanbill_database_age_seconds";

    /// Passes over all images that ended since the start, by whether every image was assessed
    /// completely
    PASSES = Counter "cleanbill_passes_total" ["outcome"];
    /// 1 while a pass runs
    PASS_RUNNING = Gauge "cleanbill_pass_running";
    /// When the next pass begins
    PASS_NEXT = Gauge "cleanbill_pass_next_timestamp_seconds";
    /// When the last pass ended
    PASS_FINISHED = Gauge "cleanbill_pass_last_finished_timestamp_seconds";
    /// When the last pass ended that assessed every image completely
    PASS_SUCCEEDED = Gauge "cleanbill_pass_last_success_timestamp_seconds";
    /// How long the last finished pass took
    PASS_DURATION = Gauge "cleanbill_pass_last_duration_seconds";
    /// Looks at images since the start, by what caused them and how far the image was assessed
    SCANS = Counter "cleanbill_scans_total" ["trigger", "status"];
    /// How long looks at images took since the start; those that only judge again are not counted
    SCAN_DURATION = Histogram "cleanbill_scan_duration_seconds";

    /// Changes that no message tells of yet: quiet hours, a digest, or nobody is to be told
    CHANGES_UNTOLD = Gauge "cleanbill_changes_untold";
    /// Messages that are to be sent, and those that were given up
    MESSAGES = Gauge "cleanbill_messages" ["state"];
    /// Age of the oldest message that is to be sent; 0 if there is none
    OLDEST_PENDING = Gauge "cleanbill_messages_oldest_pending_age_seconds";
    /// Attempts to deliver a message since the start, by channel and what came of them
    DELIVERIES = Counter "cleanbill_deliveries_total" ["channel", "outcome"];
    /// When a message was acknowledged last
    DELIVERED = Gauge "cleanbill_delivery_last_success_timestamp_seconds";
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::super::report;
    use super::*;

    /// Iterates over the metrics of `watch` and those of reports, which one Prometheus may read.
    fn all() -> impl Iterator<Item = &'static &'static Family> {
        FAMILIES.iter().chain(report::FAMILIES)
    }

    #[test]
    fn names_are_unique_and_follow_the_practice() {
        let mut seen = BTreeSet::new();
        for family in all() {
            assert!(seen.insert(family.name), "{}", family.name);
            let is_plain = |char: char| char.is_ascii_lowercase() || char == '_';
            assert!(family.name.starts_with("cleanbill_"), "{}", family.name);
            assert!(family.name.chars().all(is_plain), "{}", family.name);
            assert_eq!(
                family.name.ends_with("_total"),
                family.kind == Kind::Counter,
                "{}",
                family.name
            );
            for label in family.labels {
                assert!(label.chars().all(is_plain), "{label}");
                assert!(!["le", "quantile", "job", "instance"].contains(label));
            }
        }
    }

    #[test]
    fn each_says_what_it_is_in_one_line() {
        for family in all() {
            let help = family.help();
            assert!(help.len() > 10, "{}", family.name);
            assert!(!help.contains(['\n', '\\', '|']), "{}", family.name);
            assert!(!help.contains("  "), "{}: {help}", family.name);
            assert!(!help.ends_with('.'), "{}", family.name);
        }
    }
}
