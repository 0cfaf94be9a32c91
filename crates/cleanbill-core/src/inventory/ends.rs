//! Where the parts of a list end.

use std::ops::Range;

use serde::{Deserialize, Serialize};

/// Divides a list into parts, one behind the other, in four bytes a part.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ends(Vec<u32>);

impl Ends {
    /// Adds a part: the list has so many items up to and with it.
    pub fn push(&mut self, end: usize) {
        self.0.push(u32::try_from(end).unwrap_or(u32::MAX));
    }

    /// Says which items of the list are those of a part, by its number.
    pub fn span(&self, number: usize) -> Range<usize> {
        let end = |number: usize| self.0.get(number).map_or(0, |end| *end as usize);
        number.checked_sub(1).map_or(0, end)..end(number)
    }

    /// Says whether they divide a list of so many items into so many parts.
    pub fn divide(&self, item_count: usize, part_count: usize) -> bool {
        let end = self.0.last().map_or(0, |end| *end as usize);
        self.0.len() == part_count && self.0.is_sorted() && end == item_count
    }

    /// Gives memory back that more parts would need.
    pub fn shrink(&mut self) {
        self.0.shrink_to_fit();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_lie_one_behind_the_other() {
        let mut ends = Ends::default();
        for end in [2, 2, 5] {
            ends.push(end);
        }
        assert_eq!([0, 1, 2].map(|part| ends.span(part)), [0..2, 2..2, 2..5]);
        assert!(ends.span(3).is_empty());
        assert!(ends.divide(5, 3));
        assert!(!ends.divide(4, 3) && !ends.divide(5, 2));
        assert!(!Ends(vec![3, 2, 5]).divide(5, 3));
        assert!(Ends::default().divide(0, 0) && !Ends::default().divide(1, 0));
    }
}
