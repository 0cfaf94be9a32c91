//! What the name of an archive says.

use cleanbill_core::path;

/// Returns artifact and version if the name has the form `<artifact>-<version>.jar`.
///
/// The version begins with a digit after the last dash for which the rest fits: what stands before
/// it has letters, digits, `.`, `_` and `-` only, but for its last character, which may be
/// anything except `-` and `*`. Source: spec 04 section 1.7, step 1.
pub(super) fn parse(archive_path: &str) -> Option<(String, String)> {
    let mut stem = path::base_name(archive_path).strip_suffix("jar")?.chars();
    // Any character stands for the dot.
    stem.next_back().filter(|dot| *dot != '\n')?;
    let stem = stem.as_str();
    stem.rmatch_indices('-')
        .filter_map(|(dash, _)| Some((stem.get(..dash)?, stem.get(dash + 1..)?)))
        .find(|(artifact, version)| is_artifact(artifact) && is_version(version))
        .map(|(artifact, version)| (artifact.to_owned(), version.to_owned()))
}

fn is_artifact(text: &str) -> bool {
    let mut characters = text.chars();
    let is_usual = |c: char| c.is_ascii_alphanumeric() || ['.', '_', '-'].contains(&c);
    characters
        .next_back()
        .is_some_and(|last| last != '-' && last != '*')
        && characters.all(is_usual)
}

fn is_version(text: &str) -> bool {
    let is_space = |c: char| matches!(c, '\t' | '\n' | '\x0c' | '\r' | ' ');
    text.starts_with(|c: char| c.is_ascii_digit()) && !text.contains(is_space)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(name: &str, expected: Option<(&str, &str)>) {
        let found = parse(name);
        let found = found.as_ref().map(|(a, v)| (a.as_str(), v.as_str()));
        assert_eq!(found, expected, "{name}");
    }

    #[test]
    fn names_are_split_before_the_version() {
        check(
            "a/spring-core-5.3.4-SNAPSHOT.jar",
            Some(("spring-core", "5.3.4-SNAPSHOT")),
        );
        check("foo-1.0-2.jar", Some(("foo-1.0", "2")));
        check(
            "jackson-annotations-2.15.0-rc2.jar",
            Some(("jackson-annotations", "2.15.0-rc2")),
        );
        check("a-1_jar", Some(("a", "1")));
        check("aé-1.jar", Some(("aé", "1")));
        check("é-1.jar", Some(("é", "1")));
        check("a--1.jar", None);
        check("éa-1.jar", None);
        check("a*-1.jar", None);
        check("-1.jar", None);
        check("a-1 2.jar", None);
        check("a-b.jar", None);
        check("a-1.war", None);
        check("a-1.JAR", None);
        check("jar", None);
        check("a-1jar", None);
        check("a-12jar", Some(("a", "1")));
    }
}
