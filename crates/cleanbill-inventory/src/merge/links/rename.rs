//! Giving what was found in a file the other name of that file.

use cleanbill_core::inventory::{Application, ApplicationView};

use crate::draft;

/// Returns applications of a file as if it had another name.
pub(super) fn applications(
    applications: &[ApplicationView<'_>],
    target: &str,
    path: &str,
) -> Vec<Application> {
    let renamed = |application: &ApplicationView<'_>| renamed(*application, target, path);
    applications.iter().map(renamed).collect()
}

fn renamed(application: ApplicationView<'_>, target: &str, path: &str) -> Application {
    let mut renamed = Application {
        kind: application.kind.to_owned(),
        path: path.to_owned(),
        packages: application.packages.to_vec(),
    };
    for package in &mut renamed.packages {
        // What lies in an archive has the archive's path in front.
        if let Some(rest) = package.file_path.strip_prefix(target)
            && (rest.is_empty() || rest.starts_with('/'))
        {
            package.file_path = format!("{path}{rest}");
            package.identifier.uid.clear();
        }
    }
    draft::finish_packages(path, &mut renamed.packages);
    renamed
}
