//! Entry points for fuzz targets and their replay: arbitrary bytes in, broken promises out as a
//! panic. Not part of the crate's interface.

use crate::glob::Pattern;
use crate::path;
use crate::purl::PackageUrl;
use crate::reference::ImageReference;

/// An entry point with the name of its target.
pub type Target = (&'static str, fn(&[u8]));

/// Every entry point of the crate, by the name of its folder in `fuzz/corpus`.
pub const TARGETS: &[Target] = &[
    ("core_glob", glob),
    ("core_purl", purl),
    ("core_reference", reference),
];

/// Bytes of a path that Linux can name.
const PATH_SIZE_MAX: usize = 4_096;

/// Matches: the first line is the pattern, each other one a path.
pub fn glob(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let mut lines = text.split('\n');
    let first = lines.next().unwrap_or_default();
    let patterns = [Pattern::parse(first), Pattern::parse_skip_path(first)];
    for line in lines.take(8) {
        let cut = line.floor_char_boundary(PATH_SIZE_MAX);
        let path = path::clean(line.get(..cut).unwrap_or_default());
        for pattern in patterns.iter().flatten() {
            let matches = pattern.matches(&path);
            assert_eq!(
                matches,
                pattern.matches(&path),
                "the same question has one answer"
            );
        }
    }
}

/// Reads a package URL. What is read from its print is the same URL, but for the subpath: that is
/// escaped when printed and, as in the reference, not unescaped when read.
pub fn purl(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let Ok(mut purl) = text.parse::<PackageUrl>() else {
        return;
    };
    assert!(purl.is_covered_by(&purl), "a URL covers itself");
    assert!(purl.to_string().is_ascii(), "a URL is escaped");
    purl.subpath.clear();
    let printed = purl.to_string();
    if let Ok(again) = printed.parse::<PackageUrl>() {
        assert_eq!(again.to_string(), printed, "printing is stable");
    }
}

/// Reads an image reference. What is read from its print is the same reference.
pub fn reference(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let Ok(reference) = text.parse::<ImageReference>() else {
        return;
    };
    let printed = reference.to_string();
    let again: ImageReference = printed.parse().expect("a printed reference is one");
    assert_eq!(again.context(), reference.context());
    assert_eq!(again.manifest_name(), reference.manifest_name());
    assert!(!reference.familiar_repository().is_empty());
}
