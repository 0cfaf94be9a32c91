//! The release of Alpine's package repositories that an image is configured for.

use std::cmp::Ordering;
use std::sync::LazyLock;

use cleanbill_core::distro::{Family, RepositoryHint};
use regex::Regex;

use crate::draft::LayerDraft;
use crate::extractor::{ExtractError, Extractor, FileInput, LinkRule};
use crate::lines::{Lines, text};

/// Reads `etc/apk/repositories`. Source: spec 02 section 1.3.
pub(crate) struct ApkRepositories;

impl Extractor for ApkRepositories {
    fn name(&self) -> &'static str {
        "apk-repositories"
    }

    fn wants(&self, path: &str, _size_bytes: u64) -> bool {
        path == "etc/apk/repositories"
    }

    fn extract(
        &self,
        file: &mut FileInput<'_>,
        draft: &mut LayerDraft,
    ) -> Result<(), ExtractError> {
        if let Some((family, release)) = greatest_release(file)?
            && family == "alpine"
        {
            draft.set_repository_hint(RepositoryHint {
                family: Family::new(&family),
                release,
            });
        }
        Ok(())
    }

    fn places(&self) -> &'static [&'static str] {
        &["etc/apk/repositories"]
    }

    fn link_rule(&self) -> LinkRule {
        LinkRule::Follow
    }
}

static REPOSITORY_URL: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?:https*|ftp)://[0-9A-Za-z.-]+/([A-Za-z]+)/v?([0-9A-Za-z_.-]+)/")
        .expect("the pattern is a constant that a test compiles")
});

/// Returns family and release; a file that mixes families says nothing.
fn greatest_release(file: &mut FileInput<'_>) -> Result<Option<(String, String)>, ExtractError> {
    let mut found: Option<(String, String)> = None;
    let mut lines = Lines::new(file);
    while let Some(line) = lines.next()? {
        let line = text(line);
        let Some(url) = REPOSITORY_URL.captures(&line) else {
            continue;
        };
        let (_, [family, release]) = url.extract();
        match &mut found {
            None => found = Some((family.to_owned(), release.to_owned())),
            Some((known, _)) if known != family => return Err(ExtractError::Ignored),
            Some((_, greatest)) if is_greater(release, greatest) => release.clone_into(greatest),
            Some(_) => {}
        }
    }
    Ok(found)
}

/// Compares releases; `edge` is the greatest, and one that makes no sense never is greater.
fn is_greater(release: &str, than: &str) -> bool {
    if than == "edge" || release == "edge" {
        return than != "edge";
    }
    match (Release::parse(release), Release::parse(than)) {
        (Some(release), Some(than)) => release.compare(&than) == Ordering::Greater,
        _ => false,
    }
}

/// Splits `3.18` or `3.18-rc1`.
struct Release<'a> {
    numbers: Vec<u64>,
    pre_release: &'a str,
}

impl<'a> Release<'a> {
    fn parse(text: &'a str) -> Option<Self> {
        let text = text.strip_prefix('v').unwrap_or(text);
        let end = text
            .find(|c: char| !c.is_ascii_digit() && c != '.')
            .unwrap_or(text.len());
        let (numbers, pre_release) = text.split_at_checked(end)?;
        let numbers: Option<Vec<u64>> = numbers
            .split('.')
            .map(|number| number.parse().ok())
            .collect();
        Some(Self {
            numbers: numbers?,
            pre_release,
        })
    }

    /// Missing numbers count as zero; a release comes after its pre-releases.
    fn compare(&self, other: &Self) -> Ordering {
        let count = self.numbers.len().max(other.numbers.len());
        let number = |release: &Self, at| release.numbers.get(at).copied().unwrap_or(0);
        (0..count)
            .map(|at| number(self, at).cmp(&number(other, at)))
            .find(|ordering| ordering.is_ne())
            .unwrap_or_else(|| {
                let rank = |release: &Self| release.pre_release.is_empty();
                rank(self)
                    .cmp(&rank(other))
                    .then_with(|| self.pre_release.cmp(other.pre_release))
            })
    }
}
