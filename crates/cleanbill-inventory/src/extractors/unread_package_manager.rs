//! Notices the packages of package managers that are not supported: an image that has them is not
//! assessed completely, and says so. The public advisory database knows nothing about them.

use crate::draft::{LayerDraft, Unread};
use crate::extractor::{ExtractError, Extractor, FileInput};

/// Notices one file per package, or the one database.
pub(super) struct UnreadPackageManager;

impl Extractor for UnreadPackageManager {
    fn name(&self) -> &'static str {
        "unread-package-manager"
    }

    fn wants(&self, path: &str, size_bytes: u64) -> bool {
        size_bytes > 0 && manager_of(path).is_some()
    }

    fn extract(
        &self,
        file: &mut FileInput<'_>,
        draft: &mut LayerDraft,
    ) -> Result<(), ExtractError> {
        if let Some(manager) = manager_of(file.path) {
            draft.add_unread(Unread::PackageManager(manager));
        }
        Ok(())
    }
}

/// Returns the package manager whose records a file holds.
fn manager_of(path: &str) -> Option<&'static str> {
    let is_package_file = |prefix: &str, depth: usize, name: &str| {
        path.strip_prefix(prefix).is_some_and(|rest| {
            rest.split('/').count() == depth && rest.rsplit('/').next() == Some(name)
        })
    };
    match path {
        "usr/lib/opkg/status" | "var/lib/opkg/status" | "opt/var/opkg/status" => Some("opkg"),
        "nix/var/nix/db/db.sqlite" => Some("Nix"),
        "var/lib/snapd/state.json" => Some("snap"),
        _ if is_package_file("var/lib/pacman/local/", 2, "desc") => Some("pacman"),
        _ if is_package_file("var/db/pkg/", 3, "PF") => Some("Portage"),
        _ if path.starts_with("sysroot/ostree/") && path.ends_with("/rpmdb.sqlite") => {
            Some("rpm in an OSTree deployment")
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn package_managers_are_known_by_their_records() {
        for (path, expected) in [
            ("var/lib/pacman/local/bash-5.2-1/desc", Some("pacman")),
            ("var/lib/pacman/local/ALPM_DB_VERSION", None),
            ("var/db/pkg/app-shells/bash-5.2/PF", Some("Portage")),
            ("usr/lib/opkg/status", Some("opkg")),
            ("nix/var/nix/db/db.sqlite", Some("Nix")),
            (
                "sysroot/ostree/deploy/x/usr/share/rpm/rpmdb.sqlite",
                Some("rpm in an OSTree deployment"),
            ),
            ("var/lib/dpkg/status", None),
        ] {
            assert_eq!(manager_of(path), expected, "{path}");
        }
    }
}
