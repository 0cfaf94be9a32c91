//! UUIDs that are the same in every run.

use cleanbill_core::Digest;

/// Makes a UUID of what identifies something. A NUL keeps its parts apart.
///
/// Source: RFC 9562 section 5.8 (version 8).
pub(super) fn of(identity: &[&str]) -> String {
    let hex = Digest::of(identity.join("\0").as_bytes()).to_hex();
    let part = |from: usize, to: usize| hex.get(from..to).unwrap_or_default();
    format!(
        "{}-{}-8{}-a{}-{}",
        part(0, 8),
        part(8, 12),
        part(12, 15),
        part(15, 18),
        part(18, 30)
    )
}
