//! What reports for people say of the base image: one sentence.

#[cfg(test)]
mod tests;

use cleanbill_core::base_image::{BaseAdvice, BaseBasis, BaseImage, OriginCounts};
use cleanbill_core::report::ImageReport;

/// Names of one base that are printed.
const NAMES_MAX: usize = 3;

/// Characters of a name that are printed.
const NAME_MAX: usize = 120;

/// Says how many findings the base brings and what would be better; `None` if no base is known.
/// `quote` makes names fit for the format; everything else is plain words.
pub(super) fn sentence(image: &ImageReport, quote: &dyn Fn(&str) -> String) -> Option<String> {
    let base = image.base.as_ref()?;
    let names: Vec<String> = base
        .names
        .iter()
        .take(NAMES_MAX)
        .map(|name| quote(&super::words::cut(name, NAME_MAX)))
        .collect();
    let (first, others) = names.split_first()?;
    if base.basis == BaseBasis::Declared || base.layer_count.is_none() {
        return Some(format!(
            "base {first}, declared by the image and not verified: it is not known which layers \
             are the base's"
        ));
    }
    let name = match others {
        [] => first.clone(),
        others => format!("{first} ({})", others.join(", ")),
    };
    let advice: Vec<String> = base
        .advice
        .iter()
        .map(|advice| recommendation(advice, base, quote))
        .collect();
    let mut sentence = attribution(image.origin_counts(), &name);
    if !advice.is_empty() {
        sentence.push_str("; ");
        sentence.push_str(&advice.join(", "));
    }
    Some(sentence)
}

fn attribution(counts: OriginCounts, name: &str) -> String {
    let total = counts.total();
    let unknown = match counts.unknown {
        0 => String::new(),
        unknown => format!(" ({unknown} of unknown layers)"),
    };
    match (counts.base, total) {
        (_, 0) => format!("built on {name}"),
        (0, total) => format!("none of {total} comes from the base {name}{unknown}"),
        (base, total) if base == total => format!("all {total} come from the base {name}"),
        (1, total) => format!("1 of {total} comes from the base {name}{unknown}"),
        (base, total) => format!("{base} of {total} come from the base {name}{unknown}"),
    }
}

/// Says what another base would change. A name that the base had means that it has moved since.
fn recommendation(advice: &BaseAdvice, base: &BaseImage, quote: &dyn Fn(&str) -> String) -> String {
    let name = quote(&super::words::cut(&advice.name, NAME_MAX));
    let name = match base.names.contains(&advice.name) {
        true => format!("{name} as it is now"),
        false => name,
    };
    match advice.added.total() {
        0 => format!("{name} removes {}", advice.removed.total()),
        added => format!("{name} removes {} and adds {added}", advice.removed.total()),
    }
}
