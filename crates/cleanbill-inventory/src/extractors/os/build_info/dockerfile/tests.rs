use proptest::prelude::*;

use super::*;

#[track_caller]
fn check(text: &str, component: &str, arch: &str) {
    let labels = build_labels(text).unwrap();
    let expected = BuildLabels {
        component: component.to_owned(),
        arch: arch.to_owned(),
    };
    assert_eq!(labels, expected, "{text}");
}

#[test]
fn labels_are_read_over_several_lines() {
    check(
        "FROM ubi\n\
         # a comment\n\
         LABEL com.redhat.component=\"ubi8-container\" \\\n\
         # another\n\
         \n\
         \tname=ubi8 \\\n\
         \tarchitecture=\"x86_64\"\n\
         RUN rm -f x\n",
        "ubi8-container",
        "x86_64",
    );
    check(
        "FROM a\r\nLABEL BZComponent jboss\r\nLABEL Architecture s390x\r\n",
        "jboss",
        "s390x",
    );
    check(
        "# escape=`\nFROM a\nLABEL bzcomponent=b `\n architecture=c",
        "b",
        "c",
    );
    check(
        "FROM a\nLABEL bzcomponent=b\nLABEL bzcomponent=c architecture=d",
        "c",
        "d",
    );
    check("", "", "");
}

#[test]
fn variables_come_from_env_and_early_arg() {
    check(
        "ARG A=early\nFROM x\nARG A=late\nENV B ubi8\nENV C=\nLABEL bzcomponent=\"${B}-${A}\" architecture=$C",
        "ubi8-early",
        "",
    );
    check("FROM x\nARG A=b\nLABEL bzcomponent=$A", "", "");
    // The quotes of an ENV stay, as in the reference.
    check("FROM x\nENV A=\"b\"\nLABEL bzcomponent=$A", "\"b\"", "");
}

#[test]
fn substitutions_follow_the_shell() {
    for (word, expected) in [
        ("${A:-x}", "abcabc"),
        ("${A:+x}", "x"),
        ("${N:-x${A}}", "xabcabc"),
        ("${N+x}", ""),
        ("${E-x}", ""),
        ("${E:-x}", "x"),
        ("$A$N-$", "abcabc-$"),
        (r"\$A", "$A"),
        (r#""\$A \x $A""#, r"$A \x abcabc"),
        ("'$A'", "$A"),
        ("a'b'\"c\"", "abc"),
    ] {
        check(
            &format!("FROM x\nENV A=abcabc E=\nLABEL bzcomponent={word}"),
            expected,
            "",
        );
    }
}

#[test]
fn malformed_instructions_are_refused() {
    for text in [
        "LABEL a=b",
        "RUN x\nFROM y",
        "FROM",
        "FROM x y",
        "FROM x\nFOO bar",
        "FROM x\nLABEL a",
        "FROM x\nLABEL",
        "FROM x\nLABEL bzcomponent=${}",
        "FROM x\nLABEL bzcomponent=${A",
        "FROM x\nLABEL bzcomponent=${A?}",
        "FROM x\nLABEL bzcomponent=${A/a/b}",
        "FROM x\nLABEL bzcomponent=${A#b}",
        "FROM x\nLABEL bzcomponent=\"a",
        "FROM x\nLABEL bzcomponent='a",
        "FROM x\nRUN <<EOF\nno end",
    ] {
        assert!(build_labels(text).is_err(), "{text}");
    }
}

#[test]
fn here_documents_are_skipped() {
    check(
        "FROM x\nRUN <<EOF\nLABEL bzcomponent=no\nEOF\nCOPY <<-\"A\" b\nLABEL bzcomponent=no\n\tA\nLABEL bzcomponent=yes",
        "yes",
        "",
    );
}

#[test]
fn a_value_cannot_grow_without_bound() {
    let text = format!(
        "FROM x\nENV A={}\nLABEL bzcomponent={}",
        "a".repeat(60_000),
        "$A".repeat(1000)
    );
    assert!(build_labels(&text).is_err());
    let nested = format!("FROM x\nLABEL bzcomponent={}", "${A:-".repeat(100_000));
    assert!(build_labels(&nested).is_err());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]
    #[test]
    fn any_text_is_accepted_or_refused(
        text in "(FROM x\n)?((LABEL|ENV|ARG|RUN) [a-z=$\"'\\\\{}:#%*?<\n -]{0,40}\n){0,5}",
    ) {
        let _ = build_labels(&text);
    }
}
