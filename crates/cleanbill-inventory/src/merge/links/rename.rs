//! Giving what was found in a file the other name of that file.

use cleanbill_core::inventory::Application;

use crate::draft;

/// Returns the applications at a path (of several types at most); all are sorted by path.
pub(super) fn at_path<'a>(applications: &'a [Application], target: &str) -> &'a [Application] {
    let first = applications.partition_point(|application| application.path.as_str() < target);
    let end = applications.partition_point(|application| application.path.as_str() <= target);
    applications.get(first..end).unwrap_or_default()
}

/// Returns applications of a file as if it had another name.
pub(super) fn applications(
    applications: &[Application],
    target: &str,
    path: &str,
) -> Vec<Application> {
    let renamed = |application| renamed(application, target, path);
    applications.iter().map(renamed).collect()
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
