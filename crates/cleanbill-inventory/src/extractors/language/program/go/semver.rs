//! Versions of Go modules. Source: `golang.org/x/mod/semver` and `golang.org/x/mod/module`.

/// Says whether a text is a version, with or without its `v`. Minor and patch may be absent.
pub(super) fn is_valid(text: &str) -> bool {
    parse(text.strip_prefix('v').unwrap_or(text)).is_some()
}

fn parse(text: &str) -> Option<()> {
    let rest = number(text)?;
    if rest.is_empty() {
        return Some(());
    }
    let rest = number(rest.strip_prefix('.')?)?;
    if rest.is_empty() {
        return Some(());
    }
    let rest = number(rest.strip_prefix('.')?)?;
    let (rest, build) = match rest.split_once('+') {
        Some((rest, build)) => (rest, Some(build)),
        None => (rest, None),
    };
    let is_leading_zero = |part: &str| {
        part.len() > 1 && part.starts_with('0') && part.bytes().all(|byte| byte.is_ascii_digit())
    };
    if let Some(prerelease) = rest.strip_prefix('-') {
        let is_valid = identifiers(prerelease)? && !prerelease.split('.').any(is_leading_zero);
        is_valid.then_some(())?;
    } else if !rest.is_empty() {
        return None;
    }
    build.map_or(Some(()), |build| identifiers(build)?.then_some(()))
}

/// Reads a number without leading zeros. Returns what follows it.
fn number(text: &str) -> Option<&str> {
    let rest = text.trim_start_matches(|c: char| c.is_ascii_digit());
    let length = text.len() - rest.len();
    let is_valid = length == 1 || (length > 1 && !text.starts_with('0'));
    is_valid.then_some(rest)
}

fn identifiers(text: &str) -> Option<bool> {
    let is_identifier = |part: &str| {
        !part.is_empty()
            && part
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    Some(text.split('.').all(is_identifier))
}

/// Says whether a version is one that Go makes of a commit.
pub(super) fn is_pseudo(version: &str) -> bool {
    parse_pseudo(version).is_some()
}

/// `vX.0.0-<time>-<commit>` and `vX.Y.Z-[<prerelease>.]0.<time>-<commit>`, either with `+<build>`.
fn parse_pseudo(version: &str) -> Option<()> {
    let text = version.strip_prefix('v')?;
    let (text, build) = match text.split_once('+') {
        Some((text, build)) => (text, Some(build)),
        None => (text, None),
    };
    if let Some(build) = build {
        identifiers(build)?.then_some(())?;
    }
    let (text, commit) = text.rsplit_once('-')?;
    let is_commit = !commit.is_empty() && commit.bytes().all(|byte| byte.is_ascii_alphanumeric());
    let (base, time) = text.split_at_checked(text.len().checked_sub(14)?)?;
    let is_time = time.bytes().all(|byte| byte.is_ascii_digit());
    let (core, prerelease) = base.split_once('-')?;
    let parts: Vec<&str> = core.split('.').collect();
    let is_core = parts.len() == 3 && parts.iter().all(|part| is_digits(part));
    let is_first = prerelease.is_empty() && core.ends_with(".0.0");
    let is_later = prerelease == "0." || prerelease.ends_with(".0.");
    (is_commit && is_time && is_core && (is_first || is_later)).then_some(())
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_told_from_other_texts() {
        for text in [
            "1",
            "v1",
            "1.2",
            "v1.2.3",
            "0.50.1",
            "v1.28.6+k3s2",
            "1.2.3-rc.1",
            "v1.2.3-0a.x+b.7",
        ] {
            assert!(is_valid(text), "{text}");
        }
        for text in [
            "",
            "v",
            "vv1",
            "01.2.3",
            "1.2.",
            "1.2-rc",
            "1.2.3-",
            "1.2.3-01",
            "1.2.3+",
            "1.2.3.4",
            "dev",
            "1.2.3-a..b",
            "1.2+b",
        ] {
            assert!(!is_valid(text), "{text}");
        }
    }

    #[test]
    fn versions_made_of_commits_are_known() {
        for text in [
            "v0.0.0-20230130190635-5e31092b0621",
            "v1.2.3-0.20230130190635-5e31092b0621",
            "v1.2.3-rc.1.0.20230130190635-5e31092b0621",
            "v0.0.0-20230130190635-5e31092b0621+dirty",
        ] {
            assert!(is_pseudo(text), "{text}");
        }
        for text in [
            "",
            "v1.2.3",
            "v1.2.3+dirty",
            "v1.2.3-20230130190635-5e31092b0621",
            "v0.0.0-2023013019063-5e31092b0621",
            "0.0.0-20230130190635-5e31092b0621",
            "v0.0.0-20230130190635-",
            "v1.2.3-rc.1",
        ] {
            assert!(!is_pseudo(text), "{text}");
        }
    }
}
