//! Brings problems into the form that reports show.

use cleanbill_core::problem::Problem;

/// Sorts problems and drops repetitions: the same file may be unreadable in several layers.
pub(crate) fn summarize(mut problems: Vec<Problem>) -> Vec<Problem> {
    problems.sort();
    problems.dedup();
    problems
}
