//! What is planned, and noted for those who ask.

use cleanbill_core::change::ImageState;
use cleanbill_core::problem::AssessmentStatus;
use cleanbill_store::StoreError;
use jiff::SignedDuration;

use super::Monitor;
use crate::notes::{self, PlanNote};
use crate::watchlist::WatchedImage;

/// A pass over many images takes its time, however soon the next one is due.
const PASS_TIME_MIN: SignedDuration = SignedDuration::from_hours(1);

impl Monitor<'_> {
    /// Notes when the next pass comes. It is overdue when the one after it should have begun too.
    pub(super) fn note_plan(&self) -> Result<(), StoreError> {
        let next = self.plan.pass;
        self.parts.observer.pass_planned(next);
        let schedule = &self.settings.schedule;
        let second = schedule.next(next, 1.0);
        let at_least = next.saturating_add(PASS_TIME_MIN).unwrap_or(next);
        let note = PlanNote {
            next_pass_at: next.as_millisecond(),
            overdue_at: second.max(at_least).as_millisecond(),
            schedule: schedule.to_string(),
        };
        notes::set_plan(self.parts.store, Some(&note))
    }

    /// Notes that nothing is planned.
    pub(super) fn note_no_plan(&self) -> Result<(), StoreError> {
        notes::set_plan(self.parts.store, None)?;
        notes::set_put_off(self.parts.store, &[])
    }

    /// Leaves an image that could not be read alone for a while.
    pub(super) fn be_patient(&mut self, image: &WatchedImage, state: &ImageState) {
        let now = self.parts.clock.now();
        if state.status != AssessmentStatus::Failed {
            self.patience.succeeded(&image.name, now);
            return;
        }
        let pause = self.patience.failed(image, &state.reason, now);
        tracing::debug!("looking at {} again in {} s", image.name, pause.as_secs());
    }

    /// Says whether an image could not be read lately and is left alone.
    pub(super) fn is_put_off(&self, image: &WatchedImage) -> bool {
        self.patience.is_put_off(image, self.parts.clock.now())
    }

    /// Plans when images are looked at again that could not be read, and notes which they are.
    pub(super) fn note_put_off(&mut self) -> Result<(), StoreError> {
        self.plan_put_off();
        match self.patience.take_note() {
            Some(images) => notes::set_put_off(self.parts.store, &images),
            None => Ok(()),
        }
    }

    /// Plans when images are looked at again that could not be read.
    pub(super) fn plan_put_off(&mut self) {
        if let Some(next) = self.patience.next() {
            let planned = self.plan.reconcile.unwrap_or(next);
            self.plan.reconcile = Some(planned.min(next));
        }
    }
}
