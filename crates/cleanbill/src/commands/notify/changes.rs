//! What saved reports say beside the baselines, as a message of changes.

use std::collections::BTreeSet;

use cleanbill_core::change::{Change, ImageState};
use cleanbill_core::report::{ImageReport, ScanReport};
use cleanbill_monitor::baseline_file::BaselineDirectory;
use cleanbill_monitor::notify::{
    Counts, Cycle, Happening, ImageFacts, Notification, SummaryOptions, compose,
};
use cleanbill_monitor::{Circumstances, image_state};
use cleanbill_policy::{SeverityFilter, delta, delta_to_baseline};
use jiff::Timestamp;

use crate::error::CommandError;
use crate::settings::WatchSettings;

/// Says what differs from the baselines; `None` if nothing does. An image without one is compared
/// with nothing.
pub(super) fn changes(
    report: &ScanReport,
    settings: &WatchSettings,
    options: &SummaryOptions<'_>,
) -> Result<Option<Notification>, CommandError> {
    let directory = BaselineDirectory::new(&settings.baseline.directory);
    let filter: SeverityFilter = settings.scan.severities.iter().copied().collect();
    let mut changes = Vec::new();
    let mut facts = Vec::new();
    let mut with_baseline = BTreeSet::new();
    for image in &report.images {
        let state = state(image);
        let accepted = directory
            .read(&state.name, Timestamp::now())
            .map_err(CommandError::usage)?;
        let of_image: Vec<Change> = match &accepted {
            Some((_, baseline)) => delta_to_baseline(&baseline.vulnerabilities, &state, filter),
            None => delta(None, &state, filter),
        };
        changes.extend(of_image);
        if accepted.is_some() {
            with_baseline.insert(state.name.clone());
        }
        facts.push(facts_of(&state, filter));
    }
    let database = report.database.as_ref();
    let message = compose(&Cycle {
        id: options.id,
        time: options.time,
        since: None,
        changes: &changes,
        images: &facts,
        database_updated_at: database.and_then(|database| database.updated_at.parse().ok()),
        references: &[],
        settings: options.settings,
    });
    Ok(message.map(|mut message| {
        message.gate = options.gate.cloned();
        give_causes(&mut message, &with_baseline);
        message
    }))
}

fn state(image: &ImageReport) -> ImageState {
    let circumstances = Circumstances {
        name: image.artifact_name.clone(),
        ..Circumstances::default()
    };
    image_state(image, &circumstances)
}

fn facts_of(state: &ImageState, filter: SeverityFilter) -> ImageFacts {
    let mut counts = Counts::default();
    let mut ids = BTreeSet::new();
    for finding in &state.findings {
        if finding.counts() && filter.passes(finding.severity) {
            counts.add(finding.severity);
            ids.insert(finding.key.vulnerability_id.as_str());
        }
    }
    counts.distinct = ids.len() as u64;
    ImageFacts {
        name: state.name.clone(),
        status: state.status,
        reason: state.reason.clone(),
        counts,
        ..ImageFacts::default()
    }
}

/// Says why something is new: nothing is remembered here but baselines.
fn give_causes(message: &mut Notification, with_baseline: &BTreeSet<String>) {
    let groups = message.vulnerabilities.iter_mut();
    for hit in groups.flat_map(|group| &mut group.hits) {
        if hit.happening == Happening::New {
            hit.because = match with_baseline.contains(&hit.image) {
                true => "the baseline of the image does not accept it".to_owned(),
                false => "the image has no baseline".to_owned(),
            };
        }
    }
}
