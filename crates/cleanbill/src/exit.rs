//! Exit codes: the contract with pipelines.

use std::process::ExitCode;

/// Says how a run ended. Of several, the first in the order 2, 4, 1, 3 counts.
///
/// Source: DESIGN section 4.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// 0: done, and nothing stands against it.
    Clean,
    /// 1, or what `--exit-code` says: the gate failed.
    GateFailed(u8),
    /// 2: usage, configuration, or a file of the user's that is missing or unreadable.
    Usage,
    /// 3: an image could not be found, opened or assessed completely, or a message not delivered.
    Incomplete,
    /// 4: no usable advisory database, or one older than `--max-db-age`.
    Database,
    /// 130: stopped by Ctrl-C.
    Interrupted,
}

impl Exit {
    /// Returns the code.
    pub(crate) const fn code(self) -> u8 {
        match self {
            Exit::Clean => 0,
            Exit::GateFailed(code) => code,
            Exit::Usage => 2,
            Exit::Incomplete => 3,
            Exit::Database => 4,
            Exit::Interrupted => 130,
        }
    }

    /// Lists every way to end with what it means, as the reference prints it.
    pub(crate) const MEANINGS: [(Exit, &str); 6] = [
        (Exit::Clean, "done, and nothing stands against it"),
        (
            Exit::GateFailed(1),
            "the gate failed, or `exceptions check` found something to do; `--exit-code N` puts N \
             in its place",
        ),
        (
            Exit::Usage,
            "wrong call or configuration, or a file of yours is missing or unreadable",
        ),
        (
            Exit::Incomplete,
            "an image could not be found, opened or assessed completely, or a message not delivered",
        ),
        (
            Exit::Database,
            "no usable advisory database, or one older than `--max-db-age`",
        ),
        (Exit::Interrupted, "stopped by Ctrl-C or by a time limit"),
    ];

    /// Returns the one that counts of two.
    pub(crate) fn and(self, other: Exit) -> Exit {
        let rank = |exit: Exit| match exit {
            Exit::Interrupted => 0,
            Exit::Usage => 1,
            Exit::Database => 2,
            Exit::GateFailed(_) => 3,
            Exit::Incomplete => 4,
            Exit::Clean => 5,
        };
        if rank(other) < rank(self) {
            other
        } else {
            self
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        ExitCode::from(exit.code())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_is_two_four_one_three() {
        let all = [
            Exit::Usage,
            Exit::Database,
            Exit::GateFailed(1),
            Exit::Incomplete,
            Exit::Clean,
        ];
        for (index, first) in all.into_iter().enumerate() {
            for second in all.into_iter().skip(index) {
                assert_eq!(first.and(second), first);
                assert_eq!(second.and(first), first);
            }
        }
        assert_eq!(Exit::GateFailed(7).code(), 7);
    }
}
