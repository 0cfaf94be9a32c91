//! Licences as SPDX expressions.
//!
//! Source: SPDX 2.3 annex D.

use cleanbill_core::spdx;

/// What stands before a licence whose text was found instead of a name.
pub(in crate::render) const TEXT_PREFIX: &str = "text://";

/// Names longer than this are no expressions.
const LENGTH_MAX: usize = 4096;

/// Brackets within brackets.
const DEPTH_MAX: usize = 32;

/// An expression in which every name is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::render) struct Expression {
    /// Spelt as the list spells it.
    pub(in crate::render) text: String,
    /// It has more than one name.
    pub(in crate::render) is_compound: bool,
}

/// Reads a licence as an expression; `None` if it is none or has a name that is not in the list.
pub(in crate::render) fn parse(license: &str) -> Option<Expression> {
    if license.len() > LENGTH_MAX || license.starts_with(TEXT_PREFIX) {
        return None;
    }
    let spaced = license.replace('(', " ( ").replace(')', " ) ");
    let tokens: Vec<&str> = spaced.split_whitespace().collect();
    let mut text = String::new();
    let mut depth = 0_usize;
    let mut wants_name = true;
    let mut allows_with = false;
    let mut rest = tokens.iter().copied();
    while let Some(token) = rest.next() {
        match (token, wants_name) {
            ("(", true) => {
                depth += 1;
                text.push('(');
            }
            (")", false) => {
                depth = depth.checked_sub(1)?;
                allows_with = false;
                text.push(')');
            }
            (name, true) => {
                text.push_str(&known_license(name)?);
                (wants_name, allows_with) = (false, true);
            }
            (word, false) if word.eq_ignore_ascii_case("with") && allows_with => {
                text.push_str(" WITH ");
                text.push_str(spdx::exception_id(rest.next()?)?);
                allows_with = false;
            }
            (word, false) => {
                let word = ["AND", "OR"]
                    .into_iter()
                    .find(|known| word.eq_ignore_ascii_case(known))?;
                text.push_str(&format!(" {word} "));
                wants_name = true;
            }
        }
        if depth > DEPTH_MAX {
            return None;
        }
    }
    (depth == 0 && !wants_name).then_some(Expression {
        text,
        is_compound: tokens.len() > 1,
    })
}

/// Looks a name up. A plus means "or later", where the name does not say by itself which versions
/// it is about.
fn known_license(name: &str) -> Option<String> {
    if let Some(id) = spdx::license_id(name) {
        return Some(id.to_owned());
    }
    let id = spdx::license_id(name.strip_suffix('+')?)?;
    let is_closed = id.contains("-with-") || id.ends_with("-only") || id.ends_with("-or-later");
    (!is_closed).then(|| format!("{id}+"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn check(license: &str, expected: Option<(&str, bool)>) {
        let expected = expected.map(|(text, is_compound)| Expression {
            text: text.to_owned(),
            is_compound,
        });
        assert_eq!(parse(license), expected, "{license}");
    }

    #[test]
    fn expressions_are_spelt_as_the_list_does() {
        check("MIT", Some(("MIT", false)));
        check("mit", Some(("MIT", false)));
        check("Apache-2.0+", Some(("Apache-2.0+", false)));
        check(
            "mit or (apache-2.0 and BSD-3-clause)",
            Some(("MIT OR (Apache-2.0 AND BSD-3-Clause)", true)),
        );
        check(
            "GPL-2.0-or-later with classpath-exception-2.0",
            Some(("GPL-2.0-or-later WITH Classpath-exception-2.0", true)),
        );
    }

    #[test]
    fn other_texts_are_no_expressions() {
        for license in [
            "",
            "public-domain",
            "MIT Apache-2.0",
            "MIT AND",
            "AND MIT",
            "(MIT",
            "MIT)",
            "MIT WITH MIT",
            "(MIT) WITH Classpath-exception-2.0",
            "text://MIT",
            "MIT OR unheard-of",
            "GPL-3.0-with-autoconf-exception+",
            "GPL-3.0-only+",
        ] {
            check(license, None);
        }
        check(&"(".repeat(100_000), None);
        check(&format!("{}MIT{}", "(".repeat(40), ")".repeat(40)), None);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(256))]

        /// What is read as an expression is one, spelt for good.
        #[test]
        fn spelling_is_stable(
            words in proptest::collection::vec(
                prop_oneof![
                    Just("MIT"), Just("gpl-2.0+"), Just("("), Just(")"), Just("and"), Just("OR"),
                    Just("with"), Just("Classpath-exception-2.0"), Just("x"),
                ],
                0..9,
            ),
        ) {
            if let Some(expression) = parse(&words.join(" ")) {
                prop_assert_eq!(parse(&expression.text), Some(expression));
            }
        }
    }
}
