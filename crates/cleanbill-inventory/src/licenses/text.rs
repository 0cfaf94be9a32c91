//! Recognising a licence by its text.
//!
//! Trivy compares a text with those of some hundred licences and takes what is similar enough.
//! Here phrases decide, which only the text of one licence has: less is recognised, but the usual
//! licences are, whatever copyright lines and addresses stand around them.

use std::collections::BTreeSet;

/// Returns the SPDX identifiers of the licences whose text it is, sorted.
pub(crate) fn classify(text: &[u8]) -> Vec<String> {
    let words = words(&String::from_utf8_lossy(text));
    let found: BTreeSet<&str> = LICENSES
        .iter()
        .filter(|license| license.is_in(&words))
        .map(|license| license.id)
        .collect();
    found.into_iter().map(str::to_owned).collect()
}

/// Brings a text into the form of the phrases: lower case, one blank between words, no signs.
fn words(text: &str) -> String {
    let mut words = String::with_capacity(text.len());
    for word in text
        .split(|c: char| !c.is_ascii_alphanumeric())
        .filter(|word| !word.is_empty())
    {
        words.push(' ');
        words.extend(word.chars().map(|c| c.to_ascii_lowercase()));
    }
    words.push(' ');
    words
}

/// Is what tells a licence.
struct License {
    id: &'static str,
    /// Phrases that its text has.
    has: &'static [&'static str],
    /// Phrases that only the text of a similar licence has.
    lacks: &'static [&'static str],
}

impl License {
    fn is_in(&self, words: &str) -> bool {
        self.has.iter().all(|phrase| words.contains(phrase))
            && !self.lacks.iter().any(|phrase| words.contains(phrase))
    }
}

const fn license(id: &'static str, has: &'static [&'static str]) -> License {
    License {
        id,
        has,
        lacks: &[],
    }
}

const BSD: &str = " redistribution and use in source and binary forms with or without modification are permitted ";
const BSD_BINARY: &str =
    " redistributions in binary form must reproduce the above copyright notice ";
const BSD_ENDORSE: &str =
    " used to endorse or promote products derived from this software without ";
const BSD_ADVERTISE: &str =
    " all advertising materials mentioning features or use of this software ";

const LICENSES: &[License] = &[
    license(
        "Apache-2.0",
        &[
            " apache license version 2 0 january 2004 ",
            " terms and conditions for use reproduction and distribution ",
            " grant of patent license ",
        ],
    ),
    license(
        "Apache-2.0",
        &[
            " licensed under the apache license version 2 0 the license ",
            " you may not use this file except in compliance with the license ",
        ],
    ),
    license(
        "Artistic-1.0-Perl",
        &[
            " the artistic license preamble ",
            " aggregation of this package with a commercial distribution is always permitted ",
        ],
    ),
    license("Artistic-2.0", &[" the artistic license 2 0 "]),
    License {
        id: "BSD-2-Clause",
        has: &[BSD, BSD_BINARY],
        lacks: &[BSD_ENDORSE, BSD_ADVERTISE],
    },
    License {
        id: "BSD-3-Clause",
        has: &[BSD, BSD_BINARY, BSD_ENDORSE],
        lacks: &[BSD_ADVERTISE],
    },
    license(
        "BSD-4-Clause",
        &[BSD, BSD_BINARY, BSD_ENDORSE, BSD_ADVERTISE],
    ),
    license(
        "BeOpen",
        &[" beopen python open source license agreement version 1 "],
    ),
    license(
        "BSL-1.0",
        &[" boost software license version 1 0 august 17th 2003 "],
    ),
    license(
        "CC0-1.0",
        &[" cc0 1 0 universal ", " statement of purpose "],
    ),
    license(
        "CDDL-1.0",
        &[
            " common development and distribution license cddl version 1 0 ",
            " covered software ",
        ],
    ),
    license(
        "CDDL-1.1",
        &[
            " common development and distribution license cddl version 1 1 ",
            " covered software ",
        ],
    ),
    license(
        "CNRI-Python-GPL-Compatible",
        &[" cnri license agreement for python 1 6 1 "],
    ),
    license(
        "EPL-1.0",
        &[
            " eclipse public license v 1 0 ",
            " under the terms of this eclipse public license ",
        ],
    ),
    license(
        "EPL-2.0",
        &[
            " eclipse public license v 2 0 ",
            " under the terms of this eclipse public license ",
        ],
    ),
    license(
        "GPL-2.0",
        &[
            " gnu general public license version 2 june 1991 ",
            " preamble ",
        ],
    ),
    license(
        "GPL-3.0",
        &[
            " gnu general public license version 3 29 june 2007 ",
            " preamble ",
        ],
    ),
    license(
        "ISC",
        &[
            " permission to use copy modify and or distribute this software for any purpose with or without fee is hereby granted ",
        ],
    ),
    license(
        "LGPL-2.1",
        &[" gnu lesser general public license version 2 1 february 1999 "],
    ),
    license(
        "LGPL-3.0",
        &[" gnu lesser general public license version 3 29 june 2007 "],
    ),
    license(
        "MIT",
        &[
            " permission is hereby granted free of charge to any person obtaining a copy of this software and associated documentation files the software ",
            " the software is provided as is without warranty of any kind ",
        ],
    ),
    license(
        "MPL-1.1",
        &[" mozilla public license version 1 1 ", " definitions "],
    ),
    license(
        "MPL-2.0",
        &[" mozilla public license version 2 0 ", " definitions "],
    ),
    license(
        "Python-2.0",
        &[
            " python software foundation license version 2 ",
            " this license agreement ",
        ],
    ),
    license(
        "Unlicense",
        &[" this is free and unencumbered software released into the public domain "],
    ),
    license(
        "Zlib",
        &[
            " this software is provided as is without any express or implied warranty ",
            " altered source versions must be plainly marked as such ",
        ],
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_recognised_by_their_phrases() {
        let mit = "Copyright (c) 2020\n\nPermission is hereby granted, free of charge, to any person \
            obtaining a copy\nof this software and associated documentation files (the \"Software\") \
            … THE SOFTWARE IS PROVIDED \"AS IS\", WITHOUT WARRANTY OF ANY KIND";
        assert_eq!(classify(mit.as_bytes()), ["MIT"]);
        let bsd = "Redistribution and use in source and binary forms, with or without modification, \
            are permitted provided …\n * Redistributions in binary form must reproduce the above \
            copyright notice";
        assert_eq!(classify(bsd.as_bytes()), ["BSD-2-Clause"]);
        let three = format!(
            "{bsd} Neither the name … may be used to endorse or promote products derived from this \
             software without permission.\n{mit}"
        );
        assert_eq!(classify(three.as_bytes()), ["BSD-3-Clause", "MIT"]);
        assert!(classify(b"All rights reserved.\xff").is_empty());
    }
}
