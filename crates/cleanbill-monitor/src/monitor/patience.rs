//! Images that cannot be read: each is left alone for longer after every failure.
//!
//! Without it an image that is damaged would be read again at every event of the engine and in
//! every pass, which may take minutes each time. With it, one that could not be read for a while
//! is looked at again soon. What stands in the way of several images is mended for all of them at
//! once: when one of them can be read again, or somebody says that something is different, the
//! others need not wait for their time.

use std::collections::BTreeMap;

use cleanbill_core::Digest;
use jiff::{SignedDuration, Timestamp};

use crate::notes::PutOff;
use crate::watchlist::WatchedImage;

/// The first pause; each one after it is twice as long …
const PAUSE_FIRST: SignedDuration = SignedDuration::from_mins(1);
/// … but not longer than this, so that what was mended is found four times a day at least.
const PAUSE_MAX: SignedDuration = SignedDuration::from_hours(6);

/// The images that are left alone, by name.
#[derive(Debug)]
pub(super) struct Patience {
    images: BTreeMap<String, Pause>,
    /// It is other than when it was noted last.
    is_changed: bool,
}

impl Default for Patience {
    /// Leaves none alone, which is news: an earlier process may have noted others.
    fn default() -> Self {
        Self {
            images: BTreeMap::new(),
            is_changed: true,
        }
    }
}

#[derive(Debug)]
struct Pause {
    image_id: Option<Digest>,
    reason: String,
    failures: u32,
    until: Timestamp,
}

impl Patience {
    /// Leaves an image alone after a look that failed: for longer each time, from the start if the
    /// name means another image or the reason is another. Returns for how long.
    pub(super) fn failed(
        &mut self,
        image: &WatchedImage,
        reason: &str,
        now: Timestamp,
    ) -> SignedDuration {
        let before = self.images.get(&image.name);
        let failures = before
            .filter(|pause| pause.image_id == image.id && pause.reason == reason)
            .map_or(0, |pause| pause.failures);
        let pause = PAUSE_FIRST
            .saturating_mul(1 << failures.min(10))
            .min(PAUSE_MAX);
        self.is_changed = true;
        self.images.insert(
            image.name.clone(),
            Pause {
                image_id: image.id,
                reason: reason.to_owned(),
                failures: failures.saturating_add(1),
                until: now.saturating_add(pause).unwrap_or(now),
            },
        );
        pause
    }

    /// Forgets an image that could be read. The others that failed for its reason are left alone no
    /// longer.
    pub(super) fn succeeded(&mut self, name: &str, now: Timestamp) {
        if let Some(mended) = self.images.remove(name) {
            self.is_changed = true;
            self.end(now, |pause| pause.reason == mended.reason);
        }
    }

    /// Leaves none alone any longer: what stood in the way may be gone. For those that fail all the
    /// same the pauses go on to grow.
    pub(super) fn end_all(&mut self, now: Timestamp) {
        self.end(now, |_| true);
    }

    fn end(&mut self, now: Timestamp, is_meant: impl Fn(&Pause) -> bool) {
        for pause in self.images.values_mut() {
            if now < pause.until && is_meant(pause) {
                pause.until = now;
                self.is_changed = true;
            }
        }
    }

    /// Forgets the images that are not watched any more.
    pub(super) fn keep(&mut self, watched: &BTreeMap<String, WatchedImage>) {
        let before = self.images.len();
        self.images.retain(|name, _| watched.contains_key(name));
        self.is_changed |= self.images.len() != before;
    }

    /// Forgets all: what stood in the way is gone.
    pub(super) fn clear(&mut self) {
        self.is_changed |= !self.images.is_empty();
        self.images.clear();
    }

    /// Says whether an image is left alone now. One that is another than the one that could not be
    /// read is not.
    pub(super) fn is_put_off(&self, image: &WatchedImage, now: Timestamp) -> bool {
        self.images.get(&image.name).is_some_and(|pause| {
            pause.image_id == image.id
                && now < pause.until
                // A clock that was set back makes nobody wait for the old time.
                && pause.until.duration_since(now) <= PAUSE_MAX
        })
    }

