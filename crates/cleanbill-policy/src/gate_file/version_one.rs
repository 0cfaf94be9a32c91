//! Our own form of rules, `version: 1`.

use super::{GateFile, Pairs, Reader, cut};
use crate::document::{Content, Node, Place};
use crate::gate::{DeniedPackage, EpssRule, RuleKind, Rules};
use crate::threshold::{Counted, Thresholds};

/// Keys of the file, in the order of the documentation, with what they mean.
pub(super) const KEYS: &[(&str, &str)] = &[
    ("version", "Version of this form"),
    (
        "thresholds",
        "Highest numbers of findings that pass; what is not named is not limited",
    ),
    (
        "severity",
        "Severities that count at all; findings of others are left out of every rule",
    ),
    ("only_fixable", "Count only findings that have a fix"),
    (
        "only_new",
        "Count only findings that --baseline or --compare-to does not know",
    ),
    (
        "epss",
        "Limit findings that are likely to be exploited, by EPSS",
    ),
    (
        "deny_packages",
        "Packages that must not be there, by patterns of names or package URLs",
    ),
    (
        "end_of_life",
        "What becomes of a distribution past its end of life",
    ),
    (
        "max_db_age",
        "Oldest advisory database that is trusted, such as 48h or 7d",
    ),
    (
        "incomplete",
        "What becomes of an image that was assessed in part; one that could not be opened always fails",
    ),
    ("exit_code", "Exit code of a failed gate: 1, or 5 to 255"),
];

/// Keys of the settings of `watch`, whose file has `version: 1` too.
const KEYS_OF_SETTINGS: [&str; 6] = ["watch", "notify", "scan", "database", "web", "metrics"];

/// Keys of `deny_packages` entries.
const KEYS_OF_DENIED: [&str; 2] = ["package", "reason"];

const KEYS_OF_EPSS: [&str; 2] = ["above", "max"];

impl Reader {
    pub(super) fn version_one(&mut self, pairs: &Pairs) -> GateFile {
        let mut rules = Rules::default();
        for (key, place, value) in pairs {
            self.rule(&mut rules, key, *place, value);
        }
        self.check_severities(&rules, pairs);
        let mut notes = Vec::new();
        if rules.is_empty() && self.problems.is_empty() {
            notes.push("no rule is set: only what could not be assessed fails".to_owned());
        }
        GateFile {
            rules,
            notes,
            is_older: false,
        }
    }

    fn rule(&mut self, rules: &mut Rules, key: &str, place: Place, value: &Node) {
        let kind = match key {
            "version" => return,
            // For anchors.
            key if key.starts_with("x-") => return,
            "thresholds" => return self.thresholds(rules, value),
            "severity" => {
                if let Some(severities) = self.severities(key, value) {
                    rules.severities = severities;
                }
                return;
            }
            "only_fixable" => {
                rules.only_fixable = self.boolean(key, value).unwrap_or_default();
                return;
            }
            "only_new" => {
                rules.only_new = self.boolean(key, value).unwrap_or_default();
                return;
            }
            "exit_code" => {
                rules.exit_code = self.exit_code(key, value);
                return;
            }
            "epss" => {
                rules.epss = self.epss(value);
                RuleKind::Epss
            }
            "deny_packages" => {
                rules.denied_packages = self.denied_packages(value);
                RuleKind::DeniedPackages
            }
            "end_of_life" => {
                rules.end_of_life = self.tolerance(key, value).unwrap_or(rules.end_of_life);
                RuleKind::EndOfLife
            }
            "max_db_age" => {
                rules.database_age_max = self.duration(key, value);
                RuleKind::DatabaseAge
            }
            "incomplete" => {
                rules.incomplete = self.tolerance(key, value).unwrap_or_default();
                RuleKind::Incomplete
            }
            key if KEYS_OF_SETTINGS.contains(&key) => {
                let text = format!("'{key}' is a setting of watch, not a rule of the gate");
                return self.wrong(place, text);
            }
            key => {
                let known = KEYS.iter().map(|(key, _)| *key);
                return self.unknown(key, place, "", known);
            }
        };
        rules.lines.insert(kind, place.line);
    }

