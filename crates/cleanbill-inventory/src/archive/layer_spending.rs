//! What the archives of one layer may cost together.

use std::sync::atomic::{AtomicU64, Ordering};

use cleanbill_core::Limits;

/// Counts what reading the archives of a layer has cost so far: many small bombs are one large one,
/// and so is one to which many links lead.
#[derive(Debug, Default)]
pub(crate) struct LayerSpending {
    packed_size_bytes: AtomicU64,
    unpacked_size_bytes: AtomicU64,
}

impl LayerSpending {
    /// Returns how many bytes may be unpacked of the next archive, which has `size_bytes` itself.
    pub(crate) fn room_for(&self, size_bytes: u64, limits: &Limits) -> u64 {
        let packed = add(&self.packed_size_bytes, size_bytes);
        let in_proportion = packed.saturating_mul(limits.archives_unpacked_ratio_max);
        let max = in_proportion.max(limits.archives_unpacked_from_bytes);
        max.saturating_sub(self.unpacked_size_bytes.load(Ordering::Relaxed))
    }

    /// Notes what reading an archive has cost.
    pub(crate) fn spend(&self, unpacked_size_bytes: u64) {
        add(&self.unpacked_size_bytes, unpacked_size_bytes);
    }
}

fn add(total: &AtomicU64, count: u64) -> u64 {
    let sum = total.load(Ordering::Relaxed).saturating_add(count);
    total.store(sum, Ordering::Relaxed);
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_room_in_proportion_beyond_what_is_always_allowed() {
        let limits = Limits {
            archives_unpacked_from_bytes: 1_000,
            archives_unpacked_ratio_max: 10,
            ..Limits::default()
        };
        let spending = LayerSpending::default();
        assert_eq!(spending.room_for(10, &limits), 1_000);
        spending.spend(900);
        assert_eq!(spending.room_for(10, &limits), 100);
        spending.spend(200);
        assert_eq!(spending.room_for(10, &limits), 0);
        assert_eq!(spending.room_for(170, &limits), 900);
        assert!(spending.room_for(u64::MAX, &limits) > 1 << 60);
    }
}
