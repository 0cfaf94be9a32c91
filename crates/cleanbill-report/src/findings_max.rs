//! A bound on the findings of one report, which may have been written to fill the memory: a finding
//! takes a few bytes of a file, and some two kilobytes when it is read.

use std::cell::Cell;
use std::fmt;
use std::marker::PhantomData;

use serde::de::{Deserialize, Deserializer, Error, SeqAccess, Visitor};

/// Findings of a report, suppressed ones included. The largest real ones have a tenth of them.
pub(crate) const FINDINGS_MAX: u64 = 500_000;

thread_local! {
    /// What is left while a report is read; a reader has no way to hand it from list to list.
    static LEFT: Cell<Option<u64>> = const { Cell::new(None) };
}

/// Runs what reads one report, and says whether it had no more findings than are read.
pub(crate) fn bounded<T>(read: impl FnOnce() -> T) -> (T, bool) {
    let before = LEFT.replace(Some(FINDINGS_MAX + 1));
    let result = read();
    let is_within = LEFT.replace(before) != Some(0);
    (result, is_within)
}

/// A list of findings, of which no more are read than a report may have.
pub(crate) struct Counted<T>(pub(crate) Vec<T>);

impl<T> Default for Counted<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Counted<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(CountedVisitor(PhantomData))
    }
}

struct CountedVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for CountedVisitor<T> {
    type Value = Counted<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of findings")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Counted<T>, A::Error> {
        let mut found = Vec::new();
        while let Some(item) = items.next_element()? {
            let left = LEFT.get().map(|left| left.saturating_sub(1));
            LEFT.set(left);
            if left == Some(0) {
                return Err(A::Error::custom("there are too many findings"));
            }
            found.push(item);
        }
        Ok(Counted(found))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(lists: &[u64]) -> bool {
        let items = |count: &u64| format!("[{}]", vec!["0"; *count as usize].join(","));
        let lists: Vec<String> = lists.iter().map(items).collect();
        let text = format!("[{}]", lists.join(","));
        let (read, is_within) = bounded(|| serde_json::from_str::<Vec<Counted<u8>>>(&text));
        assert_eq!(read.is_ok(), is_within);
        is_within
    }

    #[test]
    fn all_lists_of_a_report_have_one_bound() {
        assert!(read(&[3, FINDINGS_MAX - 3]));
        assert!(!read(&[3, FINDINGS_MAX - 2]));
        assert!(!read(&[FINDINGS_MAX + 1]));
        // A report does not pay for another one.
        assert!(read(&[FINDINGS_MAX]));
    }
}
