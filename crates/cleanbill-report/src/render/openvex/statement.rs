//! What an exception claims, in the words of OpenVEX.

use cleanbill_core::report::SuppressedFinding;
use serde::Serialize;

use crate::render::justification;

/// Status, reason and origin. `not_affected` has a justification or an impact statement, `affected`
/// an action statement, as the specification demands.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub(super) struct Claim {
    pub(super) status: &'static str,
    #[serde(skip_serializing_if = "str::is_empty")]
    pub(super) justification: &'static str,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) impact_statement: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) action_statement: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) status_notes: String,
}

impl Claim {
    pub(super) fn of(suppressed: &SuppressedFinding) -> Self {
        let statement = suppressed.statement.trim();
        let stated_by = match suppressed.source.as_str() {
            "" => String::new(),
            source => format!("stated by {source}"),
        };
        let notes = [stated_by, suppressed.terms.words()];
        let notes: Vec<String> = notes.into_iter().filter(|note| !note.is_empty()).collect();
        let status_notes = notes.join("; ");
        let claim = match (
            suppressed.status.as_str(),
            justification::openvex(statement),
        ) {
            ("fixed", _) => Self {
                status: "fixed",
                impact_statement: statement.to_owned(),
                ..Self::default()
            },
            (_, Some((justification, rest))) => Self {
                status: "not_affected",
                justification,
                impact_statement: rest.to_owned(),
                ..Self::default()
            },
            ("not_affected", None) => Self {
                status: "not_affected",
                impact_statement: or(statement, "no reason was given"),
                ..Self::default()
            },
            _ => Self {
                status: "affected",
                action_statement: match statement {
                    "" => "the risk is accepted".to_owned(),
                    reason => format!("the risk is accepted: {reason}"),
                },
                ..Self::default()
            },
        };
        Self {
            status_notes,
            ..claim
        }
    }
}

fn or(text: &str, otherwise: &str) -> String {
    if text.is_empty() { otherwise } else { text }.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(status: &str, statement: &str, expected: (&str, &str, &str, &str)) {
        let claim = Claim::of(&SuppressedFinding {
            status: status.to_owned(),
            statement: statement.to_owned(),
            source: "f".to_owned(),
            ..SuppressedFinding::default()
        });
        let actual = (
            claim.status,
            claim.justification,
            claim.impact_statement.as_str(),
            claim.action_statement.as_str(),
        );
        assert_eq!(actual, expected);
        assert_eq!(claim.status_notes, "stated by f");
    }

    #[test]
    fn every_claim_has_what_its_status_demands() {
        let accepted = "the risk is accepted";
        check("ignored", "", ("affected", "", "", accepted));
        check(
            "ignored",
            "why",
            ("affected", "", "", "the risk is accepted: why"),
        );
        check(
            "ignored",
            "component_not_present: removed",
            ("not_affected", "component_not_present", "removed", ""),
        );
        check(
            "not_affected",
            "component_not_presented",
            ("not_affected", "", "component_not_presented", ""),
        );
        check(
            "not_affected",
            "code_not_reachable",
            (
                "not_affected",
                "vulnerable_code_not_in_execute_path",
                "",
                "",
            ),
        );
        check(
            "not_affected",
            "",
            ("not_affected", "", "no reason was given", ""),
        );
        check("fixed", "patched", ("fixed", "", "patched", ""));
    }
}
