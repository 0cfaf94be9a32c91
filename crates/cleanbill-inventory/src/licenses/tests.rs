use proptest::prelude::*;

use super::*;

#[track_caller]
fn check(expected: &str, names: &[&str]) {
    for name in names {
        assert_eq!(normalize(name), expected, "{name}");
    }
}

#[test]
fn names_become_identifiers() {
    check(
        "Apache-2.0",
        &[
            "  the apache license  ",
            "the\tapache  \r\nlicense \r\n",
            "ApacheLicence",
            "al-2",
            "alv2",
            "apache - v. 2.0",
            "apache license (version 2.0)",
            "apache license, version 2.0",
            "apache-licensed",
            "asl2.0",
            "apache version-2",
        ],
    );
    check("Apache-2.0+", &["Apache+"]);
    check(
        "GPL-2.0-or-later",
        &["GPL-or-later", "GPL+", "GPL-2.0-only+"],
    );
    check(
        "GPL-3.0-or-later",
        &["GPL (≥ 3)", "GPL3+", "GPL3 or later licence"],
    );
    check(
        "GPL-3.0-only",
        &["GNU GENERAL PUBLIC LICENSE VERSION 3 (GPL V3)"],
    );
    check("Unlicense", &["unlicense", "the Unlicense"]);
    check("MIT", &["mit", "MIT License"]);
    check("0BSD", &["0bsd"]);
    check("CUSTOM Words", &[" CUSTOM Words\n"]);
    check(
        "https://example.org/License",
        &["https://example.org/License"],
    );
    check("", &["", " \t"]);
}

#[test]
fn every_name_of_the_table_is_found_by_itself() {
    for line in include_str!("names.tsv").lines() {
        let (name, rest) = line.split_once('\t').expect("three columns");
        assert!(
            TABLES.names.contains_key(LookupKey::of(name).text.as_str()),
            "{name}"
        );
        let (id, plus) = rest.split_once('\t').expect("three columns");
        assert!(plus.is_empty() || plus == "+", "{name}");
        assert_eq!(normalize(name), spell(id, plus == "+"), "{name}");
    }
}

#[test]
fn lists_lose_what_is_empty_or_repeated() {
    let list = ["MIT", "", "mit", "BSD"].map(str::to_owned);
    assert_eq!(normalize_list(&list), ["MIT", "BSD-3-Clause"]);
}

#[test]
fn texts_are_split_where_they_name_several() {
    for (text, expected) in [
        ("GPL-1+,GPL-2", &["GPL-1+", "GPL-2"][..]),
        ("LGPLv3+_or_GPLv2+", &["LGPLv3+", "GPLv2+"]),
        (
            "GPL-1+ or Artistic, and BSD",
            &["GPL-1+", "Artistic", "BSD"],
        ),
        (
            "Apache License,Version 2.0, OSET Public License version 2.1",
            &[
                "Apache License, Version 2.0",
                "OSET Public License version 2.1",
            ],
        ),
        ("verbatim and BSD", &["verbatim", "BSD"]),
        (
            "GNU AGPL v3 or later (AGPLv3+)",
            &["GNU AGPL v3 or later (AGPLv3+)"],
        ),
        (
            "GNU Library or Lesser General Public License (LGPL)",
            &["GNU Library or Lesser General Public License (LGPL)"],
        ),
        (
            "* Permission to use this",
            &["text://* Permission to use this"],
        ),
        ("", &[]),
    ] {
        assert_eq!(split(text), expected, "{text}");
    }
}

#[test]
fn texts_are_split_at_blanks() {
    for (text, expected) in [
        ("ASL 2.0", &["Apache-2.0"][..]),
        ("MPL 2.0 GPL2+", &["MPL-2.0", "GPL-2.0-or-later"]),
        (
            "BSD-3-CLAUSE OR GPL-2.0-only WITH Classpath-exception-2.0 AND (MPL-2.0)",
            &[
                "BSD-3-Clause",
                "GPL-2.0-only WITH Classpath-exception-2.0",
                "MPL-2.0",
            ],
        ),
        ("WITH x", &["x"]),
        ("", &[]),
    ] {
        assert_eq!(split_at_blanks(text), expected, "{text}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn any_text_is_taken(text in "\\PC{0,60}|([a-zA-Z(), .+_0-9-]{0,40})") {
        normalize(&text);
        split(&text);
        split_at_blanks(&text);
    }
}
