//! What a monitor leaves in the state for those who ask how it gets on: its plan, the images that
//! it leaves alone for a while, settings that it refused, baselines that it could not read, an
//! engine that does not answer.
//!
//! These are values under keys of their own, each a JSON document. `status` reads them beside a
//! running `watch`; nothing else depends on them, so one that is missing or makes no sense says
//! nothing.

use std::collections::BTreeMap;

use cleanbill_store::StoreError;
use cleanbill_store::state::{StateReader, StateStore};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

const PLAN: &str = "plan";
const PUT_OFF: &str = "put_off";
const REFUSED_SETTINGS: &str = "refused_settings";
const LOST_BASELINES: &str = "lost_baselines";
const ENGINE_AWAY: &str = "engine_away";

/// Says when passes come. Points in time are Unix milliseconds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlanNote {
    /// When the next one begins.
    pub next_pass_at: i64,
    /// By when one should have ended, generously: somebody has to look if none has.
    pub overdue_at: i64,
    /// When passes come, in words.
    pub schedule: String,
}

/// Names an image that could not be read and is left alone for a while.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PutOff {
    /// The image.
    pub image: String,
    /// Attempts that failed in a row.
    pub failures: u32,
    /// When it is looked at again, Unix milliseconds.
    pub until: i64,
}

/// Says which settings a running `watch` did not take.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefusedSettings {
    /// When it refused them, Unix milliseconds.
    pub at: i64,
    /// What is wrong with them.
    pub reason: String,
}

/// Says that the engine does not answer.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct EngineAway {
    /// When it did not answer for the first time in a row, Unix milliseconds.
    pub since: i64,
    /// What the last attempt said.
    pub reason: String,
}

/// Notes the plan; `None` if no pass is planned.
///
/// # Errors
///
/// The state cannot be written.
pub fn set_plan(store: &StateStore, plan: Option<&PlanNote>) -> Result<(), StoreError> {
    set(store, PLAN, plan)
}

/// Returns the plan.
///
/// # Errors
///
/// The state cannot be read.
pub fn plan(state: &StateReader) -> Result<Option<PlanNote>, StoreError> {
    get(state, PLAN)
}

/// Notes the images that are left alone for a while.
///
/// # Errors
///
/// The state cannot be written.
pub fn set_put_off(store: &StateStore, images: &[PutOff]) -> Result<(), StoreError> {
    set(store, PUT_OFF, (!images.is_empty()).then_some(images))
}

/// Lists the images that are left alone for a while, by name.
///
/// # Errors
///
/// The state cannot be read.
pub fn put_off(state: &StateReader) -> Result<Vec<PutOff>, StoreError> {
    get(state, PUT_OFF).map(Option::unwrap_or_default)
}

/// Notes which settings were not taken; `None` once some are.
///
/// # Errors
///
/// The state cannot be written.
pub fn set_refused_settings(
    store: &StateStore,
    refused: Option<&RefusedSettings>,
) -> Result<(), StoreError> {
    set(store, REFUSED_SETTINGS, refused)
}

/// Returns which settings a running `watch` did not take.
///
/// # Errors
///
/// The state cannot be read.
pub fn refused_settings(state: &StateReader) -> Result<Option<RefusedSettings>, StoreError> {
    get(state, REFUSED_SETTINGS)
}

/// Notes the images with a baseline that could not be read, each with the reason.
///
/// # Errors
///
/// The state cannot be written.
pub fn set_lost_baselines(
    store: &StateStore,
    images: &BTreeMap<String, String>,
) -> Result<(), StoreError> {
    set(
        store,
        LOST_BASELINES,
        (!images.is_empty()).then_some(images),
    )
}

/// Returns the images with a baseline that could not be read, each with the reason.
///
/// # Errors
///
/// The state cannot be read.
pub fn lost_baselines(state: &StateReader) -> Result<BTreeMap<String, String>, StoreError> {
    get(state, LOST_BASELINES).map(Option::unwrap_or_default)
}

/// Notes that the engine does not answer; `None` once it does.
///
/// # Errors
///
/// The state cannot be written.
pub fn set_engine_away(store: &StateStore, away: Option<&EngineAway>) -> Result<(), StoreError> {
    set(store, ENGINE_AWAY, away)
}

/// Returns since when the engine does not answer, and why.
///
/// # Errors
///
/// The state cannot be read.
pub fn engine_away(state: &StateReader) -> Result<Option<EngineAway>, StoreError> {
    get(state, ENGINE_AWAY)
}

/// Writes a note. An empty text stands for none.
fn set<T: Serialize + ?Sized>(
    store: &StateStore,
    key: &str,
    note: Option<&T>,
) -> Result<(), StoreError> {
    let text = note.map(|note| {
        serde_json::to_string(note).expect("a note holds nothing but texts and numbers")
    });
    store.meta_set(key, &text.unwrap_or_default())
}

fn get<T: DeserializeOwned>(state: &StateReader, key: &str) -> Result<Option<T>, StoreError> {
    let text = state.meta_get(key)?;
    Ok(text.and_then(|text| serde_json::from_str(&text).ok()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_noted_is_found_until_it_is_taken_back() {
        let store = StateStore::in_memory().unwrap();
        assert_eq!(plan(store.read()).unwrap(), None);
        let note = PlanNote {
            next_pass_at: 1,
            overdue_at: 2,
            schedule: "every 24 h".to_owned(),
        };
        set_plan(&store, Some(&note)).unwrap();
        assert_eq!(plan(store.read()).unwrap(), Some(note));
        set_plan(&store, None).unwrap();
        assert_eq!(plan(store.read()).unwrap(), None);
    }

    #[test]
    fn a_note_that_makes_no_sense_says_nothing() {
        let store = StateStore::in_memory().unwrap();
        for text in ["", "{", "[1]", "{\"image\":\"a\"}", "null"] {
            store.meta_set(PUT_OFF, text).unwrap();
            assert_eq!(put_off(store.read()).unwrap(), [], "{text}");
        }
        set_put_off(&store, &[PutOff::default()]).unwrap();
        assert_eq!(put_off(store.read()).unwrap(), [PutOff::default()]);
        let refused = RefusedSettings {
            at: 7,
            reason: "no".to_owned(),
        };
        set_refused_settings(&store, Some(&refused)).unwrap();
        assert_eq!(refused_settings(store.read()).unwrap(), Some(refused));
        let lost = BTreeMap::from([("a:1".to_owned(), "no JSON".to_owned())]);
        set_lost_baselines(&store, &lost).unwrap();
        assert_eq!(lost_baselines(store.read()).unwrap(), lost);
    }
}
