//! Java archives of a layer.

use cleanbill_core::java::{JavaArchive, JavaArchives, JavaExtent};
use cleanbill_core::problem::ProblemKind;
use cleanbill_core::{Problem, error_chain};

use super::LayerDraft;
use crate::java;

impl LayerDraft {
    /// Records what a Java archive holds, in place of what this layer had at its path. One that
    /// needs no index is an application.
    pub(crate) fn add_java_archive(&mut self, archive: &JavaArchive) {
        // Each package repeats the archive's path: they are made only if there is room for them.
        let extent = archive.extent();
        if let Err(reason) = self.check_room(&extent) {
            self.exceeded(reason);
            return;
        }
        if java::needs_index(archive) {
            let mut packed = JavaArchives::default();
            match packed.push(archive) {
                Ok(()) => packed.shrink(),
                Err(error) => {
                    let (kind, path) = (ProblemKind::UnreadableFile, &archive.path);
                    return self.add_problem(Problem::at(kind, path, error_chain(&error)));
                }
            }
            self.package_count += extent.package_count;
            self.packages_size_bytes += extent.size_bytes;
            self.java_archives.insert(self.shared_source(), packed);
        } else {
            self.add_application("jar", &archive.path, java::packages(archive));
        }
    }

    /// Says whether an archive exceeds the layer's limits.
    fn check_room(&self, extent: &JavaExtent) -> Result<(), String> {
        let max = self.limits.packages_per_layer_max;
        if self.package_count.saturating_add(extent.package_count) > max {
            return Err(format!(
                "the layer has more than {max} packages (packages_per_layer_max)"
            ));
        }
        let max = self.limits.packages_size_bytes_max;
        if self.packages_size_bytes.saturating_add(extent.size_bytes) > max {
            return Err(format!(
                "the packages of the layer take more than {max} bytes (packages_size_bytes_max)"
            ));
        }
        Ok(())
    }
}