    /// Says whether an image could not be read, and the pause is over.
    pub(super) fn is_due(&self, image: &WatchedImage, now: Timestamp) -> bool {
        self.images.contains_key(&image.name) && !self.is_put_off(image, now)
    }

    /// Returns when the first pause is over.
    pub(super) fn next(&self) -> Option<Timestamp> {
        self.images.values().map(|pause| pause.until).min()
    }

    /// Lists the images for a note, if they are others than in the last one.
    pub(super) fn take_note(&mut self) -> Option<Vec<PutOff>> {
        let images = self.images.iter().map(|(image, pause)| PutOff {
            image: image.clone(),
            failures: pause.failures,
            until: pause.until.as_millisecond(),
        });
        std::mem::take(&mut self.is_changed).then(|| images.collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn image(content: &[u8]) -> WatchedImage {
        WatchedImage {
            name: "app:1".to_owned(),
            id: Some(Digest::of(content)),
            ..WatchedImage::default()
        }
    }

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_795_000_000 + seconds).unwrap()
    }

    #[test]
    fn pauses_grow_until_something_is_different() {
        let mut patience = Patience::default();
        let minutes: Vec<i64> = (0..12)
            .map(|_| patience.failed(&image(b"1"), "damaged", at(0)).as_mins())
            .collect();
        assert_eq!(
            minutes,
            [1, 2, 4, 8, 16, 32, 64, 128, 256, 360, 360, 360],
            "minutes"
        );
        assert_eq!(patience.failed(&image(b"1"), "gone", at(0)).as_mins(), 1);
        assert_eq!(patience.failed(&image(b"1"), "gone", at(0)).as_mins(), 2);
        assert_eq!(patience.failed(&image(b"2"), "gone", at(0)).as_mins(), 1);
        patience.succeeded("app:1", at(0));
        assert_eq!(patience.failed(&image(b"2"), "gone", at(0)).as_mins(), 1);
    }

    #[test]
    fn an_image_is_left_alone_until_its_time_comes_or_it_is_another() {
        let mut patience = Patience::default();
        patience.failed(&image(b"1"), "damaged", at(0));
        assert!(patience.is_put_off(&image(b"1"), at(59)));
        assert!(!patience.is_put_off(&image(b"2"), at(59)));
        assert!(patience.is_due(&image(b"1"), at(60)));
        assert_eq!(patience.next(), Some(at(60)));
        // The clock was wrong by a day when it failed.
        assert!(!patience.is_put_off(&image(b"1"), at(-86_400)));
    }

    #[test]
    fn what_is_mended_for_one_is_mended_for_all_that_failed_for_its_reason() {
        let named = |name: &str| WatchedImage {
            name: name.to_owned(),
            ..image(b"1")
        };
        let [one, two, other] = ["one", "two", "other"].map(named);
        let mut patience = Patience::default();
        patience.failed(&one, "no room", at(0));
        patience.failed(&two, "no room", at(0));
        patience.failed(&other, "damaged", at(0));
        patience.take_note();
        patience.succeeded("one", at(5));
        assert!(patience.is_due(&two, at(5)));
        assert_eq!(patience.next(), Some(at(5)));
        assert!(patience.is_put_off(&other, at(5)));
        assert_eq!(patience.take_note().unwrap().len(), 2);
        // It fails all the same: the pause goes on to grow.
        assert_eq!(patience.failed(&two, "no room", at(5)).as_mins(), 2);
        patience.end_all(at(6));
        assert!(patience.is_due(&two, at(6)) && patience.is_due(&other, at(6)));
    }

    #[test]
    fn a_note_is_made_when_there_is_news() {
        let mut patience = Patience::default();
        // What an earlier process noted is taken back.
        assert_eq!(patience.take_note(), Some(Vec::new()));
        assert_eq!(patience.take_note(), None);
        patience.failed(&image(b"1"), "damaged", at(0));
        assert_eq!(patience.take_note().unwrap()[0].failures, 1);
        assert_eq!(patience.take_note(), None);
        patience.keep(&BTreeMap::from([("app:1".to_owned(), image(b"1"))]));
        assert_eq!(patience.take_note(), None);
        patience.keep(&BTreeMap::new());
        assert_eq!(patience.take_note(), Some(Vec::new()));
    }
}
