//! Names of files that are about an image, as the older script made them.

use cleanbill_core::Digest;
use jiff::Timestamp;

/// Bytes of a name, so that with what is put around it stays below the 255 of a file system.
const STEM_BYTES_MAX: usize = 180;

/// Hexadecimal digits that keep names apart.
const DIGITS: usize = 8;

/// Writes a time as it stands in names and logs: `2026-11-22T06-30-00Z`.
pub fn timestamp_text(time: Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H-%M-%SZ").to_string()
}

/// Returns the part of a file name that names an image: `/` and `:` become `__`. Two images may
/// have the same one; [`distinct_stem`] keeps them apart. A name that no file may have, or that is
/// too long, is distinct at once.
pub fn file_stem(image: &str) -> String {
    let stem = replaced(image);
    let is_usual = !stem.is_empty()
        && !stem.starts_with('.')
        && stem.len() <= STEM_BYTES_MAX
        && !image.chars().any(is_awkward);
    if is_usual { stem } else { distinct_stem(image) }
}

/// Returns a part of a file name that names an image and no other.
pub fn distinct_stem(image: &str) -> String {
    let mut stem = replaced(image);
    if stem.starts_with('.') {
        stem.insert(0, '_');
    }
    let mut end = stem.len().min(STEM_BYTES_MAX - DIGITS - 2);
    while !stem.is_char_boundary(end) {
        end -= 1;
    }
    stem.truncate(end);
    let digits = Digest::of(image.as_bytes()).to_hex();
    format!("{stem}--{}", digits.get(..DIGITS).unwrap_or_default())
}

fn replaced(image: &str) -> String {
    let mut stem = String::with_capacity(image.len() + 8);
    for char in image.chars() {
        match char {
            '/' | ':' => stem.push_str("__"),
            char if is_awkward(char) => stem.push('_'),
            char => stem.push(char),
        }
    }
    stem
}

/// Says whether a character has no place in a file name. Names of images have none of them.
fn is_awkward(char: char) -> bool {
    char.is_control() || char == '\\'
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_are_those_of_the_older_script() {
        for (image, stem) in [
            ("a/b:1", "a__b__1"),
            ("debian:12", "debian__12"),
            (
                "registry:5000/a/b@sha256:00",
                "registry__5000__a__b@sha256__00",
            ),
            ("a__b:1", "a__b__1"),
        ] {
            assert_eq!(file_stem(image), stem);
        }
        for (image, stem) in [("", "--"), ("..", "_..--"), ("a\nb", "a_b--")] {
            let found = file_stem(image);
            assert!(found.starts_with(stem), "{found}");
            assert_eq!(found.len(), stem.len() + DIGITS);
        }
        let time: Timestamp = "2026-11-22T06:30:00.9Z".parse().unwrap();
        assert_eq!(timestamp_text(time), "2026-11-22T06-30-00Z");
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn a_name_stays_in_its_directory(image in prop_oneof![".{0,40}", "[/:.]{0,20}", "é{80,200}"]) {
            for stem in [file_stem(&image), distinct_stem(&image)] {
                prop_assert!(!stem.is_empty() && stem.len() <= STEM_BYTES_MAX);
                prop_assert!(!stem.starts_with('.') && !stem.contains(['/', '\0', '\n']));
            }
        }

        #[test]
        fn different_names_are_kept_apart(a in "[ab/:_.]{0,8}", b in "[ab/:_.]{0,8}") {
            prop_assert_eq!(distinct_stem(&a) == distinct_stem(&b), a == b);
        }
    }
}
