//! Giving what was found in a file the other name of that file.

use cleanbill_core::inventory::Application;

use crate::draft;

/// Returns the applications at a path (of several types at most), as if it had another name.
/// `applications` are sorted by path.
pub(super) fn applications(
    applications: &[Application],
    target: &str,
    path: &str,
) -> Vec<Application> {
    let first = applications.partition_point(|application| application.path.as_str() < target);
    let at_target = applications.iter().skip(first);
    at_target
        .take_while(|application| application.path == target)
        .map(|application| renamed(application, target, path))
        .collect()
}

fn renamed(application: &Application, target: &str, path: &str) -> Application {
    let mut renamed = Application {
        path: path.to_owned(),
        ..application.clone()
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
