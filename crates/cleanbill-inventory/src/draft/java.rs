//! Java archives of a layer.

use cleanbill_core::java::JavaArchive;

use super::LayerDraft;
use crate::java;

impl LayerDraft {
    /// Records what a Java archive holds, in place of what this layer had at its path. One that
    /// needs no index is an application.
    pub(crate) fn add_java_archive(&mut self, archive: JavaArchive) {
        if !java::needs_index(&archive) {
            self.add_application("jar", &archive.path, java::packages(&archive));
            return;
        }
        let extent = java::extent(&archive);
        if let Err(reason) = self.reserve(&extent) {
            self.exceeded(reason);
            return;
        }
        self.java_archives.insert(archive.path.clone(), archive);
    }

    /// Counts packages against the layer's limits.
    fn reserve(&mut self, extent: &java::Extent) -> Result<(), String> {
        self.package_count += extent.package_count;
        self.packages_size_bytes += extent.size_bytes;
        let max = self.limits.packages_per_layer_max;
        if self.package_count > max {
            return Err(format!(
                "the layer has more than {max} packages (packages_per_layer_max)"
            ));
        }
        let max = self.limits.packages_size_bytes_max;
        if self.packages_size_bytes > max {
            return Err(format!(
                "the packages of the layer take more than {max} bytes (packages_size_bytes_max)"
            ));
        }
        Ok(())
    }
}
