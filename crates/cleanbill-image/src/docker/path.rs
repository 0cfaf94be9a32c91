//! Paths of requests.

use std::fmt::Write as _;

/// Joins segments with `/` and encodes what may not stand in a path. A segment may hold slashes of
/// its own, as names of images do. `None` if a part is empty, `.` or `..`: no name has such a part,
/// and the path would mean something else.
pub(super) fn encode(segments: &[&str]) -> Option<String> {
    let mut path = String::new();
    for part in segments.iter().flat_map(|segment| segment.split('/')) {
        if matches!(part, "" | "." | "..") {
            return None;
        }
        if !path.is_empty() {
            path.push('/');
        }
        for byte in part.bytes() {
            if byte.is_ascii_alphanumeric() || b"-._~:@+".contains(&byte) {
                path.push(char::from(byte));
            } else {
                write!(path, "%{byte:02X}").ok()?;
            }
        }
    }
    Some(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_stand_in_paths_as_they_are() {
        for (name, expected) in [
            ("alpine:3.20", "images/alpine:3.20/json"),
            ("localhost:5000/a/b:c", "images/localhost:5000/a/b:c/json"),
            ("a@sha256:00", "images/a@sha256:00/json"),
            ("a?b#c%d e", "images/a%3Fb%23c%25d%20e/json"),
            ("ü", "images/%C3%BC/json"),
        ] {
            assert_eq!(encode(&["images", name, "json"]).as_deref(), Some(expected));
        }
    }

    #[test]
    fn names_do_not_leave_their_place() {
        for name in ["", "..", "../../info", "a/../b", "a//b", "/a", "a/", "."] {
            assert_eq!(encode(&["images", name, "json"]), None, "{name}");
        }
    }
}
