//! The `trivy-config.yaml` of older pipelines.
//!
//! Its shape was never published. What is read: `thresholds` with severities in any case, also as
//! `max_critical`, there or at the top; `severity`, `ignore_unfixed`, `exit_code`, `timeout`; and
//! the keys of Trivy's own configuration file that mean the same, or that only concern the scan.

use std::collections::BTreeMap;

use super::{GateFile, Pairs, Reader, cut};
use crate::document::{Node, Place};
use crate::gate::{RuleKind, Rules};
use crate::threshold::{Counted, Thresholds};

const KEYS: [&str; 8] = [
    "thresholds",
    "max_critical",
    "severity",
    "ignore_unfixed",
    "exit_code",
    "timeout",
    "vulnerability",
    "scan",
];

impl Reader {
    pub(super) fn older(&mut self, root: Place, pairs: &Pairs) -> Option<GateFile> {
        let mut older = Older::default();
        for (key, place, value) in pairs {
            self.older_key(&mut older, key, *place, value);
        }
        let Older {
            mut rules,
            mut notes,
            places,
        } = older;
        if rules.thresholds == Thresholds::default() && self.problems.is_empty() {
            let place = pairs.first().map_or(root, |(_, place, _)| *place);
            self.wrong(
                place,
                "the file has no thresholds: expected 'thresholds: {critical: 0, high: 5}', or \
                 'version: 1' for the form with all rules",
            );
        }
        for (counted, place) in places {
            if let Counted::Severity(severity) = counted
                && !rules.severities.passes(severity)
            {
                notes.push(format!(
                    "line {}: the threshold for {} never fails, since 'severity' leaves it out",
                    place.line,
                    counted.name()
                ));
            }
            rules.lines.insert(RuleKind::Threshold(counted), place.line);
        }
        Some(GateFile {
            rules,
            notes,
            is_older: true,
        })
    }

    fn older_key(&mut self, older: &mut Older, key: &str, place: Place, value: &Node) {
        let name = folded(key);
        match name.as_str() {
            "thresholds" => {
                for (key, place, value) in self.mapping(key, value).unwrap_or_default() {
                    match counted(&folded(key)) {
                        Some(counted) => self.older_threshold(older, counted, key, *place, value),
                        None => {
                            let known = Thresholds::COUNTED.map(Counted::name);
                            self.unknown(key, *place, "thresholds: ", known);
                        }
                    }
                }
            }
            "severity" => {
                if let Some(severities) = self.severities(key, value) {
                    older.rules.severities = severities;
                }
            }
            "ignore_unfixed" => {
                older.rules.only_fixable |= self.boolean(key, value).unwrap_or_default();
            }
            "exit_code" => older.rules.exit_code = self.exit_code(key, value),
            "timeout" => {
                self.older_timeout(key, value);
                older.note(place, "timeout", "--timeout");
            }
            "vulnerability" => self.older_vulnerability(older, value),
            "scan" => self.older_scan(older, value),
            name => match name.strip_prefix("max_").and_then(counted) {
                Some(counted) => self.older_threshold(older, counted, key, place, value),
                None => self.unknown(key, place, "", KEYS),
            },
        }
    }

    fn older_threshold(
        &mut self,
        older: &mut Older,
        counted: Counted,
        key: &str,
        place: Place,
        value: &Node,
    ) {
        if let Some(first) = older.places.insert(counted, place) {
            let line = first.line;
            let text = format!(
                "'{key}': {} is limited in line {line} already",
                counted.name()
            );
            return self.wrong(place, text);
        }
        if let Some(allowed) = self.count(key, value) {
            older.rules.thresholds.set(counted, allowed);
        }
    }

    /// Refuses what cannot be a duration: seconds, or as Go writes it (`1h30m`, `5m0s`).
    fn older_timeout(&mut self, key: &str, value: &Node) {
        let Some(text) = self.scalar(key, value, "a duration") else {
            return;
        };
        let is_duration = text.starts_with(|char: char| char.is_ascii_digit())
            && text
                .split(|char: char| char.is_ascii_digit() || char == '.')
                .all(|unit| {
                    matches!(
                        unit,
                        "" | "ns" | "us" | "µs" | "ms" | "s" | "m" | "h" | "d" | "w"
                    )
                });
        if !is_duration {
            let text = cut(text);
            self.wrong(
                value.place,
                format!("{key}: '{text}' is no duration: expected a form such as 5m or 90s"),
            );
        }
    }

    fn older_vulnerability(&mut self, older: &mut Older, value: &Node) {
        for (key, place, value) in self.mapping("vulnerability", value).unwrap_or_default() {
            match folded(key).as_str() {
                "ignore_unfixed" => {
                    older.rules.only_fixable |= self.boolean(key, value).unwrap_or_default();
                }
                _ => self.unknown(key, *place, "vulnerability: ", ["ignore-unfixed"]),
            }
        }
    }

    fn older_scan(&mut self, older: &mut Older, value: &Node) {
        for (key, place, _) in self.mapping("scan", value).unwrap_or_default() {
            match folded(key).as_str() {
                "skip_dirs" => older.note(*place, "scan.skip-dirs", "--skip-dirs"),
                _ => self.unknown(key, *place, "scan: ", ["skip-dirs"]),
            }
        }
    }
}

#[derive(Default)]
struct Older {
    rules: Rules,
    notes: Vec<String>,
    /// Where each threshold stands.
    places: BTreeMap<Counted, Place>,
}

impl Older {
    /// Notes a key that a finished scan cannot follow any more.
    fn note(&mut self, place: Place, key: &str, flag: &str) {
        self.notes.push(format!(
            "line {}: {key} concerns the scan, not the gate: give {flag} to cleanbill scan",
            place.line
        ));
    }
}

/// Reads `critical` and `max_critical`.
fn counted(name: &str) -> Option<Counted> {
    let name = name.strip_prefix("max_").unwrap_or(name);
    Thresholds::COUNTED
        .into_iter()
        .find(|one| one.name() == name)
}

fn folded(key: &str) -> String {
    key.to_ascii_lowercase().replace('-', "_")
}
