//! Paths inside an image: relative, cleaned, with `/` between components.

/// Cleans a path the way a container runtime reads it: splits at `/`, drops empty components and
/// `.`, resolves `..` without leaving the root, and has no leading slash.
///
/// Source: the combined effect of Go's `path.Clean("/" + name)` and cutting the leading `/`.
pub fn clean(path: &str) -> String {
    let mut components: Vec<&str> = Vec::new();
    for component in path.split('/') {
        match component {
            "" | "." => {}
            ".." => {
                components.pop();
            }
            other => components.push(other),
        }
    }
    components.join("/")
}

/// Cleans a path that a user wrote, outside of any image: as [`clean`], but a leading slash and a
/// leading `..` that cannot be resolved stay, and nothing left means `.`.
///
/// Source: Go `path.Clean`.
pub fn clean_lexical(path: &str) -> String {
    let rooted = path.starts_with('/');
    let mut components: Vec<&str> = Vec::new();
    for component in path.split('/') {
        match (component, components.last()) {
            ("" | ".", _) => {}
            ("..", None) if rooted => {}
            ("..", None | Some(&"..")) => components.push(".."),
            ("..", Some(_)) => {
                components.pop();
            }
            (other, _) => components.push(other),
        }
    }
    match (rooted, components.is_empty()) {
        (true, _) => format!("/{}", components.join("/")),
        (false, true) => ".".to_owned(),
        (false, false) => components.join("/"),
    }
}

/// Joins a link's target to the directory of the link and cleans the result. An absolute target
/// starts at the root.
pub fn resolve_link(link_path: &str, target: &str) -> String {
    if target.starts_with('/') {
        return clean(target);
    }
    match parent(link_path) {
        Some(directory) => clean(&format!("{directory}/{target}")),
        None => clean(target),
    }
}

/// Joins a symbolic link's target to the directory of the link, as far as that can be done without
/// knowing what is there: `..` stays, as what stands before it may be a link too.
pub fn join_link(link_path: &str, target: &str) -> String {
    let directory = match parent(link_path) {
        Some(directory) if !target.starts_with('/') => directory,
        _ => "",
    };
    let components = directory.split('/').chain(target.split('/'));
    let named: Vec<&str> = components
        .filter(|component| !matches!(*component, "" | "."))
        .collect();
    named.join("/")
}

/// Returns the directory of a cleaned path, `None` for a name in the root.
pub fn parent(path: &str) -> Option<&str> {
    path.rsplit_once('/').map(|(directory, _)| directory)
}

/// Returns the last component.
pub fn base_name(path: &str) -> &str {
    path.rsplit_once('/').map_or(path, |(_, name)| name)
}

/// Says whether `path` is `directory` or lies below it. The empty directory is the root.
pub fn is_at_or_below(path: &str, directory: &str) -> bool {
    match path.strip_prefix(directory) {
        Some(rest) => directory.is_empty() || rest.is_empty() || rest.starts_with('/'),
        None => false,
    }
}

/// Iterates over the directories above a cleaned path, nearest first, without the root.
pub fn ancestors(path: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(parent(path), |directory| parent(directory))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cleans_without_leaving_the_root() {
        for (path, expected) in [
            ("./a//b/", "a/b"),
            ("/a/../../b", "b"),
            ("../../etc/passwd", "etc/passwd"),
            (".", ""),
            ("a/./b/..", "a"),
        ] {
            assert_eq!(clean(path), expected, "{path}");
        }
    }

    #[test]
    fn cleans_what_users_write() {
        for (path, expected) in [
            ("./a//b/../c/", "a/c"),
            ("../x", "../x"),
            ("a/../../x", "../x"),
            ("/../x", "/x"),
            ("", "."),
            ("/", "/"),
        ] {
            assert_eq!(clean_lexical(path), expected, "{path}");
        }
    }

    #[test]
    fn resolves_links() {
        assert_eq!(
            resolve_link("etc/os-release", "../usr/lib/os-release"),
            "usr/lib/os-release"
        );
        assert_eq!(resolve_link("var/run", "/run"), "run");
        assert_eq!(resolve_link("a", "b"), "b");
        assert_eq!(resolve_link("a/b", "../../../x"), "x");
    }

    #[test]
    fn joins_links_without_resolving_them() {
        for (link, target, expected) in [
            ("etc/os-release", "../usr/lib", "etc/../usr/lib"),
            ("var/x", "//opt//./d///", "opt/d"),
            ("var/x", "/y/../d", "y/../d"),
            ("var", ".", ""),
            ("var", "/", ""),
            ("a", "../../b", "../../b"),
        ] {
            assert_eq!(join_link(link, target), expected, "{link} {target}");
        }
    }

    #[test]
    fn knows_what_lies_below() {
        assert!(is_at_or_below("a/b", "a"));
        assert!(is_at_or_below("a", "a"));
        assert!(is_at_or_below("a", ""));
        assert!(!is_at_or_below("ab", "a"));
        assert_eq!(ancestors("a/b/c").collect::<Vec<_>>(), ["a/b", "a"]);
    }
}
