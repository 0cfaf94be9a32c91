//! Which of several names of one image says most.

use crate::ImageReference;

/// Rates how much a name says; more is better.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Specificity {
    is_tag: bool,
    /// Runs of digits: `12.5` has two.
    numbers: usize,
    length: usize,
}

/// Rates a name.
pub(super) fn specificity(reference: &ImageReference) -> Specificity {
    let tag = match (&reference.digest, reference.tag.as_deref()) {
        (None, Some("latest") | None) | (Some(_), _) => "",
        (None, Some(tag)) => tag,
    };
    let is_digit = |c: char| c.is_ascii_digit();
    Specificity {
        is_tag: reference.digest.is_none(),
        numbers: tag
            .split(|c| !is_digit(c))
            .filter(|run| !run.is_empty())
            .count(),
        length: tag.len(),
    }
}
