//! Judges many known images, as a new advisory database demands.

use std::sync::atomic::{AtomicUsize, Ordering};

use cleanbill_core::report::ImageReport;

use super::{Judge, KnownImage};

/// Gives out known images, to several threads.
pub trait KnownImages: Sync {
    /// Says why an image could not be given out.
    type Error: Send;

    /// Returns the number of images.
    fn count(&self) -> usize;

    /// Loads one image; `index` is below [`KnownImages::count`], and each is asked for once.
    ///
    /// # Errors
    ///
    /// It cannot be read or decoded.
    fn load(&self, index: usize) -> Result<KnownImage, Self::Error>;
}

/// Is told what became of each image, from several threads and in no particular order.
pub trait JudgeObserver<E>: Sync {
    /// An image was judged, or could not be loaded.
    fn image_judged(&self, index: usize, outcome: Result<ImageReport, E>);

    /// Says that no further image shall be begun. Asked before each.
    fn is_cancelled(&self) -> bool {
        false
    }
}

impl Judge<'_> {
    /// Judges known images on so many threads, one at a time on each. Of images, only those that
    /// are being judged are in memory; what becomes of reports is the observer's affair.
    pub fn judge_all<I: KnownImages>(
        &self,
        images: &I,
        threads: usize,
        observer: &dyn JudgeObserver<I::Error>,
    ) {
        let count = images.count();
        let next = AtomicUsize::new(0);
        let work = || {
            while !observer.is_cancelled() {
                let index = next.fetch_add(1, Ordering::Relaxed);
                if index >= count {
                    return;
                }
                let loaded = images.load(index);
                observer.image_judged(index, loaded.map(|image| self.judge_known(image)));
            }
        };
        std::thread::scope(|scope| {
            for _ in 1..threads.min(count) {
                scope.spawn(work);
            }
            work();
        });
    }
}

#[cfg(test)]
mod tests;