    fn thresholds(&mut self, rules: &mut Rules, value: &Node) {
        let Some(pairs) = self.mapping("thresholds", value) else {
            return;
        };
        for (key, place, value) in pairs {
            let counted = Thresholds::COUNTED
                .into_iter()
                .find(|one| one.name() == key);
            let Some(counted) = counted else {
                let known = Thresholds::COUNTED.map(Counted::name);
                self.unknown(key, *place, "thresholds: ", known);
                continue;
            };
            if let Some(allowed) = self.count(&format!("thresholds.{key}"), value) {
                rules.thresholds.set(counted, allowed);
                rules.lines.insert(RuleKind::Threshold(counted), place.line);
            }
        }
    }

    /// A threshold of a severity that never counts could never fail.
    fn check_severities(&mut self, rules: &Rules, pairs: &Pairs) {
        let thresholds = pairs.iter().find(|(key, _, _)| key == "thresholds");
        let Some((
            _,
            _,
            Node {
                content: Content::Mapping(pairs),
                ..
            },
        )) = thresholds
        else {
            return;
        };
        for (key, place, _) in pairs {
            let is_left_out = Thresholds::COUNTED
                .into_iter()
                .any(|counted| match counted {
                    Counted::Severity(severity) => {
                        counted.name() == key && !rules.severities.passes(severity)
                    }
                    _ => false,
                });
            if is_left_out {
                self.wrong(
                    *place,
                    format!("thresholds.{key} limits findings that 'severity' leaves out"),
                );
            }
        }
    }

    fn epss(&mut self, value: &Node) -> Option<EpssRule> {
        let mut rule = EpssRule::default();
        let mut has_bound = false;
        for (key, place, value) in self.mapping("epss", value)? {
            match key.as_str() {
                "above" => {
                    rule.above = self.probability("epss.above", value)?;
                    has_bound = true;
                }
                "max" => rule.allowed = self.count("epss.max", value)?,
                key => self.unknown(key, *place, "epss: ", KEYS_OF_EPSS),
            }
        }
        if !has_bound {
            self.wrong(
                value.place,
                "epss: 'above' is missing: the probability above which findings count",
            );
        }
        Some(rule)
    }

    fn denied_packages(&mut self, value: &Node) -> Vec<DeniedPackage> {
        let Content::Sequence(items) = &value.content else {
            let kind = value.content.kind();
            let text = format!("deny_packages: expected a list of packages, found {kind}");
            self.wrong(value.place, text);
            return Vec::new();
        };
        items
            .iter()
            .filter_map(|item| self.denied_package(item))
            .collect()
    }

    fn denied_package(&mut self, item: &Node) -> Option<DeniedPackage> {
        let (pattern, reason) = match &item.content {
            Content::Mapping(pairs) => {
                let (mut pattern, mut reason) = (None, String::new());
                for (key, place, value) in pairs {
                    match key.as_str() {
                        "package" => {
                            pattern =
                                Some((self.scalar("package", value, "a pattern")?, value.place))
                        }
                        "reason" => self
                            .scalar("reason", value, "a text")?
                            .clone_into(&mut reason),
                        key => self.unknown(key, *place, "deny_packages: ", KEYS_OF_DENIED),
                    }
                }
                if pattern.is_none() {
                    self.wrong(item.place, "deny_packages: 'package' is missing");
                }
                (pattern?, reason)
            }
            _ => (
                (self.scalar("deny_packages", item, "a pattern")?, item.place),
                String::new(),
            ),
        };
        let (text, place) = pattern;
        match text.parse() {
            Ok(pattern) => Some(DeniedPackage {
                pattern,
                reason,
                line: place.line,
            }),
            Err(error) => {
                self.wrong(place, format!("deny_packages: {}", cut(&error.to_string())));
                None
            }
        }
    }
}
