//! Archives that hold no image: the advisory database travels in one.

use std::io::Read;

use cleanbill_core::layer::LayerReader;

use crate::ReadContext;
use crate::blob::BlobSpec;
use crate::layer::TarLayer;

/// Offers the members of a tar archive (plain, gzip or zstd) as a stream, under the limits of a
/// layer. `what` names it in errors. No digest is computed: the source has verified its own.
pub fn stream_tar<'a>(
    archive: impl Read + Send + 'a,
    what: &str,
    context: &ReadContext,
) -> impl LayerReader + 'a {
    let spec = BlobSpec {
        what: what.to_owned(),
        is_unhashed: true,
        ..BlobSpec::default()
    };
    TarLayer::new(archive, spec, context.clone())
}
