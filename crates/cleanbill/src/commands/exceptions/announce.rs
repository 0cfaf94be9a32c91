//! What is said of exceptions before they expire.

use std::time::{Duration, SystemTime};

use cleanbill_core::count;
use cleanbill_policy::Exceptions;

/// An exception that expires soon.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::commands) struct Announcement {
    /// The file and the line, `exceptions.yaml:3`.
    pub(in crate::commands) place: String,
    /// Its vulnerabilities.
    pub(in crate::commands) title: String,
    /// Who answers for it; may be empty.
    pub(in crate::commands) owner: String,
    /// The last day on which it counts.
    pub(in crate::commands) expires: String,
    /// Whole days that are left.
    pub(in crate::commands) days_left: u64,
}

/// Lists what expires within a time, file by file, the first to expire first.
pub(in crate::commands) fn announcements(
    files: &[Exceptions],
    now: SystemTime,
    within: Duration,
) -> Vec<Announcement> {
    let of_file = |file: &Exceptions| -> Vec<Announcement> {
        let expiring = file.expiring(now, within).into_iter();
        expiring
            .map(|one| Announcement {
                place: format!("{}:{}", file.source(), one.line),
                title: one.title(),
                owner: one.terms.owner.clone(),
                expires: one.terms.expires.clone(),
                days_left: one.expires_in(now).unwrap_or_default().as_secs() / 86_400,
            })
            .collect()
    };
    files.iter().flat_map(of_file).collect()
}

impl Announcement {
    /// Says it in one line.
    pub(in crate::commands) fn sentence(&self) -> String {
        let Self {
            place,
            title,
            owner,
            expires,
            ..
        } = self;
        let owner = match owner.as_str() {
            "" => String::new(),
            owner => format!(" (owner {owner})"),
        };
        format!(
            "{place}: the exception of {title}{owner} expires {}, on {expires}",
            self.when()
        )
    }

    /// Says how soon.
    pub(in crate::commands) fn when(&self) -> String {
        match self.days_left {
            0 => "within a day".to_owned(),
            days => format!("in {}", count(days, "day")),
        }
    }
}
