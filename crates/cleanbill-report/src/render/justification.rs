//! Why a product is not affected, in the words of OpenVEX and CycloneDX.
//!
//! Source: OpenVEX specification 0.2.0, "Status Justifications"; CycloneDX 1.6,
//! `impactAnalysisJustification`.

/// Pairs the words of OpenVEX with those of CycloneDX; empty where one has none. Where a word
/// stands twice, its first pair translates it.
const PAIRS: [(&str, &str); 10] = [
    ("vulnerable_code_not_present", "code_not_present"),
    ("component_not_present", "code_not_present"),
    ("vulnerable_code_not_in_execute_path", "code_not_reachable"),
    (
        "vulnerable_code_cannot_be_controlled_by_adversary",
        "requires_environment",
    ),
    (
        "inline_mitigations_already_exist",
        "protected_by_mitigating_control",
    ),
    ("", "requires_configuration"),
    ("", "requires_dependency"),
    ("", "protected_by_compiler"),
    ("", "protected_at_runtime"),
    ("", "protected_at_perimeter"),
];

/// Finds the justification that a reason begins with, perhaps with a colon behind it, in the words
/// of OpenVEX. Returns it with the rest of the reason.
pub(super) fn openvex(reason: &str) -> Option<(&'static str, &str)> {
    translated(reason, |(openvex, _)| openvex)
}

/// The same in the words of CycloneDX.
pub(super) fn cyclonedx(reason: &str) -> Option<(&'static str, &str)> {
    translated(reason, |(_, cyclonedx)| cyclonedx)
}

fn translated(
    reason: &str,
    wanted: fn((&'static str, &'static str)) -> &'static str,
) -> Option<(&'static str, &str)> {
    let reason = reason.trim();
    PAIRS.into_iter().find_map(|pair| {
        let words = [pair.0, pair.1].into_iter();
        let rest = words
            .filter(|word| !word.is_empty())
            .filter_map(|word| reason.strip_prefix(word))
            .find(|rest| rest.is_empty() || rest.starts_with(ends_a_word))?;
        let word = Some(wanted(pair)).filter(|word| !word.is_empty())?;
        Some((word, rest.trim_start_matches(':').trim()))
    })
}

fn ends_a_word(char: char) -> bool {
    char == ':' || char.is_whitespace()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(reason: &str, in_openvex: &'static str, in_cyclonedx: &'static str, rest: &str) {
        let expected = |word: &'static str| (!word.is_empty()).then_some((word, rest));
        assert_eq!(openvex(reason), expected(in_openvex));
        assert_eq!(cyclonedx(reason), expected(in_cyclonedx));
    }

    #[test]
    fn each_says_it_in_its_own_words() {
        let absent = "component_not_present";
        check(absent, absent, "code_not_present", "");
        let code = "vulnerable_code_not_present";
        check(code, code, "code_not_present", "");
        check(" code_not_present ", code, "code_not_present", "");
        check(
            "requires_environment: only on Windows",
            "vulnerable_code_cannot_be_controlled_by_adversary",
            "requires_environment",
            "only on Windows",
        );
        let compiler = "protected_by_compiler";
        check(compiler, "", compiler, "");
    }

    #[test]
    fn other_words_are_no_justification() {
        check("", "", "", "");
        check("component_not_presented", "", "", "");
        check("the component_not_present", "", "", "");
    }
}
