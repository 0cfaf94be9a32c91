//! Long messages for services that take only short ones.
//!
//! The entries of a message are, in this order, its failures, its vulnerabilities and its images.
//! A renderer shows as many of them as fit and says how many that were; so a message can be split
//! there, and what does not fit into the last part is counted, not cut.

#[cfg(test)]
mod tests;

use super::message::{Notification, Part};

/// Returns the numbers of failures, vulnerabilities and images.
pub(super) fn lengths(message: &Notification) -> [usize; 3] {
    [
        message.failures.len(),
        message.vulnerabilities.len(),
        message.images.len(),
    ]
}

/// Splits a message where `shown`, the number of entries that are shown of one, says so, into at
/// most `parts_max`; the last one counts the rest.
pub(super) fn split(
    message: Notification,
    parts_max: u32,
    shown: impl Fn(&Notification) -> usize,
) -> Vec<Notification> {
    let mut parts = Vec::new();
    let mut rest = message;
    loop {
        // As long as the numbers can get.
        rest.part = Part {
            number: parts_max,
            of: parts_max,
        };
        let count: usize = lengths(&rest).iter().sum();
        let shown = shown(&rest).max(1);
        if shown >= count || parts.len() + 1 >= parts_max as usize {
            parts.push(rest);
            break;
        }
        let (part, others) = divide(rest, shown);
        parts.push(part);
        rest = others;
    }
    let of = parts.len() as u32;
    for (number, part) in (1..).zip(&mut parts) {
        part.part = Part { number, of };
    }
    parts
}

/// Takes the first entries off a message. What was left out before stays with the rest.
fn divide(mut message: Notification, count: usize) -> (Notification, Notification) {
    let mut left = count;
    let mut first = message.clone();
    first.failures_left_out = 0;
    first.failures_known = 0;
    first.exceptions_expiring = Vec::new();
    first.vulnerabilities_left_out = 0;
    first.images_left_out = 0;
    first.failures = take(&mut message.failures, &mut left);
    first.vulnerabilities = take(&mut message.vulnerabilities, &mut left);
    first.images = take(&mut message.images, &mut left);
    (first, message)
}

fn take<T>(entries: &mut Vec<T>, left: &mut usize) -> Vec<T> {
    let rest = entries.split_off((*left).min(entries.len()));
    let taken = std::mem::replace(entries, rest);
    *left -= taken.len();
    taken
}
