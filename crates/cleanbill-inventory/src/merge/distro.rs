//! Which distribution an image is built on.

use cleanbill_core::Problem;
use cleanbill_core::count;
use cleanbill_core::distro::{Distro, Family, RepositoryHint};
use cleanbill_core::inventory::DistroRecord;
use cleanbill_core::problem::ProblemKind;

use super::Part;

/// Holds what the files of all layers say.
#[derive(Debug, Default)]
pub(super) struct Detected {
    /// The family is empty if no file names one.
    pub(super) distro: Distro,
    repository_hint: Option<RepositoryHint>,
}

/// Holds what the image is judged as.
#[derive(Debug, Default)]
pub(super) struct Assumed {
    pub(super) distro: Option<Distro>,
    pub(super) repository_hint: Option<RepositoryHint>,
    /// The user named the distribution.
    pub(super) is_override: bool,
}

/// Merges what the layers say, base first. Source: spec 02 section 1.4.
pub(super) fn detect(parts: &[Part<'_>]) -> Detected {
    let mut detected = Detected::default();
    let mut fallbacks: Vec<&DistroRecord> = Vec::new();
    for inventory in parts.iter().flat_map(Part::inventories) {
        for record in &inventory.distro_records {
            if record.is_fallback {
                fallbacks.push(record);
            } else {
                merge_record(&mut detected.distro, &record.distro);
            }
        }
        if let Some(hint) = &inventory.repository_hint {
            detected.repository_hint = Some(hint.clone());
        }
    }
    fall_back(&mut detected.distro, &fallbacks);
    detected
}

/// Chooses what the image is judged as. Source: spec 02 section 1.5.
pub(super) fn assume(
    detected: Detected,
    has_no_packages: bool,
    override_with: Option<&Distro>,
) -> Assumed {
    let hint = detected.repository_hint;
    let distro = if !detected.distro.family.is_empty() {
        Some(detected.distro)
    } else if let Some(hint) = &hint {
        Some(Distro {
            family: hint.family.clone(),
            name: hint.release.clone(),
            ..Distro::default()
        })
    } else if !has_no_packages {
        Some(Distro {
            family: Family::new(NO_FAMILY),
            ..Distro::default()
        })
    } else {
        None
    };
    match (distro, override_with) {
        (Some(_), Some(named)) => Assumed {
            distro: Some(named.clone()),
            repository_hint: None,
            is_override: true,
        },
        (distro, _) => Assumed {
            distro,
            repository_hint: hint.filter(|_| override_with.is_none()),
            is_override: false,
        },
    }
}

/// Says that packages cannot be judged for want of a distribution.
pub(super) fn problem(distro: Option<&Distro>, package_count: usize) -> Option<Problem> {
    let is_unknown = distro.is_none_or(|distro| distro.family.as_str() == NO_FAMILY);
    (is_unknown && package_count > 0).then(|| {
        let packages = count(package_count as u64, "OS package");
        Problem::new(
            ProblemKind::UnknownDistro,
            format!("no file names the distribution of {packages}"),
        )
    })
}

/// The family of images with OS packages but without a known distribution, as reports print it.
const NO_FAMILY: &str = "none";

/// Merges one record into what is known.
fn merge_record(known: &mut Distro, record: &Distro) {
    let supplier = if known.supplier.is_empty() {
        record.supplier.clone()
    } else {
        known.supplier.clone()
    };
    let is_generic = matches!(known.family.as_str(), "redhat" | "debian");
    if is_generic && !record.family.is_empty() {
        // Descendants keep the release file of the distribution that they were made from.
        *known = record.clone();
    } else {
        if known.family.is_empty() {
            known.family = record.family.clone();
        }
        if known.name.is_empty() {
            known.name.clone_from(&record.name);
        }
        known.extended |= record.extended;
    }
    known.supplier = supplier;
    known.family = Family::new(known.family.as_str());
}

/// Uses os-release where nothing better is known. Of several the topmost counts, `etc` before
/// `usr/lib`. It also names the release of a family that is known without one.
fn fall_back(known: &mut Distro, fallbacks: &[&DistroRecord]) {
    let in_etc = fallbacks
        .iter()
        .rev()
        .find(|record| record.path.starts_with("etc/"));
    let Some(record) = in_etc.or(fallbacks.last()) else {
        return;
    };
    if known.family.is_empty() {
        known.family = record.distro.family.clone();
        known.name.clone_from(&record.distro.name);
    } else if known.name.is_empty() && known.family == record.distro.family {
        known.name.clone_from(&record.distro.name);
    }
}
