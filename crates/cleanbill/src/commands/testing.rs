//! Reports made by hand, for tests.

use cleanbill_core::Digest;
use cleanbill_core::report::ImageReport;

/// Returns what is reported of images, by their names and what they hold: nothing stands for one
/// without an id.
pub(in crate::commands) fn image_reports(images: &[(&str, &[u8])]) -> Vec<ImageReport> {
    let image = |(name, content): &(&str, &[u8])| {
        let mut image = ImageReport {
            artifact_name: (*name).to_owned(),
            ..ImageReport::default()
        };
        image.metadata.image_id = (!content.is_empty()).then(|| Digest::of(content));
        image
    };
    images.iter().map(image).collect()
}
