//! Names of source packages.

/// Splits the file name of a source package, `bash-4.4.19-7.el8.src.rpm`, into name, version and
/// release; `None` if it has another form.
///
/// Source: `splitFilename` of yum `rpmUtils/miscutils.py`, spec 02 section 2.3.
pub(in crate::extractors::os) fn split(file_name: &str) -> Option<(&str, &str, &str)> {
    let stem = file_name.strip_suffix(".rpm").unwrap_or(file_name);
    let (stem, _architecture) = stem.rsplit_once('.')?;
    let (stem, release) = stem.rsplit_once('-')?;
    let (name, version) = stem.rsplit_once('-')?;
    Some((name, version, release))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_split_from_the_end() {
        for (file_name, expected) in [
            (
                "bash-4.4.19-7.el8.src.rpm",
                Some(("bash", "4.4.19", "7.el8")),
            ),
            ("gcc-c++-4-1.src.rpm", Some(("gcc-c++", "4", "1"))),
            ("1:bar-9-123a.ia64.rpm", Some(("1:bar", "9", "123a"))),
            ("a-1-2.src", Some(("a", "1", "2"))),
            ("elasticsearch-5.6.16-1-src.rpm", None),
            ("bash", None),
            ("bash-4.src.rpm", None),
            ("", None),
        ] {
            assert_eq!(split(file_name), expected, "{file_name}");
        }
    }
}
